import HostMetrics
import Telemetry
import Testing

struct NetSoftnetTests {
    /// A line of `count` columns: processed, dropped, squeezed, received_rps, flow_limit, backlog and CPU where they
    /// belong, ffffffff where nobody should look.
    private func line(_ values: [UInt32], count: Int) -> String {
        var columns = [UInt32](repeating: .max, count: 15)
        for (place, value) in zip([0, 1, 2, 9, 10, 11, 12], values) { columns[place] = value }
        return columns.prefix(count).map {
            let digits = String($0, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined(separator: " ") + "\n"
    }

    @Test func ratesAreThoseOfEachCPU() throws {
        let source = try CollectorUnderTest(
            "/net/softnet",
            files: [
                "proc/net/softnet_stat": line([4_294_967_290, 1, 2, 3, 4, 5, 0], count: 15)
                    + line([10, 1, 1, 1, 1, 7, 3], count: 15)
            ])
        var (sample, message) = try source.sample()
        #expect(sample.parseErrorCount == 0 && message["cpus"]?.ids == ["0", "3"])
        #expect(message.isNaN("cpus[0].processed_per_second") && message["cpus[1].backlog_packets"]?.number == 7)
        #expect(message["cpus[0].processed_total"] == .unsigned(4_294_967_290))
        try source.root.write(
            line([4, 3, 6, 11, 20, 0, 0], count: 15) + line([9, 1, 1, 1, 1, 0, 3], count: 15),
            to: "proc/net/softnet_stat")
        (sample, message) = try source.sample(after: 2)
        // 32 bits on every machine: one wrapped, the other was reset.
        #expect(message["cpus[0].processed_per_second"]?.number == 5 && sample.resetCount == 1)
        #expect(message["cpus[0].dropped_per_second"]?.number == 1)
        #expect(message["cpus[0].squeezed_per_second"]?.number == 2)
        #expect(message["cpus[0].received_rps_per_second"]?.number == 4)
        #expect(message["cpus[0].flow_limit_per_second"]?.number == 8)
        #expect(message.isNaN("cpus[1].dropped_per_second"))
        // A CPU goes offline, another comes.
        try source.root.write(
            line([14, 3, 6, 11, 20, 0, 0], count: 15) + line([99, 1, 1, 1, 1, 0, 1], count: 15),
            to: "proc/net/softnet_stat")
        (sample, message) = try source.sample(after: 2)
        #expect(message["cpus"]?.ids == ["0", "1"] && message["cpus[0].processed_per_second"]?.number == 5)
        #expect(message.isNaN("cpus[1].processed_per_second"))
    }

    @Test(arguments: [(8, 0), (9, 9), (10, 10), (11, 11), (13, 13), (15, 15)])
    func olderKernelsHaveFewerColumns(columns: Int, known: Int) throws {
        let source = try CollectorUnderTest(
            "/net/softnet", files: ["proc/net/softnet_stat": line([1, 2, 3, 4, 5, 6, 7], count: columns)])
        guard known > 0 else {
            #expect(throws: CollectError.nothingUsable) { try source.sample() }
            return
        }
        _ = try source.sample()
        let message = try source.sample(after: 1).message
        #expect(message["cpus[0].processed_per_second"]?.number == 0)
        #expect(message.isNaN("cpus[0].received_rps_per_second") == (known < 10))
        #expect(message.isNaN("cpus[0].flow_limit_per_second") == (known < 11))
        #expect(message.isNaN("cpus[0].backlog_packets") == (known < 13))
        #expect(message["cpus[0].id"] == .unsigned(known < 13 ? 0 : 7))
    }

    @Test func linesWithoutANumberAreThoseOfTheOnlineCPUs() throws {
        let text = line([1], count: 11) + line([2], count: 11)
        let source = try CollectorUnderTest(
            "/net/softnet",
            files: ["proc/net/softnet_stat": text, "proc/stat": "cpu  1 2 3 4\ncpu0 1 2 3 4\ncpu5 1 2 3 4\n"])
        #expect(try source.sample().message["cpus"]?.ids == ["0", "5"])
        try source.root.write("cpu  1 2 3 4\ncpu0 1 2 3 4\n", to: "proc/stat")
        #expect(try source.sample(after: 1).message["cpus"]?.ids == ["0", "1"])
    }

    @Test func badLinesAndTheSameCPUAgainAreLeftOut() throws {
        let good = line([1, 2, 3, 4, 5, 6, 1], count: 13)
        let source = try CollectorUnderTest(
            "/net/softnet",
            files: ["proc/net/softnet_stat": "\n0000000g" + good + "1 2 3\n" + good + good + "0x1" + good + "\u{FF}\n"])
        let (sample, message) = try source.sample()
        #expect(message["cpus"]?.ids == ["1"] && sample.parseErrorCount == 5)
    }

    @Test(arguments: [2, 3])
    func noMoreRowsThanTheHostsOwnerWants(count: Int) throws {
        var settings = EntrySettings()
        settings.entryCountMax = 2
        let text = (0..<count).map { line([1, 2, 3, 4, 5, 6, UInt32($0)], count: 13) }.joined()
        let source = try CollectorUnderTest("/net/softnet", files: ["proc/net/softnet_stat": text], settings: settings)
        let sample = try source.sample().sample
        #expect(sample.entryCount == 2 && sample.suppressedCount == count - 2)
    }
}

struct NetConntrackTests {
    private static let heading =
        "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error"
        + "  expect_new expect_create expect_delete search_restart\n"

    private func source(_ statistics: String?) throws -> CollectorUnderTest {
        var files = [
            "proc/sys/net/netfilter/nf_conntrack_count": "300\n", "proc/sys/net/netfilter/nf_conntrack_max": "1200\n",
        ]
        files["proc/net/stat/nf_conntrack"] = statistics
        return try CollectorUnderTest("/net/conntrack", files: files)
    }

    @Test func theCountersOfAllCPUsAreSummed() throws {
        let source = try source(
            Self.heading
                + "0000012c  00000001 fffffff0 00000000 00000002 00000000 00000000 00000003 00000000 00000000 "
                + "00000004 00000005 00000006  00000000 00000007 00000008 00000009\n"
                + "0000012c  00000001 00000010 00000000 00000002 00000000 00000000 00000003 00000000 00000000 "
                + "00000004 00000005 00000006  00000000 00000007 00000008 00000009\n")
        var (sample, message) = try source.sample()
        #expect(sample.parseErrorCount == 0)
        #expect(message["entries"]?.number == 300 && message["limit"]?.number == 1_200)
        #expect(message["used_ratio"]?.number == 0.25 && message.isNaN("found_per_second"))
        let totals = [
            "clash_resolved": 2, "found": 0x1_0000_0000, "invalid": 4, "chain_too_long": 6, "insert": 0,
            "drop": 8, "early_drop": 10, "icmp_error": 12, "expect_create": 14, "expect_delete": 16,
            "search_restart": 18,
        ]
        for (name, total) in totals { #expect(message["\(name)_total"] == .unsigned(UInt64(total)), "\(name)") }
        try source.root.write(
            Self.heading
                + "0000012c  00000001 00000010 00000000 00000002 00000000 00000000 00000003 00000000 00000000 "
                + "00000024 00000005 00000006  00000000 00000007 00000008 00000009\n"
                + "0000012c  00000001 00000018 00000000 00000002 00000000 00000000 00000003 00000000 00000000 "
                + "00000004 00000005 00000006  00000000 00000007 00000008 00000009\n", to: "proc/net/stat/nf_conntrack")
        (sample, message) = try source.sample(after: 4)
        // The first wrapped: 32, and 8 of the second.
        #expect(message["found_per_second"]?.number == 10 && message["drop_per_second"]?.number == 8)
        #expect(message["invalid_per_second"]?.number == 0 && sample.resetCount == 0)
    }

    @Test func columnsAreFoundByName() throws {
        let source = try source("drop x found\n1 2 3\nzz 2 3\n4\n5 6 7 8\n")
        _ = try source.sample()
        let (sample, message) = try source.sample(after: 1)
        #expect(sample.parseErrorCount == 2)
        #expect(message["drop_total"] == .unsigned(6) && message["found_total"] == .unsigned(10))
        #expect(message["drop_per_second"]?.number == 0 && message.isNaN("insert_per_second"))
        try source.root.write("found\n9\n", to: "proc/net/stat/nf_conntrack")
        #expect(try source.sample(after: 1).message["found_total"] == .unsigned(9))
        #expect(try source.sample(after: 1).message.isNaN("drop_per_second"))
    }

    @Test func theTableIsToldOfWithoutItsStatistics() throws {
        let source = try source(nil)
        try source.root.write("0\n", to: "proc/sys/net/netfilter/nf_conntrack_max")
        let message = try source.sample().message
        #expect(message["entries"]?.number == 300 && message.isNaN("used_ratio") && message["limit"]?.number == 0)
        #expect(message.isNaN("drop_per_second") && message["drop_total"] == .unsigned(0))
        try source.root.write("-5\n", to: "proc/sys/net/netfilter/nf_conntrack_count")
        #expect(throws: CollectError.nothingUsable) { try source.sample(after: 1) }
    }

    @Test func withoutTheModuleThereIsNoChannel() throws {
        let source = try CollectorUnderTest("/net/conntrack", files: [:])
        #expect(throws: CollectError.open(errno: 2)) { try source.sample() }
    }
}

struct NetWirelessTests {
    private static let heading = """
        Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
         face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22

        """
    private static let line = " wlan0: 0000   35.  -75.  -256        0      1      2      3      4        5\n"

    @Test func qualityAndLossesAreTold() throws {
        let source = try CollectorUnderTest("/net/wireless", files: ["proc/net/wireless": Self.heading + Self.line])
        var (sample, message) = try source.sample()
        #expect(sample.parseErrorCount == 0 && message["interfaces"]?.ids == ["wlan0"])
        #expect(message["interfaces[0].link_ratio"]?.number == 0.5)
        #expect(message["interfaces[0].signal_dbm"]?.number == -75 && message.isNaN("interfaces[0].noise_dbm"))
        #expect(message["interfaces[0].discarded_misc_total"] == .unsigned(4))
        #expect(message.isNaN("interfaces[0].missed_beacons_per_second"))
        let other = "a:b: 00ff   80   50    -92.  -2147483648   1   2   4   4   15\n"
        try source.root.write(
            Self.heading + other + Self.line.replacing(" 5\n", with: " 15\n"), to: "proc/net/wireless")
        (sample, message) = try source.sample(after: 2)
        #expect(message["interfaces"]?.ids == ["wlan0", "a:b"])
        #expect(message["interfaces[0].missed_beacons_per_second"]?.number == 5)
        // Without dBm the best is 100.
        #expect(message["interfaces[1].link_ratio"]?.number == 0.8 && message.isNaN("interfaces[1].signal_dbm"))
        #expect(message["interfaces[1].noise_dbm"]?.number == -92 && message["interfaces[1].status"] == .unsigned(255))
        // 32 bits, printed with a sign.
        #expect(message["interfaces[1].discarded_network_id_total"] == .unsigned(2_147_483_648))
        // Gone for one sample: it begins anew.
        try source.root.write(Self.heading + other, to: "proc/net/wireless")
        #expect(try source.sample(after: 2).message["interfaces"]?.ids == ["a:b"])
        try source.root.write(Self.heading + Self.line, to: "proc/net/wireless")
        message = try source.sample(after: 2).message
        #expect(message["interfaces"]?.ids == ["wlan0"] && message.isNaN("interfaces[0].discarded_crypt_per_second"))
    }

    @Test func withoutAnInterfaceThereIsNoChannel() throws {
        let source = try CollectorUnderTest("/net/wireless", files: [:])
        #expect(throws: CollectError.open(errno: 2)) { try source.sample() }
        try source.root.write(Self.heading, to: "proc/net/wireless")
        #expect(throws: CollectError.open(errno: 19)) { try source.sample() }
        try source.root.write(Self.heading + Self.line, to: "proc/net/wireless")
        #expect(try source.sample().message["interfaces"]?.entries.count == 1)
    }

    @Test(arguments: [
        "wlan1 0000 1. 2. 3. 4 5 6 7 8 9", "wlan1: 0000 1. 2. 3. 4 5 6 7 8", "wlan1: 0000 1.5 2. 3. 4 5 6 7 8 9",
        "wlan1: 0x0 1. 2. 3. 4 5 6 7 8 9", "wlan1: 0000 1. 2. 3. 4 5 6 7 8 2147483648", ": 0000 1. 2. 3. 4 5 6 7 8 9",
        "wlan1: 0000 --1. 2. 3. 4 5 6 7 8 9", "wlan1: 0000 . 2. 3. 4 5 6 7 8 9", "wlan1: 0000 1.- 2. 3. 4 5 6 7 8 9",
        String(repeating: "w", count: 22) + ": 0000 1. 2. 3. 4 5 6 7 8 9", "wlan0: 0000 1. 2. 3. 4 5 6 7 8 9",
    ])
    func badLinesAreLeftOut(line: String) throws {
        let source = try CollectorUnderTest(
            "/net/wireless", files: ["proc/net/wireless": Self.heading + Self.line + line + "\n"])
        let (sample, message) = try source.sample()
        #expect(sample.parseErrorCount == 1 && message["interfaces"]?.ids == ["wlan0"])
    }

    @Test func theHostsOwnerChooses() throws {
        var settings = EntrySettings()
        settings.exclude = try Pattern("wlan0")
        let text = Self.heading + Self.line + Self.line.replacing("wlan0", with: "wlan1")
        let source = try CollectorUnderTest("/net/wireless", files: ["proc/net/wireless": text], settings: settings)
        #expect(try source.sample().message["interfaces"]?.ids == ["wlan1"])
        settings.exclude = nil
        settings.entryCountMax = 1
        let small = try CollectorUnderTest("/net/wireless", files: ["proc/net/wireless": text], settings: settings)
        #expect(try small.sample().sample.suppressedCount == 1)
    }
}

/// Whatever the bytes, every parser comes to an end and does not trap.
struct NetFuzzTests {
    @Test func randomBytesAreSurvived() {
        var random = SeededGenerator.announced()
        let seeds = [
            "Tcp: InSegs MaxConn InErrs\nTcp: 5 -1 6\n", "Udp: InDatagrams\nUdp: 9\n", "Udp6NoPorts \t5\n",
            "TCP: inuse 1 mem 5\n", "0000 1 2 3 4 5 6 7 8 9 a b c d e\n", "drop found\n0001 0002\n",
            "wlan0: 0000 35. -75. -256 0 1 2 3 4 5\n", "1.2.3.4 0x1 0x2 a:b * eth0\n",
        ]
        var pairs = PairedLines()
        var lines = ListedLines()
        var sockets = SocketStatistics()
        var conntrack = ConntrackStatistics()
        for _ in 0..<3_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                bytes += Array(seeds[Int.random(in: 0..<seeds.count, using: &random)].utf8)
            }
            for _ in 0..<Int.random(in: 0...20, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[index] = UInt8.random(in: 0...255, using: &random)
                } else {
                    bytes.insert([0x0A, 0x20, 0x3A, 0x2D][index % 4], at: index)
                }
            }
            let span = bytes.span
            var counters = ProtocolCounters()
            pairs.parse(span, into: &counters)
            lines.parse(span, into: &counters)
            sockets.removeAll()
            sockets.parse(span)
            conntrack.parse(span) { _, _ in }
            _ = SoftnetStatistics.forEach(in: span) { _ in }
            _ = WirelessStatistics.forEach(in: span) { _, _ in }
            _ = ARPTable.forEach(in: span) { _, _ in }
        }
    }
}
