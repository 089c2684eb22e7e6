import HostMetrics
import Telemetry
import Testing

struct NetProtocolsTests {
    private static let snmp = """
        Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InDiscards OutRequests OutNoRoutes
        Ip: 1 64 1000 1 2 3 4 2000 5
        Icmp: InMsgs InErrors InCsumErrors InDestUnreachs OutMsgs OutErrors
        Icmp: 30 1 0 29 40 2
        IcmpMsg: InType3 OutType3
        IcmpMsg: 29 31
        Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens CurrEstab InSegs OutSegs RetransSegs InErrs
        Tcp: 1 200 120000 -1 10 20 7 5000 6000 100 3
        Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors
        Udp: 70 1 2 80 3 4

        """
    private static let netstat = """
        TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts ListenOverflows ListenDrops TCPTimeouts
        TcpExt: 1 2 3 4 5 6 7
        IpExt: InNoRoutes InOctets OutOctets
        IpExt: 0 4294967290 500

        """
    private static let snmp6 = """
        Ip6InReceives                   \t100
        Ip6InOctets                     \t4000
        Ip6OutForwDatagrams             \t8
        Icmp6InMsgs                     \t9
        Udp6InDatagrams                 \t11
        Udp6RcvbufErrors                \t12

        """

    private func source(machine: String = "x86_64") throws -> NetSource {
        try NetSource(
            "/net/protocols",
            files: [
                "proc/net/snmp": Self.snmp, "proc/net/netstat": Self.netstat, "proc/net/snmp6": Self.snmp6,
            ], machine: machine)
    }

    private func counters(pairs texts: String...) -> ProtocolCounters {
        var counters = ProtocolCounters()
        var lines = PairedLines()
        for text in texts {
            counters.removeAll()
            let bytes = Array(text.utf8)
            lines.parse(bytes.span, into: &counters)
        }
        return counters
    }

    private func slot(_ counter: TCPCounter) -> Int { ProtocolCounters.slot(.tcp, counter) }
    private func slot(_ counter: UDPCounter) -> Int { ProtocolCounters.slot(.udp, counter) }

    @Test func totalsAndGaugesComeAtOnceAndRatesLater() throws {
        let source = try source()
        let first = try source.sample()
        #expect(first.sample.parseErrorCount == 0 && first.sample.intervalSeconds.isNaN)
        var message = first.message
        #expect(message["tcp.established"]?.number == 7 && message.isNaN("tcp.established_limit"))
        #expect(message["tcp.retransmitted_total"] == .unsigned(100))
        #expect(message["tcp.listen_overflows_total"] == .unsigned(5))
        #expect(message["udp.receive_buffer_errors_total"] == .unsigned(3))
        #expect(message["udp6.receive_buffer_errors_total"] == .unsigned(12))
        #expect(message["ip.packets_out_total"] == .unsigned(2_000) && message["ip.no_routes_total"] == .unsigned(5))
        #expect(message["ip.bytes_in_total"] == .unsigned(4_294_967_290))
        #expect(message["ip6.forwarded_total"] == .unsigned(8) && message["icmp.out_errors_total"] == .unsigned(2))
        #expect(message["icmp6.messages_in_total"] == .unsigned(9))
        #expect(message.isNaN("tcp.retransmitted_per_second") && message.isNaN("ip.bytes_in_per_second"))

        try source.root.write(
            Self.snmp.replacing(" 5000 6000 100 3", with: " 5010 6030 110 3").replacing(" -1 ", with: " 900 "),
            to: "proc/net/snmp")
        try source.root.write(Self.netstat.replacing("4294967290", with: "4294967390"), to: "proc/net/netstat")
        let second = try source.sample(after: 2)
        message = second.message
        #expect(second.sample.intervalSeconds == 2 && second.sample.resetCount == 0)
        #expect(message["tcp.retransmitted_per_second"]?.number == 5)
        #expect(message["tcp.segments_out_per_second"]?.number == 15)
        #expect(message["tcp.retransmitted_ratio"]?.number == 0.25)
        #expect(message["tcp.established_limit"]?.number == 900)
        #expect(message["ip.bytes_in_per_second"]?.number == 50)
        #expect(message["udp.datagrams_in_per_second"]?.number == 0)
        // This kernel has no such columns.
        #expect(message.isNaN("tcp.syn_retransmitted_per_second") && message.isNaN("ip.fragmentation_fails_per_second"))
        #expect(message["tcp.syn_retransmitted_total"] == .unsigned(0))
    }

    @Test func nothingIsSentAgainWhereNothingIsSent() throws {
        let source = try source()
        _ = try source.sample()
        #expect(try source.sample(after: 1).message.isNaN("tcp.retransmitted_ratio"))
    }

    @Test func aCounterThatFellIsAResetOfThatCounterOnly() throws {
        let source = try source()
        _ = try source.sample()
        try source.root.write(Self.snmp.replacing(" 5000 6000", with: " 4000 6100"), to: "proc/net/snmp")
        let (sample, message) = try source.sample(after: 1)
        #expect(sample.resetCount == 1 && message.isNaN("tcp.segments_in_per_second"))
        #expect(message["tcp.segments_out_per_second"]?.number == 100)
    }

    @Test func wordsOfOldMachinesWrapAndThoseOfIPDoNot() throws {
        let source = try source(machine: "armv7l")
        try source.root.write(Self.snmp.replacing(" 5000 6000", with: " 4294967290 6000"), to: "proc/net/snmp")
        _ = try source.sample()
        try source.root.write(Self.snmp.replacing(" 5000 6000", with: " 4 6000"), to: "proc/net/snmp")
        try source.root.write(Self.netstat.replacing("4294967290", with: "10"), to: "proc/net/netstat")
        let (sample, message) = try source.sample(after: 1)
        #expect(message["tcp.segments_in_per_second"]?.number == 10)
        #expect(message.isNaN("ip.bytes_in_per_second") && sample.resetCount == 1)
    }

    @Test func filesMayBeMissingComeAndGo() throws {
        let source = try NetSource("/net/protocols", files: [:])
        #expect(throws: CollectError.open(errno: 2)) { try source.start() }
        try source.root.write(Self.snmp, to: "proc/net/snmp")
        var message = try source.sample().message
        #expect(message["tcp.segments_in_total"] == .unsigned(5_000) && message["ip6.bytes_in_total"] == .unsigned(0))
        try source.root.write(Self.snmp6, to: "proc/net/snmp6")
        #expect(try source.sample(after: 9).message["ip6.bytes_in_total"] == .unsigned(0))
        #expect(try source.sample(after: 1).message["ip6.bytes_in_total"] == .unsigned(4_000))
        message = try source.sample(after: 1).message
        #expect(message["ip6.bytes_in_per_second"]?.number == 0 && message.isNaN("tcp.timeouts_per_second"))
        try source.root.write("", to: "proc/net/snmp")
        message = try source.sample(after: 1).message
        #expect(message["tcp.segments_in_total"] == .unsigned(0) && message.isNaN("tcp.established"))
        try source.root.write("", to: "proc/net/snmp6")
        #expect(throws: CollectError.nothingUsable) { try source.sample(after: 1) }
    }

    @Test func eachCounterHasAKeyAndEachKeyOnlyOne() {
        #expect(TCPCounter.keys.count == TCPCounter.allCases.count)
        #expect(UDPCounter.keys.count == UDPCounter.allCases.count)
        #expect(UDPCounter.keys6.count == UDPCounter.allCases.count)
        #expect(IPCounter.keys.count == IPCounter.allCases.count)
        #expect(IPCounter.keys6.count == IPCounter.allCases.count)
        #expect(ICMPCounter.keys.count == ICMPCounter.allCases.count)
        #expect(ICMPCounter.keys6.count == ICMPCounter.allCases.count)
        let keys = ProtocolGroup.allCases.flatMap { group in group.keys.map { "\($0)" } }
        #expect(Set(keys).count == keys.count)
        #expect(ProtocolGroup.allCases.allSatisfy { $0.keys.count <= ProtocolCounters.groupSlotCount })
    }

    @Test(
        arguments: [
            // Names, numbers, then what InSegs and InErrs are and how much is wrong.
            ("Tcp: InSegs InErrs", "Tcp: 5 6", 5, 6, 0), ("Tcp: InErrs InSegs New", "Tcp: 6 5 7", 5, 6, 0),
            ("Tcp: InSegs InErrs", "Tcp: 5", 5, nil, 1), ("Tcp: InSegs InErrs", "Tcp: x 6", nil, 6, 1),
            ("Tcp: InSegs InErrs", "Tcp: -5 6 7", nil, 6, 1), ("Tcp: InSegs InErrs", "Tcp:", nil, nil, 1),
            ("Tcp: InSegs InSegs InErrs", "Tcp: 5 7 6", 5, 6, 0), ("TcpExt: InSegs InErrs", "TcpExt: 5 6", nil, nil, 0),
            ("Tcp InSegs", "Tcp 5", nil, nil, 2), ("Tcp: InSegs", "Udp: 5", nil, nil, 2), ("", "", nil, nil, 0),
            ("Tcp: InSegs MaxConn InErrs", "Tcp: 5 -1 6", 5, 6, 0),
            ("Tcp: InSegs", "Tcp: 18446744073709551616", nil, nil, 1),
        ] as [(String, String, UInt64?, UInt64?, Int)])
    func pairsAreReadByName(names: String, numbers: String, segments: UInt64?, errors: UInt64?, bad: Int) {
        let text = "\(names)\n\(numbers)\nUdp: InDatagrams\nUdp: 9\n"
        for counters in [counters(pairs: text), counters(pairs: text, text)] {
            #expect(counters[slot(.segmentsIn)] == segments)
            #expect(counters[ProtocolCounters.slot(.tcp, TCPCounter.inErrors)] == errors)
            #expect(counters.parseErrorCount == bad)
        }
    }

    @Test func aBadPairDoesNotTakeTheNextWithIt() {
        let counters = counters(pairs: "Ip: InReceives\nTcp: InSegs\nTcp: 5\nUdp: InDatagrams\nUdp: 9\nIcmp: InMsgs\n")
        #expect(counters[slot(.segmentsIn)] == 5 && counters[ProtocolCounters.slot(.udp, UDPCounter.datagramsIn)] == 9)
        #expect(counters.parseErrorCount == 2)
    }

    @Test func columnsThatMoveAreFoundAgain() {
        let counters = counters(
            pairs: "Tcp: InSegs InErrs\nTcp: 1 2\nUdp: NoPorts\nUdp: 3\n",
            "Tcp: InErrs InSegs\nTcp: 4 5\nUdp: NoPorts\nUdp: 6\n", "Udp: NoPorts\nUdp: 7\nTcp: InSegs\nTcp: 8\n")
        #expect(counters[slot(.segmentsIn)] == 8 && counters[ProtocolCounters.slot(.tcp, TCPCounter.inErrors)] == nil)
        #expect(counters[ProtocolCounters.slot(.udp, UDPCounter.noPorts)] == 7 && counters.parseErrorCount == 0)
    }

    @Test(arguments: [PairedLines.blockCountMax, PairedLines.blockCountMax + 1])
    func noMoreBlocksThanTheLimitAreRead(count: Int) {
        let filler = (1..<count).map { "B\($0): x\nB\($0): 1\n" }.joined()
        let counters = counters(pairs: filler + "Tcp: InSegs\nTcp: 5\n")
        #expect((counters[slot(.segmentsIn)] == 5) == (count == PairedLines.blockCountMax))
        #expect((counters.parseErrorCount == 0) == (count == PairedLines.blockCountMax))
    }

    @Test(arguments: [ListedLines.lineCountMax, ListedLines.lineCountMax + 1])
    func noMoreLinesThanTheLimitAreRead(count: Int) {
        let filler = (1..<count).map { "B\($0) 1\n" }.joined()
        let bytes = Array((filler + "Udp6NoPorts 5\n").utf8)
        var counters = ProtocolCounters()
        var lines = ListedLines()
        for _ in 1...2 {
            counters.removeAll()
            lines.parse(bytes.span, into: &counters)
            #expect(
                (counters[ProtocolCounters.slot(.udp6, UDPCounter.noPorts)] == 5) == (count == ListedLines.lineCountMax)
            )
            #expect((counters.parseErrorCount == 0) == (count == ListedLines.lineCountMax))
        }
    }

    @Test func listedLinesAreReadByNameWhateverTheirOrder() {
        var lines = ListedLines()
        for (text, noPorts, messages, bad) in [
            ("Udp6NoPorts 1\nIcmp6InMsgs 2\n", 1, 2, 0), ("Udp6NoPorts 3\nIcmp6InType1 9\nIcmp6InMsgs 4\n", 3, 4, 0),
            ("Icmp6InMsgs 5\n\n  Udp6NoPorts\t6", 6, 5, 0), ("Udp6NoPortsX 7\nIcmp6InMsgs\n", nil, nil, 1),
            ("Udp6NoPorts x\nIcmp6InMsgs 8 9\nUdp6NoPorts 7\n", 7, 8, 1), ("Udp6NoPorts 1\nUdp6NoPorts 2", 1, nil, 0),
        ] as [(String, UInt64?, UInt64?, Int)] {
            var counters = ProtocolCounters()
            let bytes = Array(text.utf8)
            lines.parse(bytes.span, into: &counters)
            #expect(counters[ProtocolCounters.slot(.udp6, UDPCounter.noPorts)] == noPorts, "\(text)")
            #expect(counters[ProtocolCounters.slot(.icmp6, ICMPCounter.messagesIn)] == messages, "\(text)")
            #expect(counters.parseErrorCount == bad, "\(text)")
        }
    }
}

struct NetSocketsTests {
    private static let text = """
        sockets: used 285
        TCP: inuse 4 orphan 1 tw 3 alloc 7 mem 200
        UDP: inuse 3 mem 2
        UDPLITE: inuse 0
        RAW: inuse 1
        FRAG: inuse 2 memory 960

        """
    private static let text6 =
        "TCP6: inuse 5\nUDP6: inuse 6\nUDPLITE6: inuse 0\nRAW6: inuse 1\nFRAG6: inuse 2 memory 8\n"

    @Test func pagesBecomeBytes() throws {
        let source = try NetSource(
            "/net/sockets", files: ["proc/net/sockstat": Self.text, "proc/net/sockstat6": Self.text6],
            pageSizeBytes: 65_536)
        let (sample, message) = try source.sample()
        #expect(sample.parseErrorCount == 0)
        let expected = [
            "used": 285, "tcp_in_use": 4, "tcp_orphan": 1, "tcp_time_wait": 3, "tcp_allocated": 7,
            "tcp_memory_bytes": 13_107_200, "udp_in_use": 3, "udp_memory_bytes": 131_072, "udp_lite_in_use": 0,
            "raw_in_use": 1, "fragments_in_use": 2, "fragments_memory_bytes": 960, "tcp6_in_use": 5,
            "udp6_in_use": 6, "udp_lite6_in_use": 0, "raw6_in_use": 1, "fragments6_in_use": 2,
            "fragments6_memory_bytes": 8,
        ]
        for (field, value) in expected { #expect(message[field]?.number == Double(value), "\(field)") }
    }

    @Test func whatTheKernelDoesNotTellIsUnknown() throws {
        let source = try NetSource(
            "/net/sockets", files: ["proc/net/sockstat": "sockets: used x\nTCP: inuse 4 new 5 mem\nNEW: inuse 3\nUDP\n"]
        )
        let (sample, message) = try source.sample()
        #expect(sample.parseErrorCount == 2 && message["tcp_in_use"]?.number == 4)
        for field in ["used", "tcp_memory_bytes", "udp_in_use", "tcp6_in_use"] { #expect(message.isNaN(field)) }
        try source.root.write(Self.text, to: "proc/net/sockstat")
        try source.root.write(Self.text6, to: "proc/net/sockstat6")
        #expect(try source.sample(after: 10).message["tcp6_in_use"]?.number == 5)
        try source.root.write("", to: "proc/net/sockstat")
        #expect(throws: CollectError.nothingUsable) { try source.sample(after: 1) }
    }

    @Test func theFirstOfANameCounts() {
        var statistics = SocketStatistics()
        statistics.parse(Array("TCP: inuse 1 inuse 2\nTCP: inuse 3\n".utf8).span)
        #expect(statistics[.tcpInUse] == 1 && statistics[.rawInUse].isNaN)
        statistics.removeAll()
        #expect(statistics[.tcpInUse].isNaN)
    }
}
