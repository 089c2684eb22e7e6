import Foundation
import HostMetrics
import Telemetry
import Testing

struct ControlGroupTextTests {
    private func cores(_ text: String) -> Double {
        let bytes = Array(text.utf8)
        return ControlGroupTexts.limitCores(parsing: bytes.span)
    }

    @Test func noLimitIsNoNumber() {
        #expect(cores("150000 100000\n") == 1.5 && cores("max 100000\n").isNaN)
        #expect(cores("150000\n").isNaN && cores("").isNaN && cores("150000 0\n").isNaN)
    }

    @Test func devicesAreAddedUp() {
        let text = Array(
            "8:16 rbytes=100 wbytes=20 rios=3 wios=4 dbytes=5 dios=6\n253:0 wbytes=7 rbytes=1 cost.usage=9\n8:0 \n8:1\n"
                .utf8)
        let storage = ControlGroupTexts.storage(parsing: text.span)
        #expect(storage.readBytes == 101 && storage.writeBytes == 27 && storage.reads == 3 && storage.writes == 4)
        let old = Array("8:0 Read 5\n8:0 Write 6\n8:0 Sync 7\n8:0 Total 11\n8:16 Read 1\nTotal 12\n".utf8)
        let sums = ControlGroupTexts.readsAndWrites(parsing: old.span)
        #expect(sums.read == 6 && sums.write == 6)
    }

    @Test func anyBytesAreSurvived() {
        var generator = SeededGenerator.announced()
        let texts = [
            "8:0 rbytes=1 wbytes=18446744073709551615 rios=3\n8:1 wbytes=9\n",
            "8:0 Read 5\nTotal 5\n", "150000 100000\n",
        ]
        for _ in 0..<2_000 {
            var bytes = Array((texts.randomElement(using: &generator) ?? "").utf8)
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
            _ = ControlGroupTexts.storage(parsing: bytes.span)
            _ = ControlGroupTexts.readsAndWrites(parsing: bytes.span)
            _ = ControlGroupTexts.limitCores(parsing: bytes.span)
        }
    }
}

private final class ControlGroupWorld {
    let root: TemporaryDirectory
    let clock = ManualClock()
    let registration: Registration
    private let host: HostMetrics.Host
    private var kept: (any Sampling)?
    private var tick: UInt64 = 0

    init(settings: EntrySettings = EntrySettings(), isLarge: Bool = false) throws {
        root = try TemporaryDirectory(isLarge: isLarge)
        registration = try #require(allCollectors.first { $0.channel.topic == "/cgroup" })
        let clock = clock
        host = HostMetrics.Host(
            procfs: root.path + "/proc", sysfs: root.path + "/sys",
            facts: HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE"),
            entrySettings: ["/cgroup": settings]
        ) { clock.reading }
    }

    /// A tree of version 2, with the agent in `own`.
    func makeUnified(own: String) throws {
        try root.write("0::\(own)\n", to: "proc/self/cgroup")
        try root.write("cpu io memory pids\n", to: "sys/fs/cgroup/cgroup.controllers")
    }

    func write(_ files: [String: String], to group: String) throws {
        for (name, text) in files { try root.write(text + "\n", to: "sys/fs/cgroup\(group)/\(name)") }
    }

    func remove(_ group: String) throws {
        try FileManager.default.removeItem(atPath: "\(root.path)/sys/fs/cgroup\(group)")
    }

    func sampler() throws -> any Sampling {
        if let kept { return kept }
        let sampler = try registration.makeSampler(on: host)
        kept = sampler
        return sampler
    }

    func sample(after seconds: UInt64 = 1) throws -> (sample: Sample, groups: [WireValue], message: WireValue) {
        tick += 1
        clock.advance(nanoseconds: seconds * 1_000_000_000)
        let sampler = try sampler()
        let sample = try sampler.sample(registration.context(tick: tick))
        let message = try decode(sampler, schema: registration.channel.schema)
        return (sample, message["groups"]?.entries ?? [], message)
    }

    func ids() throws -> [String] { try sample(after: 11).groups.compactMap { $0["id"]?.text } }
}

struct ControlGroupTests {
    private func pressure(_ some: Int, _ full: Int) -> String {
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=\(some)\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=\(full)"
    }

    private func isNaN(_ value: WireValue?) -> Bool { value?.number?.isNaN == true }

    @Test func ratesLimitsAndPressureOfVersionTwo() throws {
        let world = try ControlGroupWorld()
        let own = "/system.slice/a.service"
        try world.makeUnified(own: own)
        try world.write(
            [
                "cpu.stat": "usage_usec 1000000\nuser_usec 600000\nsystem_usec 400000\nnr_periods 10\nnr_throttled 1\n"
                    + "throttled_usec 5000",
                "cpu.max": "max 100000", "memory.current": "1000", "memory.max": "max", "memory.swap.current": "7",
                "memory.stat": "inactive_file 1500", "memory.events": "oom_kill 2", "pids.current": "5",
                "pids.max": "max", "io.stat": "8:0 rbytes=1000 wbytes=2000 rios=10 wios=20",
                "cpu.pressure": pressure(0, 0), "memory.pressure": pressure(1_000, 0), "io.pressure": pressure(0, 500),
            ], to: own)
        let first = try world.sample()
        #expect(first.message["version"] == .unsigned(2) && first.groups.count == 1)
        let before = try #require(first.groups.first)
        for field in ["cpu_cores", "io_reads_per_second", "cpu_limit_cores", "memory_ratio", "io_pressure_full_ratio"] {
            #expect(isNaN(before[field]), "\(field)")
        }
        #expect(before["memory_working_set_bytes"]?.number == 0 && isNaN(before["memory_limit_bytes"]))
        try world.write(
            [
                "cpu.stat": "usage_usec 4000000\nuser_usec 2600000\nsystem_usec 1400000\nnr_periods 30\n"
                    + "nr_throttled 6\nthrottled_usec 405000",
                "cpu.max": "300000 100000", "memory.current": "4000", "memory.max": "16000",
                "memory.stat": "inactive_file 1500", "pids.max": "50",
                "io.stat": "8:0 rbytes=5000 wbytes=2000 rios=12 wios=20", "cpu.pressure": pressure(500_000, 9_000_000),
                "memory.pressure": pressure(201_000, 0), "io.pressure": pressure(0, 100_500),
            ], to: own)
        let second = try world.sample(after: 2)
        #expect(second.sample.intervalSeconds == 2 && second.sample.notes.isEmpty && second.sample.alarm == nil)
        let values: [String: Double] = [
            "cpu_cores": 1.5, "cpu_user_cores": 1, "cpu_system_cores": 0.5, "cpu_limit_cores": 3,
            "cpu_of_limit_ratio": 0.5, "cpu_throttled_ratio": 0.2, "cpu_throttled_periods_ratio": 0.25,
            "cpu_seconds_total": 4, "memory_bytes": 4_000, "memory_limit_bytes": 16_000, "memory_ratio": 0.25,
            "memory_working_set_bytes": 2_500, "swap_bytes": 7, "tasks": 5, "tasks_limit": 50, "oom_kills_total": 2,
            "io_read_bytes_per_second": 2_000, "io_write_bytes_per_second": 0, "io_reads_per_second": 1,
            "io_writes_per_second": 0, "io_read_bytes_total": 5_000, "io_write_bytes_total": 2_000,
            "cpu_pressure_some_ratio": 0.25, "cpu_pressure_full_ratio": 1, "memory_pressure_some_ratio": 0.1,
            "memory_pressure_full_ratio": 0, "io_pressure_some_ratio": 0, "io_pressure_full_ratio": 0.05,
        ]
        #expect(second.groups[0]["id"]?.text == own)
        for (field, value) in values {
            let number = try #require(second.groups[0][field]?.number, "\(field)")
            #expect(abs(number - value) < 1e-9, "\(field): \(number)")
        }
    }

    @Test func versionOneHasATreeForEachController() throws {
        let world = try ControlGroupWorld()
        try world.root.write(
            "9:name=systemd:/s\n5:cpu,cpuacct:/web\n4:memory:/web\n3:pids:/gone\n2:blkio:/\n", to: "proc/self/cgroup")
        func write(_ usage: Int, user: Int, kills: Int, read: Int) throws {
            try world.write(
                [
                    "cpuacct.usage": "\(usage)", "cpuacct.stat": "user \(user)\nsystem 50", "cpu.cfs_quota_us": "50000",
                    "cpu.cfs_period_us": "100000",
                    "cpu.stat": "nr_periods 10\nnr_throttled 2\nthrottled_time \(usage / 10)",
                ], to: "/cpu,cpuacct/web")
            try world.write(
                [
                    "memory.usage_in_bytes": "9000", "memory.limit_in_bytes": "9223372036854771712",
                    "memory.stat": "inactive_file 1\ntotal_inactive_file 4000\ntotal_swap 12",
                    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill \(kills)",
                ], to: "/memory/web")
            try world.write(["pids.current": "19", "pids.max": "max"], to: "/pids")
            try world.write(
                [
                    "blkio.throttle.io_service_bytes_recursive": "8:0 Read \(read)\n8:0 Write 5\nTotal 6",
                    "blkio.throttle.io_serviced_recursive": "8:0 Read 1\n8:0 Write 2\nTotal 3",
                ], to: "/blkio")
        }
        try write(1_000_000_000, user: 100, kills: 0, read: 100)
        #expect(try world.sample().message["version"] == .unsigned(1))
        try write(1_500_000_000, user: 125, kills: 1, read: 300)
        let (sample, groups, _) = try world.sample()
        let group = try #require(groups.first)
        #expect(group["id"]?.text == "/web" && groups.count == 1)
        let values: [String: Double] = [
            "cpu_cores": 0.5, "cpu_user_cores": 0.25, "cpu_system_cores": 0, "cpu_limit_cores": 0.5,
            "cpu_of_limit_ratio": 1, "cpu_throttled_ratio": 0.05, "memory_bytes": 9_000,
            "memory_working_set_bytes": 5_000, "swap_bytes": 12, "tasks": 19, "oom_kills_total": 1,
            "io_read_bytes_per_second": 200, "io_reads_per_second": 0, "io_write_bytes_total": 5,
        ]
        for (field, value) in values {
            let number = try #require(group[field]?.number, "\(field)")
            #expect(abs(number - value) < 1e-9, "\(field): \(number)")
        }
        for field in ["memory_limit_bytes", "memory_ratio", "tasks_limit", "cpu_pressure_some_ratio"] {
            #expect(isNaN(group[field]), "\(field)")
        }
        // No period went by: of nothing there is no part.
        #expect(isNaN(group["cpu_throttled_periods_ratio"]))
        #expect(sample.notes == [Note(.warning, "/web: 1 killed for lack of memory")])
        #expect(sample.alarm == .outOfMemoryKill)
        #expect(try world.sample().sample.alarm == nil)
    }

    @Test(arguments: ["/..", "/../other", "/gone", "", "x"])
    func whatIsOutsideOfTheTreeIsItsRoot(own: String) throws {
        let world = try ControlGroupWorld()
        try world.makeUnified(own: own)
        try world.write(["cpu.stat": "usage_usec 1"], to: "")
        #expect(try world.ids() == ["/"])
    }

    @Test func withoutControlGroupsThereIsNoChannel() throws {
        let world = try ControlGroupWorld()
        #expect(throws: CollectError.open(errno: ENOENT)) { try world.sampler() }
        try world.makeUnified(own: "/")
        #expect(throws: CollectError.nothingUsable) { try world.sample() }
        try world.write(["pids.current": "0"], to: "")
        #expect(try world.ids() == ["/"])
    }

    @Test func theOwnerIncludesGroupsByTheirPaths() throws {
        var settings = EntrySettings()
        settings.include = try Pattern("/system\\.slice/.*\\.service")
        let world = try ControlGroupWorld(settings: settings)
        try world.makeUnified(own: "/system.slice/b.service")
        let usage = ["cpu.stat": "usage_usec 1"]
        for group in ["/system.slice", "/system.slice/b.service", "/system.slice/c.service", "/system.slice/a.service"]
        {
            try world.write(usage, to: group)
        }
        #expect(
            try world.ids() == ["/system.slice/b.service", "/system.slice/a.service", "/system.slice/c.service"])
        // New groups are looked for each 10 s; what went is missing at once.
        try world.write(usage, to: "/system.slice/new.service")
        try world.remove("/system.slice/a.service")
        #expect(
            try world.sample(after: 1).groups.compactMap { $0["id"]?.text } == [
                "/system.slice/b.service", "/system.slice/c.service",
            ])
        #expect(
            try world.ids() == ["/system.slice/b.service", "/system.slice/c.service", "/system.slice/new.service"])
    }

    @Test func aGroupThatIsMadeAgainBeginsAnew() throws {
        var settings = EntrySettings()
        settings.include = try Pattern("/g")
        let world = try ControlGroupWorld(settings: settings)
        try world.makeUnified(own: "/")
        try world.write(["cpu.stat": "usage_usec 0"], to: "")
        func cores(_ usage: Int) throws -> Double {
            try world.write(["cpu.stat": "usage_usec \(usage)"], to: "/g")
            return try world.sample().groups.first { $0["id"]?.text == "/g" }?["cpu_cores"]?.number ?? -1
        }
        #expect(try cores(1_000_000).isNaN)
        #expect(try cores(1_500_000) == 0.5)
        try world.remove("/g")
        #expect(try cores(10_000).isNaN)
        #expect(try cores(260_000) == 0.25)
        try world.remove("/g")
        #expect(try world.sample().groups.count == 1)
        #expect(try cores(5_000_000).isNaN)
    }

    @Test func whatIsToldLaterHasNoRateAtFirst() throws {
        let world = try ControlGroupWorld()
        try world.makeUnified(own: "/")
        try world.write(["cpu.stat": "usage_usec 1000000"], to: "")
        _ = try world.sample()
        // The controller is turned on: its counters did not grow from 0 within the second.
        try world.write(["cpu.stat": "usage_usec 2000000\nthrottled_usec 9000000", "io.stat": "8:0 rbytes=9"], to: "")
        let group = try world.sample().groups[0]
        #expect(isNaN(group["cpu_throttled_ratio"]) && isNaN(group["io_read_bytes_per_second"]))
        try world.write(["cpu.stat": "usage_usec 3000000\nthrottled_usec 9500000"], to: "")
        let next = try world.sample().groups[0]
        #expect(next["cpu_throttled_ratio"]?.number == 0.5 && next["cpu_cores"]?.number == 1)
        // A device that goes takes its sums with it, but not the CPU time.
        try world.write(["cpu.stat": "usage_usec 4000000\nthrottled_usec 9500000", "io.stat": "8:0 rbytes=1"], to: "")
        let last = try world.sample()
        #expect(isNaN(last.groups[0]["io_read_bytes_per_second"]) && last.groups[0]["cpu_cores"]?.number == 1)
        #expect(last.sample.resetCount == 1)
    }

    @Test func garbledNumbersAreCountedAndTheRestIsTold() throws {
        let world = try ControlGroupWorld()
        try world.makeUnified(own: "/")
        try world.write(
            [
                "cpu.stat": "usage_usec 5000000\nuser_usec x\n\nnr_periods -1", "memory.current": "a",
                "pids.current": "7",
                "cpu.pressure": "some avg10=x total=5\nmany", "memory.events": "oom_kill 18446744073709551616",
                "cpu.max": "x", "io.stat": "8:0 rbytes=5 wbytes=z\nx",
            ], to: "")
        let (sample, groups, _) = try world.sample()
        #expect(sample.parseErrorCount == 5)
        #expect(groups[0]["cpu_seconds_total"]?.number == 5 && groups[0]["tasks"] == .unsigned(7))
        #expect(isNaN(groups[0]["memory_bytes"]) && groups[0]["io_read_bytes_total"] == .unsigned(5))
    }

    @Test func thereAreBoundsOfEntriesGroupsAndDepth() throws {
        var settings = EntrySettings()
        settings.include = try Pattern(".*")
        settings.entryCountMax = 3
        let world = try ControlGroupWorld(settings: settings, isLarge: true)
        try world.makeUnified(own: "/")
        try world.write(["pids.current": "1"], to: "")
        func make(_ groups: some Sequence<String>) throws {
            for group in groups { try world.write(["pids.current": "1"], to: group) }
        }
        try make(["/a", "/b"])
        #expect(try world.sample(after: 11).sample.suppressedCount == 0)
        try make(["/c"])
        let (sample, groups, _) = try world.sample(after: 11)
        #expect(groups.count == 3 && sample.suppressedCount == 1)
        // Sixteen deep: /a, /b, /c and 16 levels below /d; one more is not looked into.
        var deep = ""
        for level in 1...Limits.controlGroupDepthMax { deep += "/d\(level)" }
        try make([deep])
        #expect(try world.sample(after: 11).sample.suppressedCount == 1 + Limits.controlGroupDepthMax)
        try make([deep + "/e"])
        #expect(try world.sample(after: 11).sample.suppressedCount == 2 + Limits.controlGroupDepthMax)
        try world.remove("/d1")
        // With the root and a, b, c as many as are looked at, of which 3 are shown.
        func mkdirs(_ numbers: Range<Int>) {
            for number in numbers { _ = unsafe mkdir("\(world.root.path)/sys/fs/cgroup/n\(number)", 0o700) }
        }
        mkdirs(4..<Limits.controlGroupCountMax)
        #expect(try world.sample(after: 11).sample.suppressedCount == Limits.controlGroupCountMax - 3)
        mkdirs(0..<1)
        #expect(try world.sample(after: 11).sample.suppressedCount == Limits.controlGroupCountMax - 2)
    }
}
