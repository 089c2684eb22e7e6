import HostMetrics
import Testing

/// `/nfs`.
struct NFSTests {
    private func statistics(_ text: String) -> RPCStatistics {
        var statistics = RPCStatistics()
        statistics.parse(Array(text.utf8).span)
        return statistics
    }

    @Test(arguments: [
        ("proc3 3 1 2 3\n", [1, 2, 3], 0), ("proc3 2 1 2 3\n", [1, 2], 0), ("proc3 3 1 2\n", [1, 2], 1),
        ("proc3 3 1 x 3\n", [1], 1), ("proc3 x\n", [], 1), ("proc3\n", [], 1), ("proc3 0\n", [], 0),
        ("proc3 18446744073709551615 4", [4], 1), ("proc3 1 4\nproc3 1 5\n", [4], 0), ("proc33 1 4\n", [], 0),
        (" proc3 1 4", [4], 0), ("proc4ops 1 4\nproc3 1 9", [9], 0),
    ])
    func theFirstNumberTellsHowManyFollow(text: String, counters: [UInt64], errors: Int) {
        let statistics = statistics(text)
        #expect(statistics[.version3] == counters && statistics.parseErrorCount == errors)
        #expect(statistics[.version3, counters.count] == nil)
    }

    @Test func operationsAreBounded() {
        let many = (1...Limits.operationCountMax + 1).map(String.init).joined(separator: " ")
        #expect(
            statistics("proc4 \(Limits.operationCountMax + 1) \(many)\n")[.version4].count == Limits.operationCountMax)
        #expect(statistics("proc4 \(Limits.operationCountMax) \(many)\n")[.version4].count == Limits.operationCountMax)
        #expect(statistics("rpc 1 2 3 4 5\n")[.rpc] == [1, 2, 3])
        #expect(statistics("th 8 0 0.000\n")[.threads] == [8] && statistics("th 8 0 0.000\n").parseErrorCount == 0)
    }

    @Test func namesAreAsManyAsTheKernelsCounters() {
        #expect(NFSOperations.version2.count == 18 && NFSOperations.version3.count == 22)
        #expect(NFSOperations.version4Client.count == 69 && NFSOperations.version4ServerParts.count == 76)
        for names in [
            NFSOperations.version2, NFSOperations.version3, NFSOperations.version4Client,
            NFSOperations.version4ServerParts + NFSOperations.version4Server,
        ] {
            #expect(Set(names.map(\.description)).count == names.count)
        }
    }

    private func counts(_ count: Int, _ used: [Int: UInt64]) -> String {
        "\(count) " + (0..<count).map { String(used[$0] ?? 0) }.joined(separator: " ")
    }

    @Test func operationsHaveTheirNames() throws {
        let nfs = try CollectorUnderTest("/nfs")
        // Numbers by the protocols' texts: GETATTR, READ, COMMIT of version 3; ACCESS = 3, READ = 25, WRITE = 38,
        // SEQUENCE = 53, REMOVEXATTR = 75 of version 4.
        try nfs.root.write(
            """
            net 70 70 69 45
            rpc 500 3 7
            proc2 \(counts(18, [6: 5]))
            proc3 \(counts(22, [1: 10, 6: 20, 21: 30]))
            proc4 \(counts(70, [1: 40, 18: 41, 41: 42, 68: 43, 69: 44]))

            """, to: "proc/net/rpc/nfs")
        try nfs.root.write(
            """
            rc 1 6 18622
            fh 0 0 0 0 0
            io 157286400 4096
            th 8 0 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000 0.000
            net 972 55 917 1
            rpc 18628 2 1 1 0
            proc3 \(counts(22, [4: 1]))
            proc4 \(counts(2, [1: 10_853]))
            proc4ops \(counts(76, [3: 1, 25: 2, 38: 3, 53: 4, 75: 5]))
            wdeleg_getattr 16

            """, to: "proc/net/rpc/nfsd")
        let (sample, message) = try nfs.sample()
        #expect(sample.parseErrorCount == 0 && sample.entryCount == 18)
        let totals = (message["operations"]?.entries ?? []).map {
            "\($0["id"]?.text ?? "") \($0["calls_total"]?.number ?? -1)"
        }
        #expect(
            totals == [
                "client.v2.read 5.0", "client.v3.getattr 10.0", "client.v3.read 20.0", "client.v3.commit 30.0",
                "client.v4.read 40.0", "client.v4.getattr 41.0", "client.v4.sequence 42.0", "client.v4.read_plus 43.0",
                "client.v4.op69 44.0", "server.v3.access 1.0", "server.v4.compound 10853.0", "server.v4.access 1.0",
                "server.v4.read 2.0", "server.v4.write 3.0", "server.v4.sequence 4.0", "server.v4.removexattr 5.0",
            ])
        #expect(message["client.calls_total"] == .unsigned(500))
        #expect(message["client.retransmissions_total"] == .unsigned(3))
        #expect(message["client.authentication_refreshes_total"] == .unsigned(7))
        #expect(message["server.calls_total"] == .unsigned(18_628) && message["server.bad_calls_total"] == .unsigned(2))
        #expect(message["server.read_bytes_total"] == .unsigned(157_286_400))
        #expect(message["server.write_bytes_total"] == .unsigned(4_096))
        #expect(message["server.threads"] == .unsigned(8))
        #expect(message["server.reply_cache_hits_total"] == .unsigned(1))
        #expect(message["server.reply_cache_misses_total"] == .unsigned(6))
        #expect(message["server.reply_cache_bypasses_total"] == .unsigned(18_622))
    }

    @Test func callsBecomeRatesAndWrapAt32Bits() throws {
        let nfs = try CollectorUnderTest("/nfs")
        func write(_ calls: UInt64, _ retransmissions: UInt64, reads: UInt64, lookups: UInt64) throws {
            try nfs.root.write(
                "rpc \(calls) \(retransmissions) 0\nproc3 \(counts(22, [3: lookups, 6: reads]))\n",
                to: "proc/net/rpc/nfs")
        }
        try write(4_294_967_290, 10, reads: 4_294_967_295, lookups: 0)
        let first = try nfs.sample().message
        #expect(first["client.calls_per_second"]?.isNaN == true && first.ids("operations") == ["client.v3.read"])
        #expect(first["server"] == .absent)
        try write(14, 15, reads: 9, lookups: 6)
        let (sample, message) = try nfs.sample(after: 2)
        #expect(sample.resetCount == 0 && message["client.calls_per_second"]?.number == 10)
        #expect(message["client.retransmissions_per_second"]?.number == 2.5)
        #expect(message["client.retransmissions_ratio"]?.number == 0.25)
        #expect(message.ids("operations") == ["client.v3.lookup", "client.v3.read"])
        #expect(message["operations[0].calls_per_second"]?.number == 3)
        #expect(message["operations[1].calls_per_second"]?.number == 5)
        try write(14, 15, reads: 9, lookups: 6)
        #expect(try nfs.sample().message["client.retransmissions_ratio"]?.isNaN == true)
    }

    @Test func theOtherSideMayComeLater() throws {
        let nfs = try CollectorUnderTest("/nfs")
        #expect(throws: CollectError.open(errno: 2)) { try nfs.sample() }
        try nfs.root.write("rpc 5 0 0 0 0\nio 7 8\n", to: "proc/net/rpc/nfsd")
        let first = try nfs.sample().message
        #expect(first["client"] == .absent && first["server.calls_total"] == .unsigned(5))
        try nfs.root.write("rpc 6 0 0\n", to: "proc/net/rpc/nfs")
        #expect(try nfs.sample().message["client.calls_total"] == .unsigned(6))
        try nfs.root.write("garbage\n", to: "proc/net/rpc/nfs")
        try nfs.root.write("", to: "proc/net/rpc/nfsd")
        #expect(throws: CollectError.nothingUsable) { try nfs.sample() }
    }

    @Test func operationsAreChosenAndBoundedByTheOwner() throws {
        var settings = EntrySettings()
        settings.exclude = try Pattern("client\\.v3\\.getattr")
        settings.entryCountMax = 1
        let nfs = try CollectorUnderTest("/nfs", settings: settings)
        try nfs.root.write("rpc 5 0 0\nproc3 \(counts(22, [1: 1, 6: 1, 7: 1]))\n", to: "proc/net/rpc/nfs")
        let (sample, message) = try nfs.sample()
        #expect(message.ids("operations") == ["client.v3.read"] && sample.suppressedCount == 1)
    }
}
