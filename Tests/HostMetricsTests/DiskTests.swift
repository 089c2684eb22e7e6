import HostMetrics
import Testing

struct DiskTests {
    private func counters(_ text: String) -> (counters: DiskCounters?, errors: Int) {
        let bytes = Array(text.utf8)
        var cursor = ByteCursor(bytes.span)
        var errors = 0
        let counters = DiskCounters(parsing: &cursor, parseErrorCount: &errors)
        return (counters, errors)
    }

    private func table(_ texts: String..., settings: EntrySettings = EntrySettings()) -> DiskTable {
        var table = DiskTable(DiskSelection(settings))
        for text in texts { table.parse(Array(text.utf8).span) }
        return table
    }

    private func names(_ table: DiskTable) -> [String] {
        table.entries.map { String(decoding: $0.name, as: UTF8.self) }
    }

    // MARK: Lines

    @Test(arguments: [
        (" 1 2 3 4 5 6 7 8 9 10 11", true, false, false, 0), ("1 2 3 4 5 6 7 8 9 10", false, false, false, 1),
        ("", false, false, false, 1), ("1 2 3 4", false, false, false, 1),
        ("1 2 3 4 5 6 7 8 9 10 11 12 13 14", true, false, false, 0),
        ("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", true, true, false, 0),
        ("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", true, true, false, 0),
        ("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", true, true, true, 0),
        ("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x", true, true, true, 0),
        ("1 2 3 4 5 6 7 8 9 10 11 12 x 14 15 16 17", true, false, true, 1),
        ("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 -1", true, true, false, 1),
        ("1 2 3 4 5 6 7 8 9 x 11 12 13 14 15 16 17", false, true, true, 1),
        ("1 18446744073709551616 3 4 5 6 7 8 9 10 11", false, false, false, 1),
        ("1 2 3 4 5 6 7 8 -1 10 11", true, false, false, 0),
    ])
    func aLineNeedsElevenNumbers(text: String, isValid: Bool, discards: Bool, flushes: Bool, errors: Int) {
        let (counters, found) = counters(text)
        #expect((counters != nil) == isValid && found == errors)
        guard let counters else { return }
        #expect(counters.hasDiscards == discards && counters.hasFlushes == flushes)
        #expect(counters[.reads] == 1 && counters[.weightedMilliseconds] == 11)
        if flushes { #expect(counters[.flushMilliseconds] == 17) }
    }

    @Test(
        arguments: [
            ("0", 0), ("2147483647", 2_147_483_647), ("2147483648", 0), ("4294967295", 0), ("-1", 0), ("x", 0),
            ("18446744073709551615", 0),
        ] as [(String, UInt64)])
    func requestsUnderWayAreNoneWhereTheNumberIsImplausible(text: String, count: UInt64) {
        #expect(counters("1 2 3 4 5 6 7 8 \(text) 10 11").counters?[.inFlight] == count)
    }

    // MARK: Selection

    @Test(arguments: [
        "ram0", "ram15", "loop7", "fd0", "zram1", "sda1", "sdaa12", "hdb3", "vda1", "xvdf2", "nvme0n1p1", "nvme10n2p33",
        "mmcblk0p2", "mmcblk0boot0", "mmcblk0rpmb", "mmcblk1gp3",
    ])
    func partsAndCopiesAreLeftOutByDefault(name: String) {
        let isLeftOut = DiskSelection.isLeftOutByDefault(Array(name.utf8).span)
        #expect(isLeftOut)
    }

    @Test(arguments: [
        "sda", "sdaa", "hda", "vda", "xvda", "nvme0n1", "mmcblk0", "dm-0", "md127", "sr0", "nbd0", "ram", "loop",
        "loopa",
        "ram0x", "sd1", "SDA1", "sda1x", "nvme0n1p", "nvmen1p1", "nvme0p1", "mmcblkp1", "mmcblk0p", "cciss!c0d0",
        "zram",
        "xsda1", "",
    ])
    func wholeDevicesArePublished(name: String) {
        let isLeftOut = DiskSelection.isLeftOutByDefault(Array(name.utf8).span)
        #expect(!isLeftOut)
    }

    @Test func theOwnersPatternsComeOnTop() throws {
        func admitted(include: String? = nil, exclude: String? = nil) throws -> [String] {
            var settings = EntrySettings()
            settings.include = try include.map { try Pattern($0) }
            settings.exclude = try exclude.map { try Pattern($0) }
            var selection = DiskSelection(settings)
            return ["sda", "sda1", "sdb", "sdb1", "loop0"].filter { selection.admits(Array($0.utf8).span) }
        }
        #expect(try admitted() == ["sda", "sdb"])
        #expect(try admitted(exclude: "sdb.*") == ["sda"])
        #expect(try admitted(include: "sda.*|loop0") == ["sda", "sda1", "loop0"])
        #expect(try admitted(include: ".*", exclude: "loop[0-9]+|sdb") == ["sda", "sda1", "sdb1"])
    }

    // MARK: Table

    private func line(_ name: String, _ numbers: String = "8 0", reads: Int = 1) -> String {
        "   \(numbers) \(name) \(reads) 2 3 4 5 6 7 8 9 10 11\n"
    }

    @Test func devicesKeepTheirIdentityUntilTheyVanish() {
        let settings = EntrySettings()
        var table = DiskTable(DiskSelection(settings))
        func parse(_ text: String) -> [String: UInt64] {
            table.parse(Array(text.utf8).span)
            #expect(Set(table.entries.map(\.identity)).count == table.entries.count)
            return Dictionary(uniqueKeysWithValues: zip(names(table), table.entries.map(\.identity)))
        }
        let first = parse(line("sda") + line("sda1") + line("sdb", "8 16"))
        #expect(names(table) == ["sda", "sda1", "sdb"] && table.notes.isEmpty)
        let generation = table.generation
        #expect(parse(line("sda") + line("sda1") + line("sdb", "8 16")) == first)
        #expect(table.generation == generation && table.notes.isEmpty)

        let moved = parse(line("sdb", "8 16") + line("sdc", "8 32") + line("sda"))
        #expect(names(table) == ["sdb", "sdc", "sda"] && table.generation > generation)
        #expect(moved["sda"] == first["sda"] && moved["sdb"] == first["sdb"])
        #expect(table.notes.map(\.text) == ["sdc appeared"])

        let without = parse(line("sdb", "8 16") + line("sdc", "8 32"))
        #expect(without["sdb"] == first["sdb"] && table.notes.map(\.text) == ["sda vanished"])
        let again = parse(line("sda") + line("sdb", "8 48"))
        #expect(again["sda"] != first["sda"] && again["sdb"] != first["sdb"])
        #expect(table.notes.map(\.text) == ["sda appeared", "sdb was replaced by another device", "sdc vanished"])
        _ = parse(line("sda") + line("sdb", "8 48"))
        #expect(table.notes.isEmpty)
    }

    @Test(arguments: [
        ("x 0 sdc 1 2 3 4 5 6 7 8 9 10 11", 1), ("8 4294967296 sdc 1 2 3 4 5 6 7 8 9 10 11", 1), ("8", 1), ("8 0", 1),
        ("8 0 sdc", 1), ("8 0 sdc1 1 2 3 4", 0), ("8 0 sdc1", 0), ("\n", 0), ("garbage", 1), ("8 0 sdc -1 2 3", 1),
        ("8 0 sda 100 2 3 4 5 6 7 8 9 10 11", 0),
    ])
    func aBadLineLosesOnlyItself(text: String, errors: Int) {
        let table = table(line("sda") + "\(text)\n" + line("sdb", "8 16"))
        let published = table.entries.filter(\.isPublished)
        #expect(published.map(\.name) == [Array("sda".utf8), Array("sdb".utf8)])
        #expect(table.parseErrorCount == errors && published.first?.counters?[.reads] == 1)
        #expect(self.table(line("sda"), text + "\n" + line("sda")).notes.isEmpty)
    }

    @Test(arguments: [(Limits.diskNameByteCountMax, 1), (Limits.diskNameByteCountMax + 1, 0)])
    func namesAreBounded(byteCount: Int, devices: Int) {
        let table = table(line(String(repeating: "d", count: byteCount)))
        #expect(table.entries.count == devices && table.parseErrorCount == 1 - devices)
    }

    @Test func devicesAreBounded() {
        let text = (0...Limits.diskCountMax).map { line("dm-\($0)") }.joined()
        for table in [table(text), table(text, text)] {
            #expect(table.entries.count == Limits.diskCountMax && table.excessCount == 1)
            #expect(table.notes.isEmpty)
        }
        let full = (0..<Limits.diskCountMax).map { line("dm-\($0)") }.joined()
        #expect(table(full).excessCount == 0)
    }

    // MARK: The channel

    private static let before = "8 0 sda 100 10 2000 400 50 5 800 600 2 3000 9000 7 1 64 30 4 20\n"

    @Test func countersBecomeRatesAndMeans() throws {
        let disk = try CollectorUnderTest("/disk")
        try disk.root.write(Self.before, to: "proc/diskstats")
        let first = try disk.sample().message
        #expect(first["devices[0].reads_per_second"]?.isNaN == true)
        #expect(first["devices[0].read_await_seconds"]?.isNaN == true)
        #expect(first["devices[0].utilization_ratio"]?.isNaN == true && first["devices[0].in_flight"] == .unsigned(2))
        try disk.root.write(
            "8 0 sda 140 14 2400 600 50 5 800 600 1 4000 12000 9 1 128 50 10 50\n", to: "proc/diskstats")
        let (sample, message) = try disk.sample(after: 2)
        #expect(sample.intervalSeconds == 2 && sample.entryCount == 1 && sample.notes.isEmpty)
        let expected: [String: Double] = [
            "reads_per_second": 20, "reads_merged_per_second": 2, "read_bytes_per_second": 102_400,
            "read_await_seconds": 0.005, "writes_per_second": 0, "writes_merged_per_second": 0,
            "write_bytes_per_second": 0, "write_await_seconds": .nan, "utilization_ratio": 0.5,
            "queue_depth_average": 1.5, "discards_per_second": 1, "discard_bytes_per_second": 16_384,
            "discard_await_seconds": 0.01, "flushes_per_second": 3, "flush_await_seconds": 0.005, "in_flight": 1,
            "reads_total": 140, "reads_merged_total": 14, "read_bytes_total": 1_228_800, "read_seconds_total": 0.6,
            "writes_total": 50, "writes_merged_total": 5, "write_bytes_total": 409_600, "write_seconds_total": 0.6,
            "io_seconds_total": 4, "weighted_io_seconds_total": 12, "discards_total": 9,
            "discard_bytes_total": 65_536, "flushes_total": 10, "major": 8, "minor": 0,
        ]
        for (field, value) in expected {
            let found = try #require(message["devices[0].\(field)"]?.number)
            #expect(value.isNaN ? found.isNaN : abs(found - value) < 1e-12 * max(1, value), "\(field): \(found)")
        }
    }

    /// What becomes of a device whose counters fell: of reads, the time of reads, and the time with requests.
    @Test(
        arguments: [
            // A basic counter: the device is another one.
            ("x86_64", "99 10 2000 500 50 5 800 600 2 3100 9000", [nil, nil, nil]),
            ("armv7l", "99 10 2000 500 50 5 800 600 2 3100 9000", [nil, nil, nil]),
            // A time: only what depends on it.
            ("x86_64", "110 10 2000 399 50 5 800 600 2 3100 9000", [10, nil, 0.1]),
            ("x86_64", "110 10 2000 410 50 5 800 600 2 2999 9000", [10, 0.001, nil]),
        ] as [(String, String, [Double?])])
    func whatFellIsNotKnown(machine: String, numbers: String, expected: [Double?]) throws {
        let disk = try CollectorUnderTest("/disk", machine: machine)
        try disk.root.write(Self.before, to: "proc/diskstats")
        _ = try disk.sample()
        try disk.root.write("8 0 sda \(numbers)\n", to: "proc/diskstats")
        let (sample, message) = try disk.sample()
        #expect(sample.resetCount == 1)
        for (field, value) in zip(["reads_per_second", "read_await_seconds", "utilization_ratio"], expected) {
            let found = try #require(message["devices[0].\(field)"]?.number)
            #expect(value.map { abs(found - $0) < 1e-12 } ?? found.isNaN, "\(field): \(found)")
        }
        // One sample later all is well.
        try disk.root.write("8 0 sda 200 10 4000 5000 50 5 800 600 2 4000 9900\n", to: "proc/diskstats")
        let later = try disk.sample().message
        #expect(later["devices[0].reads_per_second"]?.isNaN == false)
        #expect(later["devices[0].read_await_seconds"]?.isNaN == false)
        #expect(later["devices[0].utilization_ratio"]?.isNaN == false)
    }

    @Test(arguments: ["x86_64", "armv7l"])
    func timesWrapAt32BitsOnEveryKernelOthersWithTheWord(machine: String) throws {
        let disk = try CollectorUnderTest("/disk", machine: machine)
        let last = UInt64(UInt32.max)
        func write(_ reads: UInt64, _ milliseconds: UInt64) throws {
            try disk.root.write(
                """
                8 0 sda 5 0 0 \(milliseconds) 0 0 0 0 0 \(milliseconds) \(milliseconds)
                8 16 sdb \(reads) 0 0 0 0 0 0 0 0 0 0

                """, to: "proc/diskstats")
        }
        try write(last, last)
        _ = try disk.sample()
        try write(1, 499)
        let message = try disk.sample().message
        #expect(message["devices[0].utilization_ratio"]?.number == 0.5)
        #expect(message["devices[0].queue_depth_average"]?.number == 0.5)
        let reads = try #require(message["devices[1].reads_per_second"]?.number)
        #expect(machine == "armv7l" ? reads == 2 : reads.isNaN)
        #expect(message["devices[1].discards_per_second"]?.isNaN == true)
    }

    @Test func utilizationIsAtMostOne() throws {
        let disk = try CollectorUnderTest("/disk")
        try disk.root.write("8 0 sda 1 0 0 0 0 0 0 0 0 0 0\n", to: "proc/diskstats")
        _ = try disk.sample()
        try disk.root.write("8 0 sda 1 0 0 0 0 0 0 0 0 1004 0\n", to: "proc/diskstats")
        #expect(try disk.sample().message["devices[0].utilization_ratio"]?.number == 1)
    }

    @Test func devicesComeAndGo() throws {
        let disk = try CollectorUnderTest("/disk")
        func sample(_ names: String...) throws -> (Sample, [String], [Bool]) {
            try disk.root.write(names.map { line($0) }.joined(), to: "proc/diskstats")
            let (sample, message) = try disk.sample()
            let entries = message["devices"]?.entries ?? []
            return (sample, message.ids("devices"), entries.map { $0["reads_per_second"]?.isNaN == false })
        }
        _ = try sample("sda", "sda1", "sdb")
        #expect(try sample("sda", "sda1", "sdb").2 == [true, true])
        let gone = try sample("sda", "sda1")
        #expect(gone.1 == ["sda"] && gone.0.notes == [Note(.info, "sdb vanished")])
        let back = try sample("sdb", "sda", "sda1")
        #expect(back.1 == ["sdb", "sda"] && back.2 == [false, true] && back.0.notes == [Note(.info, "sdb appeared")])
        #expect(try sample("sdb", "sda", "sda1").2 == [true, true])
    }

    @Test(arguments: [Limits.noteCountMax, Limits.noteCountMax + 1])
    func manyDevicesThatComeAtOnceAreToldTogether(count: Int) throws {
        let disk = try CollectorUnderTest("/disk", files: ["proc/diskstats": line("sda")])
        try disk.sample()
        try disk.write(line("sda") + (0..<count).map { line("dm-\($0)", "253 \($0)") }.joined(), to: "proc/diskstats")
        let notes = try disk.sample().sample.notes
        #expect(notes.count == Limits.noteCountMax)
        let last = count > Limits.noteCountMax ? "2 more changes" : "dm-\(count - 1) appeared"
        #expect(notes.last == Note(.info, last))
        #expect(try disk.sample().sample.notes.isEmpty)
    }

    @Test func ofManyDevicesTheFirstArePublished() throws {
        var settings = EntrySettings()
        settings.entryCountMax = 2
        let disk = try CollectorUnderTest("/disk", settings: settings)
        try disk.root.write(line("sda") + line("sdb") + line("sdc"), to: "proc/diskstats")
        let (sample, message) = try disk.sample()
        #expect(message.ids("devices") == ["sda", "sdb"] && sample.suppressedCount == 1 && sample.entryCount == 2)
    }

    @Test func withoutAPublishedDeviceThereIsNothing() throws {
        let disk = try CollectorUnderTest("/disk")
        #expect(throws: CollectError.open(errno: 2)) { try disk.sample() }
        for text in ["", "garbage\n", line("loop0")] {
            try disk.root.write(text, to: "proc/diskstats")
            #expect(throws: CollectError.nothingUsable) { try disk.sample() }
        }
        try disk.root.write(line("it's \"x\"".replacing(" ", with: "_")), to: "proc/diskstats")
        #expect(try disk.sample().message.ids("devices") == ["it's_'x'"])
    }
}
