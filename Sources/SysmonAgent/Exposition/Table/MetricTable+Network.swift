extension MetricTable {
    static let network: [MetricFamily] = interfaces + softnet + conntrack + neighbours + wireless

    private static let interfaces: [MetricFamily] = {
        let interfaces = Entries("/net", "interfaces", labels: [.init("device", "id")])
        let counters: KeyValuePairs = [
            "receive_bytes": "rx_bytes_total", "receive_packets": "rx_packets_total",
            "receive_errs": "rx_errors_total", "receive_drop": "rx_dropped_total",
            "receive_fifo": "rx_fifo_errors_total", "receive_frame": "rx_frame_errors_total",
            "receive_multicast": "rx_multicast_total", "transmit_bytes": "tx_bytes_total",
            "transmit_packets": "tx_packets_total", "transmit_errs": "tx_errors_total",
            "transmit_drop": "tx_dropped_total", "transmit_fifo": "tx_fifo_errors_total",
            "transmit_colls": "tx_collisions_total", "transmit_carrier": "tx_carrier_errors_total",
            "carrier_changes": "carrier_changes_total",
        ]
        return counters.map {
            let words = $0.key.split(separator: "_").joined(separator: " ")
            return interfaces.counter("node_network_\($0.key)_total", $0.value, "Network device statistic: \(words).")
        } + [
            interfaces.gauge("node_network_up", .isText("oper_state", "OPER_UP"), "Whether the interface is up."),
            interfaces.gauge("node_network_mtu_bytes", "mtu_bytes", "Largest packet."),
            interfaces.gauge(
                "node_network_speed_bytes", .times("speed_bits_per_second", 1.0 / 8),
                "Speed of the link in bytes per second."),
        ]
    }()

    private static let softnet: [MetricFamily] = {
        let cpus = Entries("/net/softnet", "cpus", labels: [.init("cpu", "id")])
        return [
            cpus.counter("node_softnet_processed_total", "processed_total", "Packets taken by the CPU."),
            cpus.counter("node_softnet_dropped_total", "dropped_total", "Packets dropped since the backlog was full."),
            cpus.counter("node_softnet_times_squeezed_total", "squeezed_total", "Times that work was left over."),
            cpus.counter("node_softnet_received_rps_total", "received_rps_total", "Times that another CPU woke it."),
            cpus.counter(
                "node_softnet_flow_limit_count_total", "flow_limit_total",
                "Packets dropped since their flow filled the backlog."),
            cpus.gauge("node_softnet_backlog_len", "backlog_packets", "Packets that wait in the backlog."),
        ]
    }()

    private static let conntrack: [MetricFamily] = {
        let table = Entries("/net/conntrack")
        let statistics = [
            "found", "invalid", "insert", "insert_failed", "drop", "early_drop", "search_restart",
        ]
        return [
            table.gauge("node_nf_conntrack_entries", "entries", "Connections that are tracked."),
            table.gauge("node_nf_conntrack_entries_limit", "limit", "How many there may be."),
        ]
            + statistics.map {
                table.gauge("node_nf_conntrack_stat_\($0)", "\($0)_total", "\($0) of nf_conntrack, all CPUs together.")
            }
    }()

    private static let neighbours: [MetricFamily] = {
        let neighbours = Entries("/net/neighbours", "interfaces", labels: [.init("device", "id")])
        let states = [
            "incomplete", "reachable", "stale", "delay", "probe", "failed", "no_arp", "permanent",
        ]
        return [
            neighbours.gauge("node_arp_entries", "arp_entries", "ARP entries."),
            neighbours.family(
                "sysmon_neighbours", .gauge,
                states.map { .init(labels: [("state", $0)], number: .field($0)) }, "ARP and IPv6 neighbours by state."),
        ]
    }()

    private static let wireless: [MetricFamily] = {
        let interfaces = Entries("/net/wireless", "interfaces", labels: [.init("device", "id")])
        return [
            interfaces.gauge("sysmon_wireless_signal_dbm", "signal_dbm", "Strength of the signal."),
            interfaces.gauge("sysmon_wireless_link_ratio", "link_ratio", "Quality of the link, 0 to 1."),
            interfaces.gauge(
                "sysmon_wireless_transmit_bits_per_second", "tx_bitrate_bits_per_second", "Bitrate of the last sent."),
            interfaces.gauge(
                "sysmon_wireless_receive_bits_per_second", "rx_bitrate_bits_per_second",
                "Bitrate of the last received."),
            interfaces.counter("sysmon_wireless_retries_total", "tx_retries_total", "Frames sent again."),
            interfaces.counter("sysmon_wireless_failures_total", "tx_failures_total", "Frames given up."),
            interfaces.counter(
                "sysmon_wireless_beacon_losses_total", "beacon_losses_total", "Times beacons were gone."),
        ]
    }()
}
