import HostMetrics
import Telemetry
import Testing

struct NeighbourTests {
    @Test func entriesAreCountedByInterfaceAndState() throws {
        let kernel = ScriptedKernel()
        kernel.answers = [
            Wire.getLink: [{ [.datagram(Wire.link(3, "eth0", sequence: $0) + Wire.done($0))] }],
            Wire.getNeighbour: [
                {
                    [
                        .datagram(
                            Wire.neighbour(2, 3, state: 2, sequence: $0, flags: 2 | Wire.interrupted) + Wire.done($0))
                    ]
                },
                { sequence in
                    let states: [(UInt8, UInt32, UInt16)] = [
                        (2, 9, 0x80), (2, 3, 1), (10, 3, 2), (2, 3, 4), (2, 3, 8), (2, 3, 0x10), (2, 3, 0x20),
                        (10, 3, 0x40), (2, 3, 0), (2, 3, 3), (7, 3, 2), (2, 12, 0x40),
                    ]
                    let messages = states.flatMap { Wire.neighbour($0.0, $0.1, state: $0.2, sequence: sequence) }
                    return [
                        .datagram(messages + Wire.message(28, sequence, [2, 0, 0, 0, 3])),
                        .datagram(Wire.done(sequence)),
                    ]
                },
            ],
        ]
        var monitor = NeighbourMonitor(requests: ScriptedTransport(kernel))
        var table = NeighbourTable()
        try monitor.refresh(&table)
        #expect(table.rows.map(\.index) == [3, 9, 12] && table.rows.map(\.name) == [Array("eth0".utf8), [], []])
        #expect(table.rows[0].ipv4Count == 7 && table.rows[0].ipv6Count == 2)
        // Without NUD_NONE; NUD_NOARP is one of IPv6 here.
        #expect(table.rows[0].arpCount == 6 && table.rows[1].arpCount == 1 && table.rows[2].arpCount == 0)
        for state in NeighbourTable.State.allCases where state != .permanent {
            #expect(table.rows[0].count(of: state) == 1, "\(state)")
        }
        #expect(table.rows[1].count(of: .permanent) == 1 && kernel.requestCounts[Wire.getNeighbour] == 2)
        try monitor.refresh(&table)
        #expect(table.rows[0].ipv4Count == 7)
    }
}

struct NetARPTests {
    private static let heading = "IP address       HW type     Flags       HW address            Mask     Device\n"

    @Test func entriesAreCountedByInterface() throws {
        let source = try CollectorUnderTest(
            "/net/neighbours",
            files: [
                "proc/net/arp": Self.heading + """
                    192.0.2.1        0x1         0x2         02:fc:00:00:00:05     *        eth0
                    192.0.2.9        0x1         0x0         00:00:00:00:00:00     *        eth0
                    198.51.100.1     0x1         0x6         02:fc:00:00:00:06     *        br"0'
                    192.0.2.8        0x1         x           00:00:00:00:00:00     *        eth0
                    192.0.2.7        0x1         0x2

                    """
            ])
        let (sample, message) = try source.sample()
        #expect(sample.parseErrorCount == 2 && message["interfaces"]?.ids == ["eth0", "br'0'"])
        #expect(message["interfaces[0].entries"]?.number == 2 && message["interfaces[0].incomplete"]?.number == 1)
        #expect(message["interfaces[0].ipv4_entries"]?.number == 2 && message.isNaN("interfaces[0].ipv6_entries"))
        #expect(message["interfaces[1].permanent"]?.number == 1 && message["interfaces[1].incomplete"]?.number == 0)
        for state in ["reachable", "stale", "delay", "probe", "failed", "no_arp"] {
            #expect(message.isNaN("interfaces[0].\(state)"))
        }
        try source.root.write(Self.heading, to: "proc/net/arp")
        #expect(try source.sample(after: 10).message["interfaces"]?.entries.isEmpty == true)
    }

    @Test func withoutTheFileThereIsNoChannel() throws {
        let source = try CollectorUnderTest("/net/neighbours", files: [:])
        #expect(throws: CollectError.open(errno: 2)) { try source.sample() }
    }
}
