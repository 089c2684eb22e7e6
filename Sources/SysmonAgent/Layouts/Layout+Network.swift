extension Layout {
    static let network = Layout(name: "network", summary: "network and disks: traffic, errors, delays, room") { host in
        [networkTab(host), disksTab(host), detailsTab(host), host.controlTab(exampleTopic: "/net")]
    }

    private static func networkTab(_ host: HostOutline) -> Tab? {
        let packets = host.plot(
            "Packets", axis: "packets/s",
            host.lines(
                of: "/net.interfaces", ("rx_packets_per_second", " received"), ("tx_packets_per_second", " sent")))
        let losses = host.plot(
            "Lost packets", axis: "packets/s",
            host.lines(
                of: "/net.interfaces", ("rx_dropped_per_second", " in, dropped"), ("rx_errors_per_second", " in, bad"),
                ("tx_dropped_per_second", " out, dropped"), ("tx_errors_per_second", " out, failed")))
        let connections = host.plot(
            "TCP connections", axis: "connections",
            [
                Line("/net/protocols.tcp.established", "open"), Line("/net/sockets.tcp_time_wait", "time wait"),
                Line("/net/sockets.tcp_orphan", "orphans"),
            ])
        let trouble = host.plot(
            "TCP trouble", axis: "1/s",
            [
                Line("/net/protocols.tcp.retransmitted_per_second", "sent again"),
                Line("/net/protocols.tcp.timeouts_per_second", "timeouts"),
                Line("/net/protocols.tcp.out_resets_per_second", "resets sent"),
                Line("/net/protocols.tcp.established_resets_per_second", "connections reset"),
                Line("/net/protocols.tcp.listen_overflows_per_second", "not accepted"),
            ])
        let signal = host.plot(
            "Wireless signal", axis: "dBm", from: nil, host.lines(of: "/net/wireless.interfaces", ("signal_dbm", "")))
        let interfaces = host.table("Interfaces", "/net.interfaces")
        return Tab(
            "Network",
            .rows([
                (36, [(56, host.networkPlot), (44, packets)]),
                (32, [(30, losses), (30, connections), (30, trouble), (30, signal)]),
                (32, [(60, interfaces), (40, host.table("Addresses", "/net/addresses.addresses"))]),
            ]))
    }

    private static func disksTab(_ host: HostOutline) -> Tab? {
        let requests = host.plot(
            "Requests", axis: "requests/s",
            host.lines(of: "/disk.devices", ("reads_per_second", " read"), ("writes_per_second", " written")))
        let times = host.plot(
            "Time of a request", axis: "s",
            host.lines(of: "/disk.devices", ("read_await_seconds", " read"), ("write_await_seconds", " written")))
        let busy = host.plot(
            "Busy disks", axis: "share of time, 0 to 1", to: 1,
            host.lines(of: "/disk.devices", ("utilization_ratio", "")))
        let queues = host.plot(
            "Queues", axis: "requests under way, on average",
            host.lines(of: "/disk.devices", ("queue_depth_average", "")))
        return Tab(
            "Disks",
            .rows([
                (36, [(56, host.diskPlot), (44, requests)]),
                (32, [(36, times), (32, busy), (32, queues)]),
                (32, [(40, host.filesystemPlot), (60, host.table("Devices", "/disk.devices"))]),
            ]))
    }

    private static func detailsTab(_ host: HostOutline) -> Tab? {
        Tab(
            "Details",
            .rows([
                (40, [(100, host.table("Filesystems", "/filesystem.filesystems"))]),
                (
                    30,
                    [
                        (50, host.table("Neighbours", "/net/neighbours.interfaces")),
                        (50, host.table("Packets by CPU", "/net/softnet.cpus")),
                        (50, host.table("Wireless", "/net/wireless.interfaces")),
                    ]
                ),
                (
                    30,
                    [
                        (50, host.table("RAID arrays", "/md.arrays")),
                        (50, host.table("NFS operations", "/nfs.operations")),
                    ]
                ),
            ]))
    }
}
