import HostMetrics
import Testing

/// `/memory/paging` and `/pressure`.
struct MemoryPressureTests {
    private func numbers(_ names: [StaticString], columnCount: Int = 2, _ texts: String...) -> NamedNumbers {
        var numbers = NamedNumbers(names, columnCount: columnCount)
        for text in texts { numbers.parse(Array(text.utf8).span) }
        return numbers
    }

    // MARK: Numbers behind names

    @Test(
        arguments: [
            ("pgfault 7\n", 7, 0), ("pgfault 7", 7, 0), ("  pgfault\t7 \n", 7, 0), ("pgfault_x 7\n", nil, 0),
            ("xpgfault 7\n", nil, 0), ("pgfault\n", nil, 1), ("pgfault", nil, 1), ("pgfault -7\n", nil, 1),
            ("pgfault 7 8\n", nil, 1), ("pgfault 18446744073709551615\n", .max, 0),
            ("pgfault 18446744073709551616\n", nil, 1), ("pgfault x\npgfault 9\n", 9, 1),
            ("pgfault 8\npgfault 9\n", 8, 0),
            ("", nil, 0), ("\n\n", nil, 0),
        ] as [(String, UInt64?, Int)])
    func aNamedNumberIsAllThatFollowsItsName(text: String, value: UInt64?, errors: Int) {
        for texts in [[text], ["pgfault 1\n", text], [text, text]] {
            var numbers = NamedNumbers(["pgfault"])
            for text in texts { numbers.parse(Array(text.utf8).span) }
            #expect(numbers[0] == value && numbers.parseErrorCount == errors && numbers.isEmpty == (value == nil))
        }
    }

    /// The first text is learned; so is the second, where it differs.
    @Test(
        arguments: [
            ("a 1\nb 2\nc 3\nd 4\n", "a 1\nb 20000\nc 3\nd 40\n", 20_000, 40), ("b 2\nd 4\n", "d 40\nb 20\n", 20, 40),
            ("a 1\nb 2\nd 4\n", "x 1\na 1\nb 20\nd 40\n", 20, 40), ("b 2\nd 4\n", "b 20\nd 40\ne 5", 20, 40),
            ("b 2\nd 4\ne 5\n", "b 20\nd 40", 20, 40), ("b 2\nd 4\n", "b 20\n", 20, nil),
            ("b 2\nd 4\n", "b 20\nx 40\n", 20, nil), ("b 2\nx 4\n", "b 20\nd 40\n", 20, 40),
            ("b 2\nd 4\n", "b x\nd 40\n", nil, 40), ("b 2\nd x\n", "b 20\nd 40\n", 20, 40),
            ("b 2\nd 4\n", "", nil, nil), ("", "b 20\nd 40\n", 20, 40),
        ] as [(String, String, UInt64?, UInt64?)])
    func namesAreFoundAgainWhereverTheyAre(first: String, second: String, b: UInt64?, d: UInt64?) {
        let numbers = numbers(["b", "d"], first, second, second)
        #expect(numbers[0] == b && numbers[1] == d)
    }

    @Test func aNumberMayHaveItsTypeBeforeIt() {
        let kstat = numbers(
            ["size", "hits"], columnCount: 3, "13 1 0x01 2 96 5 9\nname type data\nhits 4 12\nsize 4 77\n")
        #expect(kstat[0] == 77 && kstat[1] == 12 && kstat.parseErrorCount == 0)
        #expect(numbers(["hits"], columnCount: 3, "hits 12\n").parseErrorCount == 1)
    }

    // MARK: Paging

    @Test func pagesAndKilobytesBecomeBytes() throws {
        let paging = try CollectorUnderTest("/memory/paging", pageSizeBytes: 65_536)
        try paging.root.write(
            """
            nr_free_pages 1000
            pgpgin 10
            pgpgout 20
            pswpin 3
            pswpout 4
            pgfault 100
            pgsteal_kswapd 0
            pgsteal_direct 0
            pgscan_kswapd 10
            pgscan_direct 5
            pgmajfault 6

            """, to: "proc/vmstat")
        let first = try paging.sample().message
        #expect(
            first["block_in_bytes_total"] == .unsigned(10_240) && first["swap_out_bytes_total"] == .unsigned(262_144))
        #expect(first["faults_per_second"]?.isNaN == true)
        try paging.root.write(
            """
            nr_free_pages 999
            pgpgin 30
            pgpgout 21
            pswpin 5
            pswpout 4
            pgfault 150
            pgsteal_kswapd 4
            pgsteal_direct 2
            pgscan_kswapd 30
            pgscan_direct 25
            pgmajfault 7

            """, to: "proc/vmstat")
        let (sample, message) = try paging.sample(after: 2)
        #expect(sample.intervalSeconds == 2 && sample.alarm == nil)
        #expect(message["block_in_bytes_per_second"]?.number == 10_240)
        #expect(message["block_out_bytes_per_second"]?.number == 512)
        #expect(message["swap_in_bytes_per_second"]?.number == 65_536)
        #expect(message["swap_out_bytes_per_second"]?.number == 0)
        #expect(message["faults_per_second"]?.number == 25 && message["major_faults_per_second"]?.number == 0.5)
        #expect(message["reclaim_scanned_bytes_per_second"]?.number == 1_310_720)
        #expect(message["reclaim_stolen_bytes_per_second"]?.number == 196_608)
        #expect(message["oom_kills_per_second"]?.isNaN == true && message["oom_kills_total"] == .unsigned(0))
    }

    @Test(arguments: [("armv7l", 31, 0), ("armv7l", 32, 1), ("x86_64", 31, 2)])
    func blockCountersOf32BitKernelsWrapAt31Bits(machine: String, bits: UInt64, resets: Int) throws {
        let paging = try CollectorUnderTest("/memory/paging", machine: machine)
        let last = (UInt64(1) << bits) - 1
        try paging.root.write("pgpgin \(last)\npgfault \((1 << 32) - 1)\n", to: "proc/vmstat")
        _ = try paging.sample()
        try paging.root.write("pgpgin 1\npgfault 1\n", to: "proc/vmstat")
        let (sample, message) = try paging.sample()
        let blocks = message["block_in_bytes_per_second"]?.number
        #expect(resets == 0 ? blocks == 2_048 : blocks?.isNaN == true)
        #expect(message["faults_per_second"]?.isNaN == (machine == "x86_64"))
        #expect(sample.resetCount == resets)
    }

    @Test func aKillForWantOfMemoryAlarmsOnce() throws {
        let paging = try CollectorUnderTest("/memory/paging")
        var alarms: [Alarm?] = []
        for line in ["oom_kill 2", "oom_kill 2", "oom_kill 3", "oom_kill 3", "pgfault 1", "oom_kill 9", "oom_kill 1"] {
            try paging.root.write("\(line)\n", to: "proc/vmstat")
            alarms.append(try paging.sample().sample.alarm)
        }
        #expect(alarms == [nil, nil, .outOfMemoryKill, nil, nil, nil, nil])
    }

    @Test func aTextWithoutKnownLinesIsNothing() throws {
        let paging = try CollectorUnderTest("/memory/paging")
        try paging.root.write("nr_free_pages 5\n", to: "proc/vmstat")
        #expect(throws: CollectError.nothingUsable) { try paging.sample() }
        // A number of pages that is no number of bytes.
        try paging.root.write("pswpin \(UInt64.max)\n", to: "proc/vmstat")
        #expect(try paging.sample().message["swap_in_bytes_total"] == .unsigned(0))
    }

    // MARK: Pressure

    private func stalls(_ text: String) -> PressureStalls {
        var stalls = PressureStalls()
        stalls.parse(Array(text.utf8).span)
        return stalls
    }

    @Test(
        arguments: [
            ("some avg10=1.50 avg60=0.80 avg300=0.55 total=9\n", 1.5, 9, 0),
            ("some total=9 new=5 avg10=1.50", 1.5, 9, 0),
            ("some avg10=-1.50 total=9", nil, 9, 1), ("some avg10=1.50 total=x", 1.5, nil, 1),
            ("some avg10=1.50 total=", 1.5, nil, 1), ("some avg10=1.50 tot", 1.5, nil, 0), ("some", nil, nil, 0),
            ("some avg10=nan total=18446744073709551616", nil, nil, 2), ("rest avg10=1.50 total=9", nil, nil, 1),
            ("", nil, nil, 0), ("\n\nsome total=9\n", nil, 9, 0), ("someavg10=1.50", nil, nil, 1),
        ] as [(String, Double?, UInt64?, Int)])
    func aLineOfPressureIsReadItemByItem(text: String, average: Double?, total: UInt64?, errors: Int) {
        let stalls = stalls(text)
        #expect(stalls.some.average10 == average || stalls.some.average10.isNaN && average == nil)
        #expect(stalls.some.totalMicroseconds == total && stalls.parseErrorCount == errors)
        #expect(stalls.isEmpty == (average == nil && total == nil))
    }

    @Test func lostTimeIsAShareOfTheSpan() throws {
        let pressure = try CollectorUnderTest("/pressure")
        func write(_ resource: String, some: UInt64, full: UInt64) throws {
            try pressure.root.write(
                """
                some avg10=12.50 avg60=0.00 avg300=0.00 total=\(some)
                full avg10=0.00 avg60=0.00 avg300=100.00 total=\(full)

                """, to: "proc/pressure/\(resource)")
        }
        try write("cpu", some: 1_000_000, full: 0)
        try pressure.root.write("full avg10=0.31 avg60=0.30 avg300=0.29 total=50\n", to: "proc/pressure/irq")
        let first = try pressure.sample()
        #expect(first.sample.entryCount == 2 && first.message["cpu.some_ratio"]?.isNaN == true)
        #expect(first.message["cpu.some_avg10_ratio"]?.number == 0.125)
        #expect(first.message["cpu.full_avg300_ratio"]?.number == 1)
        #expect(first.message["cpu.some_stall_seconds_total"]?.number == 1)
        #expect(first.message["memory"] == .absent && first.message["io"] == .absent)
        #expect(first.message["irq.some_avg10_ratio"]?.isNaN == true)
        // 0.5 s of 2 s; more than the span; none.
        try write("cpu", some: 1_500_000, full: 2_000_001)
        let second = try pressure.sample(after: 2)
        #expect(second.message["cpu.some_ratio"]?.number == 0.25 && second.message["cpu.full_ratio"]?.number == 1)
        #expect(second.message["irq.full_ratio"]?.number == 0 && second.message["irq.some_ratio"]?.isNaN == true)
        #expect(second.sample.intervalSeconds == 2)
    }

    @Test func aHostThatMeasuresNoPressureHasNoChannel() throws {
        let pressure = try CollectorUnderTest("/pressure")
        #expect(throws: CollectError.open(errno: 95)) { try pressure.sample() }
        // Files that can be opened but not read, as where the kernel was told to measure nothing.
        try pressure.root.write("", to: "proc/pressure/cpu/file")
        #expect(throws: CollectError.open(errno: 95)) { try pressure.sample() }
        try pressure.root.write("garbage\n", to: "proc/pressure/io")
        #expect(throws: CollectError.nothingUsable) { try pressure.sample() }
        try pressure.root.write("some total=3\n", to: "proc/pressure/io")
        #expect(try pressure.sample().message["io.some_stall_seconds_total"]?.number == 3e-6)
    }
}
