import HostMetrics
import Testing

/// What servers have: `/fds`, `/edac`, `/zfs`, `/nfs`, `/hung_tasks`.
struct ServerSourcesTests {
    private func number(_ message: WireValue, _ path: String) throws -> Double {
        try #require(message[path]?.number, "\(path)")
    }

    // MARK: Open files

    @Test(arguments: [
        ("636\t0\t2466170\n", 636, 2_466_170, 636.0 / 2_466_170),
        ("0\t0\t9223372036854775807\n", 0, 9_223_372_036_854_775_808, 0), ("5\t0\t0\n", 5, 0, .nan),
    ])
    func openFilesAreAShareOfTheirMaximum(text: String, allocated: Double, maximum: Double, ratio: Double) throws {
        let files = try CollectorUnderTest("/fds")
        #expect(throws: CollectError.open(errno: 2)) { try files.sample() }
        try files.root.write(text, to: "proc/sys/fs/file-nr")
        let message = try files.sample().message
        #expect(try number(message, "allocated") == allocated && number(message, "maximum") == maximum)
        let found = try number(message, "allocated_ratio")
        #expect(ratio.isNaN ? found.isNaN : found == ratio)
    }

    @Test(arguments: ["", "5\n", "5 0\n", "5 0 x\n", "-5 0 7\n"])
    func badCountsOfOpenFilesAreNothing(text: String) throws {
        let files = try CollectorUnderTest("/fds")
        try files.root.write(text, to: "proc/sys/fs/file-nr")
        #expect(throws: CollectError.nothingUsable) { try files.sample() }
    }

    // MARK: Tasks that hang

    @Test func tasksThatHangAreCounted() throws {
        let tasks = try CollectorUnderTest("/hung_tasks")
        #expect(throws: CollectError.open(errno: 2)) { try tasks.sample() }
        var rates: [Double] = []
        for count in [3, 5, 0, 1] {
            try tasks.root.write("\(count)\n", to: "proc/sys/kernel/hung_task_detect_count")
            let (sample, message) = try tasks.sample(after: 10)
            #expect(message["detected_total"] == .unsigned(UInt64(count)) && sample.resetCount == (count == 0 ? 1 : 0))
            rates.append(try number(message, "detected_per_second"))
        }
        #expect(rates[0].isNaN && rates[1] == 0.2 && rates[2].isNaN && rates[3] == 0.1)
        try tasks.root.write("x\n", to: "proc/sys/kernel/hung_task_detect_count")
        #expect(throws: CollectError.nothingUsable) { try tasks.sample() }
    }

    // MARK: Memory errors

    private func writeMemory(_ host: CollectorUnderTest, _ folder: String, _ files: [String: String]) throws {
        for (name, text) in files {
            try host.root.write(text + "\n", to: "sys/devices/system/edac/mc/\(folder)/\(name)")
        }
    }

    private func memoryHost(settings: EntrySettings = EntrySettings()) throws -> CollectorUnderTest {
        let host = try CollectorUnderTest("/edac", settings: settings)
        try writeMemory(
            host, "mc0",
            [
                "ce_count": "7", "ue_count": "1", "ce_noinfo_count": "2", "ue_noinfo_count": "0",
                "mc_name": "skx_edac", "size_mb": "65536",
            ])
        try writeMemory(host, "mc0/dimm10", ["dimm_ce_count": "0", "dimm_ue_count": "0", "size": "32768"])
        try writeMemory(
            host, "mc0/dimm2",
            ["dimm_ce_count": "5", "dimm_ue_count": "1", "size": "32768", "dimm_label": "CPU0_DIMM_A1"])
        try writeMemory(
            host, "mc0/csrow0",
            ["ce_count": "5", "ue_count": "1", "size_mb": "65536", "ch0_dimm_label": "slot 0"])
        try writeMemory(host, "mc1", ["ce_count": "0", "ue_count": "0"])
        try writeMemory(host, "mc1/rank0", ["dimm_ce_count": "0", "dimm_ue_count": "0"])
        try writeMemory(host, "power", ["ce_count": "9", "ue_count": "9"])
        try writeMemory(host, "mc", ["ce_count": "9", "ue_count": "9"])
        return host
    }

    @Test func memoryErrorsAreToldByPlace() throws {
        let host = try memoryHost()
        let first = try host.sample().message
        #expect(first.ids("controllers") == ["mc0", "mc1"])
        #expect(first.ids("memory_rows") == ["mc0/csrow0", "mc0/dimm2", "mc0/dimm10", "mc1/rank0"])
        #expect(first["controllers[0].name"]?.text == "skx_edac" && first["controllers[1].name"]?.text == "")
        #expect(try number(first, "controllers[0].size_bytes") == 68_719_476_736)
        #expect(try number(first, "controllers[1].size_bytes").isNaN)
        #expect(first["controllers[0].correctable_errors_total"] == .unsigned(7))
        #expect(first["controllers[0].uncorrectable_errors_total"] == .unsigned(1))
        #expect(first["controllers[0].correctable_errors_without_place_total"] == .unsigned(2))
        #expect(first["memory_rows[0].label"]?.text == "slot 0")
        #expect(first["memory_rows[1].label"]?.text == "CPU0_DIMM_A1" && first["memory_rows[2].label"]?.text == "")
        #expect(try number(first, "memory_rows[1].size_bytes") == 34_359_738_368)
        #expect(try number(first, "memory_rows[1].correctable_errors_per_second").isNaN)

        try writeMemory(host, "mc0", ["ce_count": "9"])
        try writeMemory(host, "mc0/dimm2", ["dimm_ce_count": "7"])
        let second = try host.sample(after: 4)
        #expect(try number(second.message, "controllers[0].correctable_errors_per_second") == 0.5)
        #expect(try number(second.message, "controllers[0].uncorrectable_errors_per_second") == 0)
        #expect(try number(second.message, "memory_rows[1].correctable_errors_per_second") == 0.5)
        #expect(second.sample.entryCount == 6 && second.sample.intervalSeconds == 4)
    }

    @Test func memoryMayComeAndGo() throws {
        let host = try memoryHost()
        _ = try host.sample()
        try host.root.remove("sys/devices/system/edac/mc/mc1/ce_count")
        try writeMemory(host, "mc2", ["ce_count": "3", "ue_count": "0"])
        // What is gone is left out at once; what is new is found within ten seconds.
        #expect(try host.sample(after: 5).message.ids("controllers") == ["mc0"])
        let message = try host.sample(after: 5).message
        #expect(message.ids("controllers") == ["mc0", "mc2"])
        #expect(try number(message, "controllers[1].correctable_errors_per_second").isNaN)
        #expect(try number(message, "controllers[0].correctable_errors_per_second") == 0)
    }

    @Test func memoryMayBeNamedLaterAndAddedToAController() throws {
        let host = try memoryHost()
        _ = try host.sample()
        try writeMemory(host, "mc0/dimm2", ["dimm_label": "CPU0_DIMM_B1", "size": "16384"])
        try writeMemory(host, "mc0/dimm10", ["dimm_label": "CPU0_DIMM_C1"])
        try host.root.remove("sys/devices/system/edac/mc/mc0/csrow0/ch0_dimm_label")
        let named = try host.sample(after: 10).message
        #expect(named["memory_rows"]?.entries.map { $0["label"]?.text } == ["", "CPU0_DIMM_B1", "CPU0_DIMM_C1", ""])
        #expect(try number(named, "memory_rows[1].size_bytes") == 17_179_869_184)
        try writeMemory(host, "mc1/rank1", ["dimm_ce_count": "0", "dimm_ue_count": "0"])
        let added = try host.sample(after: 10).message
        #expect(added.ids("memory_rows") == ["mc0/csrow0", "mc0/dimm2", "mc0/dimm10", "mc1/rank0", "mc1/rank1"])
        try host.root.remove(folder: "sys/devices/system/edac")
        #expect(throws: CollectError.open(errno: 2)) { try host.sample(after: 10) }
    }

    @Test func aHostWithoutControllersHasNoChannel() throws {
        let host = try CollectorUnderTest("/edac")
        #expect(throws: CollectError.open(errno: 2)) { try host.sample() }
        try writeMemory(host, "power", ["ce_count": "9"])
        #expect(throws: CollectError.open(errno: 2)) { try host.sample() }
    }

    @Test func memoryRowsAreChosenAndBounded() throws {
        var settings = EntrySettings()
        settings.include = try Pattern("mc0(/dimm.*)?")
        settings.entryCountMax = 1
        let (sample, message) = try memoryHost(settings: settings).sample()
        #expect(message.ids("controllers") == ["mc0"] && message.ids("memory_rows") == ["mc0/dimm2"])
        #expect(sample.suppressedCount == 1)
    }

    @Test(arguments: [(Limits.memoryNodeCountMax, 0), (Limits.memoryNodeCountMax + 1, 1)])
    func memoryNodesAreBounded(count: Int, excess: Int) throws {
        let root = try TemporaryDirectory()
        for number in 0..<count { try root.write("0\n", to: "sys/devices/system/edac/mc/mc\(number)/ce_count") }
        let controllers = try MemoryControllers(sysfs: root.path + "/sys")
        #expect(controllers.nodes.count == count - excess && controllers.excessCount == excess)
    }

    // MARK: ZFS

    private func arcstats(_ lines: String) -> String {
        "13 1 0x01 123 33456 1234567 2345678\nname                            type data\n" + lines
    }

    @Test func theCacheOfZFSHasSizesRatesAndRatios() throws {
        let cache = try CollectorUnderTest("/zfs")
        #expect(throws: CollectError.open(errno: 2)) { try cache.sample() }
        try cache.root.write(
            arcstats(
                """
                hits                            4    1000
                iohits                          4    10
                misses                          4    500
                deleted                         4    7
                mru_size                        4    600
                mfu_size                        4    300
                size                            4    1024
                c                               4    2048
                c_min                           4    512
                c_max                           4    4096
                l2_hits                         4    0
                l2_misses                       4    500
                l2_cksum_bad                    4    2
                l2_io_error                     4    3
                memory_available_bytes          3    -5

                """), to: "proc/spl/kstat/zfs/arcstats")
        let first = try cache.sample()
        #expect(first.sample.parseErrorCount == 0)
        #expect(try number(first.message, "size_bytes") == 1_024 && number(first.message, "size_ratio") == 0.25)
        #expect(try number(first.message, "target_bytes") == 2_048 && number(first.message, "recent_bytes") == 600)
        #expect(try number(first.message, "hit_ratio").isNaN && number(first.message, "compressed_bytes").isNaN)
        #expect(first.message["l2_errors_total"] == .unsigned(5) && first.message["hits_total"] == .unsigned(1_000))
        try cache.root.write(
            arcstats(
                """
                hits                            4    1060
                iohits                          4    30
                misses                          4    520
                deleted                         4    9
                size                            4    9000
                c_max                           4    0
                l2_hits                         4    0
                l2_misses                       4    500

                """), to: "proc/spl/kstat/zfs/arcstats")
        let message = try cache.sample(after: 2).message
        #expect(try number(message, "hits_per_second") == 30 && number(message, "misses_per_second") == 10)
        #expect(try number(message, "hit_ratio") == 0.6 && number(message, "evicted_per_second") == 1)
        #expect(try number(message, "size_ratio").isNaN && number(message, "l2_hit_ratio").isNaN)
        #expect(try number(message, "l2_misses_per_second") == 0 && number(message, "l2_read_bytes_per_second").isNaN)
        #expect(message["throttles_total"] == .unsigned(0))
    }

    @Test func olderModulesOfZFSHaveNoJoinedLookups() throws {
        let cache = try CollectorUnderTest("/zfs")
        try cache.root.write(arcstats("hits 4 0\nmisses 4 0\n"), to: "proc/spl/kstat/zfs/arcstats")
        _ = try cache.sample()
        try cache.root.write(arcstats("hits 4 3\nmisses 4 1\n"), to: "proc/spl/kstat/zfs/arcstats")
        let message = try cache.sample().message
        #expect(try number(message, "hit_ratio") == 0.75 && number(message, "io_hits_per_second").isNaN)
    }
}
