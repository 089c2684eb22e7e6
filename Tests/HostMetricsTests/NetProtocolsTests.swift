import Foundation
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

    private func source(machine: String = "x86_64") throws -> CollectorUnderTest {
        try CollectorUnderTest(
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
        let source = try CollectorUnderTest("/net/protocols", files: [:])
        #expect(throws: CollectError.open(errno: 2)) { try source.sample() }
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

extension NetProtocolsTests {
    /// Which number of the kernel's each counter is: of snmp and netstat by line and name, of snmp6 by name.
    private static let names: KeyValuePairs = [
        "tcp.active_opens": "Tcp:ActiveOpens",
        "tcp.passive_opens": "Tcp:PassiveOpens",
        "tcp.attempt_fails": "Tcp:AttemptFails",
        "tcp.established_resets": "Tcp:EstabResets",
        "tcp.segments_in": "Tcp:InSegs",
        "tcp.segments_out": "Tcp:OutSegs",
        "tcp.retransmitted": "Tcp:RetransSegs",
        "tcp.in_errors": "Tcp:InErrs",
        "tcp.out_resets": "Tcp:OutRsts",
        "tcp.checksum_errors": "Tcp:InCsumErrors",
        "tcp.syn_retransmitted": "TcpExt:TCPSynRetrans",
        "tcp.fast_retransmitted": "TcpExt:TCPFastRetrans",
        "tcp.timeouts": "TcpExt:TCPTimeouts",
        "tcp.listen_overflows": "TcpExt:ListenOverflows",
        "tcp.listen_drops": "TcpExt:ListenDrops",
        "tcp.syncookies_sent": "TcpExt:SyncookiesSent",
        "tcp.syncookies_received": "TcpExt:SyncookiesRecv",
        "tcp.syncookies_failed": "TcpExt:SyncookiesFailed",
        "tcp.out_of_order": "TcpExt:TCPOFOQueue",
        "tcp.receive_queue_drops": "TcpExt:TCPRcvQDrop",
        "tcp.backlog_drops": "TcpExt:TCPBacklogDrop",
        "tcp.memory_pressures": "TcpExt:TCPMemoryPressures",
        "udp.datagrams_in": "Udp:InDatagrams",
        "udp.datagrams_out": "Udp:OutDatagrams",
        "udp.no_ports": "Udp:NoPorts",
        "udp.in_errors": "Udp:InErrors",
        "udp.receive_buffer_errors": "Udp:RcvbufErrors",
        "udp.send_buffer_errors": "Udp:SndbufErrors",
        "udp.checksum_errors": "Udp:InCsumErrors",
        "udp6.datagrams_in": "Udp6InDatagrams",
        "udp6.datagrams_out": "Udp6OutDatagrams",
        "udp6.no_ports": "Udp6NoPorts",
        "udp6.in_errors": "Udp6InErrors",
        "udp6.receive_buffer_errors": "Udp6RcvbufErrors",
        "udp6.send_buffer_errors": "Udp6SndbufErrors",
        "udp6.checksum_errors": "Udp6InCsumErrors",
        "ip.packets_in": "Ip:InReceives",
        "ip.packets_out": "Ip:OutRequests",
        "ip.forwarded": "Ip:ForwDatagrams",
        "ip.bytes_in": "IpExt:InOctets",
        "ip.bytes_out": "IpExt:OutOctets",
        "ip.header_errors": "Ip:InHdrErrors",
        "ip.address_errors": "Ip:InAddrErrors",
        "ip.in_discards": "Ip:InDiscards",
        "ip.out_discards": "Ip:OutDiscards",
        "ip.no_routes": "Ip:OutNoRoutes",
        "ip.reassembly_fails": "Ip:ReasmFails",
        "ip.fragmentation_fails": "Ip:FragFails",
        "ip6.packets_in": "Ip6InReceives",
        "ip6.packets_out": "Ip6OutRequests",
        "ip6.forwarded": "Ip6OutForwDatagrams",
        "ip6.bytes_in": "Ip6InOctets",
        "ip6.bytes_out": "Ip6OutOctets",
        "ip6.header_errors": "Ip6InHdrErrors",
        "ip6.address_errors": "Ip6InAddrErrors",
        "ip6.in_discards": "Ip6InDiscards",
        "ip6.out_discards": "Ip6OutDiscards",
        "ip6.no_routes": "Ip6OutNoRoutes",
        "ip6.reassembly_fails": "Ip6ReasmFails",
        "ip6.fragmentation_fails": "Ip6FragFails",
        "icmp.messages_in": "Icmp:InMsgs",
        "icmp.messages_out": "Icmp:OutMsgs",
        "icmp.in_errors": "Icmp:InErrors",
        "icmp.out_errors": "Icmp:OutErrors",
        "icmp.unreachable_in": "Icmp:InDestUnreachs",
        "icmp6.messages_in": "Icmp6InMsgs",
        "icmp6.messages_out": "Icmp6OutMsgs",
        "icmp6.in_errors": "Icmp6InErrors",
        "icmp6.out_errors": "Icmp6OutErrors",
        "icmp6.unreachable_in": "Icmp6InDestUnreachs",
    ]

    private static let files = ["net/snmp", "net/netstat", "net/snmp6"]

    /// Reads as simply as can be what the kernel prints.
    private func numbers(_ read: (String) throws -> String) throws -> [String: UInt64] {
        var numbers: [String: UInt64] = [:]
        for file in Self.files {
            let lines = try read(file).split(separator: "\n").map { $0.split { $0 == " " || $0 == "\t" } }
            if file == "net/snmp6" {
                for line in lines { numbers["\(line[0])"] = UInt64(line[1]) }
                continue
            }
            for pair in stride(from: 0, to: lines.count, by: 2) {
                for (name, number) in zip(lines[pair], lines[pair + 1]).dropFirst() {
                    numbers["\(lines[pair][0])\(name)"] = UInt64(number)
                }
            }
        }
        return numbers
    }

    /// A host where no two numbers are the same.
    @Test func eachFieldIsTheNumberOfItsName() throws {
        var blocks: [(label: String, names: [String])] = []
        var snmp6 = ""
        for (place, entry) in Self.names.enumerated() {
            let parts = entry.value.split(separator: ":").map(String.init)
            guard parts.count == 2 else {
                snmp6 += "\(entry.value) \(1_000 + place)\n"
                continue
            }
            if blocks.last?.label != parts[0] { blocks.append((parts[0], [])) }
            blocks[blocks.count - 1].names.append(parts[1])
        }
        func value(_ name: String) -> Int { 1_000 + (Self.names.firstIndex { $0.value == name } ?? 0) }
        let snmp = blocks.map { block in
            "\(block.label): \(block.names.joined(separator: " "))\n"
                + "\(block.label): \(block.names.map { "\(value("\(block.label):\($0)"))" }.joined(separator: " "))\n"
        }.joined()
        let source = try CollectorUnderTest("/net/protocols", files: ["proc/net/snmp": snmp, "proc/net/snmp6": snmp6])
        let (sample, message) = try source.sample()
        #expect(sample.parseErrorCount == 0)
        for (place, entry) in Self.names.enumerated() {
            #expect(message["\(entry.key)_total"] == .unsigned(UInt64(1_000 + place)), "\(entry.key)")
        }
    }

    /// Counters move between two reads, but never back: each must lie between those read before and after it.
    @Test func thisMachinesNumbersAreThoseOfItsFiles() throws {
        let clock = ManualClock()
        let registration = try #require(allCollectors.first { $0.channel.topic == "/net/protocols" })
        let facts = HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE")
        let sampler = try registration.makeSampler(on: HostMetrics.Host(facts: facts) { clock.reading })
        func read(_ file: String) throws -> String { try String(contentsOfFile: "/proc/\(file)", encoding: .utf8) }
        let before = try numbers(read)
        _ = try sampler.sample(registration.context(tick: 1))
        let after = try numbers(read)
        let message = try decode(sampler, schema: registration.channel.schema)
        for entry in Self.names {
            guard case .unsigned(let value) = message["\(entry.key)_total"] else {
                Issue.record("\(entry.key)")
                continue
            }
            let range = (before[entry.value] ?? 0)...(after[entry.value] ?? 0)
            #expect(range.contains(value), "\(entry.key)")
        }
    }
}
