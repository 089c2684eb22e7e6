import Foundation
import HostMetrics
import Synchronization
import Telemetry
import Testing

private func withBytes<Result>(_ text: String, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
    let bytes = Array(text.utf8)
    return try body(bytes.span)
}

private func string(_ span: Span<UInt8>) -> String {
    String(decoding: span.indices.map { span[$0] }, as: UTF8.self)
}

/// A line of /proc/PID/stat: fields 1 to 25 as the manual counts them.
private func statLine(
    _ id: Int, _ name: String, state: String = "S", parent: Int = 1, user: Int = 0,
    system: Int = 0, threads: Int = 1, start: Int = 100, resident: Int = 10
) -> String {
    "\(id) (\(name)) \(state) \(parent) 7 7 0 -1 4194304 11 12 13 14 \(user) \(system) 17 18 20 -5 \(threads) 0 "
        + "\(start) 4096 \(resident) 18446744073709551615 1 1 0\n"
}

struct ProcessParserTests {
    @Test func fieldsAreCountedBehindTheLastParenthesis() throws {
        let text = statLine(
            12, "a) R (b", state: "D", parent: 3, user: 40, system: 2, threads: 5, start: 987, resident: 654)
        let stat = try #require(withBytes(text) { ProcessStat(parsing: $0) })
        #expect(stat.state == UInt8(ascii: "D") && stat.parent == 3)
        #expect(stat.cpuTicks == 42 && stat.threadCount == 5 && stat.startTicks == 987 && stat.residentPages == 654)
        #expect(withBytes(text) { string(ProcessStat.name(in: $0)) } == "a) R (b")
        #expect(withBytes("1 () S") { string(ProcessStat.name(in: $0)) } == "")
    }

    @Test(arguments: [
        "", "12", "12 (a", "12 (a)", "12 (a) ", "12 (a) SS 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
        "12 (a) S -1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
        "12 (a) S 1 2 3 4 5 6 7 8 9 10 x 12 13 14 15 16 17 18 19 20", "12 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
        "12 (a) S 4294967296 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
    ])
    func aTextThatIsCutOrGarbledIsNone(text: String) {
        #expect(withBytes(text) { ProcessStat(parsing: $0) } == nil)
    }

    @Test func storageNeedsBothLines() {
        let text = "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\ncancelled_write_bytes: 7\n"
        let io = withBytes(text) { ProcessIO(parsing: $0) }
        #expect(io?.readBytes == 5 && io?.writeBytes == 6)
        #expect(withBytes("read_bytes: 5\n") { ProcessIO(parsing: $0) } == nil)
        #expect(withBytes("read_bytes: -5\nwrite_bytes: 6\n") { ProcessIO(parsing: $0) } == nil)
    }

    @Test func theEffectiveUserIsTheSecond() {
        #expect(withBytes("Name:\tx\nUid:\t0\t1000\t3\t4\n") { ProcessStatus.effectiveUser(parsing: $0) } == 1_000)
        #expect(withBytes("Uid:\t0\n") { ProcessStatus.effectiveUser(parsing: $0) } == nil)
        #expect(withBytes("Uid:\t0\t4294967296\n") { ProcessStatus.effectiveUser(parsing: $0) } == nil)
    }

    @Test func usersAreReadFromTheirFile() {
        let text = "root:x:0:0:root:/root:/bin/sh\ntoor::0:0::\n+::::::\n:x:5:\nx:y:-1:\nkim:x:1000:1000\nz:x:1000a:\n"
        let users = withBytes(text) { UserNames(parsing: $0) }
        #expect(users[0] == Array("root".utf8) && users[1_000] == Array("kim".utf8))
        #expect(users[5] == nil && users[1] == nil)
    }

    @Test func thereIsABoundOfUsers() {
        let lines = (0...Limits.userCountMax).map { "u\($0):x:\($0):\n" }.joined()
        let users = withBytes(lines) { UserNames(parsing: $0) }
        #expect(users[UInt32(Limits.userCountMax - 1)] != nil && users[UInt32(Limits.userCountMax)] == nil)
    }

    @Test(arguments: [
        ("0::/system.slice/a:b.service\n", "/system.slice/a:b.service"), ("0::/\n", "/"), ("", ""), ("0:/x", ""),
        ("1:name=systemd:/user.slice\n0::/\n", "/user.slice"), ("3:cpu,cpuacct:/x\n0::/y\n1:name=systemd:/z\n", "/y"),
        ("1:name=systemd:/z\n", "/z"), ("3:cpu,cpuacct:/x\n", ""),
    ])
    func theControlGroupIsThatOfVersionTwoOrOfSystemd(text: String, path: String) {
        #expect(withBytes(text) { string(ControlGroupPath.path(parsing: $0)) } == path)
    }

    @Test func aControllerHasItsOwnPath() {
        let text = "4:memory:/m\n3:cpu,cpuacct:/c\n2:cpuset:/s\n0::/u\n"
        withBytes(text) { text in
            #expect(string(ControlGroupPath.path(parsing: text, controller: "cpuacct")) == "/c")
            #expect(string(ControlGroupPath.path(parsing: text, controller: "cpu")) == "/c")
            #expect(string(ControlGroupPath.path(parsing: text, controller: "memory")) == "/m")
            #expect(string(ControlGroupPath.path(parsing: text, controller: "io")) == "")
            #expect(string(ControlGroupPath.unifiedPath(parsing: text)) == "/u")
        }
    }

    @Test func anyBytesAreSurvived() {
        var generator = SeededGenerator.announced()
        let good = Array(statLine(12, "name", user: 40).utf8)
        for _ in 0..<2_000 {
            var bytes = good
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
            _ = ProcessStat(parsing: bytes.span)
            _ = ProcessStat.name(in: bytes.span).count
            _ = ProcessIO(parsing: bytes.span)
            _ = ControlGroupPath.path(parsing: bytes.span).count
            _ = UserNames(parsing: bytes.span)
        }
    }
}

private final class ProcessWorld {
    let root: TemporaryDirectory
    let clock = ManualClock()
    let registration: Registration
    let sampler: any Sampling
    private var tick: UInt64 = 0

    init(settings: EntrySettings = EntrySettings(), scanNanoseconds: UInt64 = 0, isLarge: Bool = false) throws {
        root = try TemporaryDirectory(isLarge: isLarge)
        try root.write("root:x:0:0:\nkim:x:1000:1000:\n", to: "etc/passwd")
        try root.write("cpu  1 2 3 4\nbtime 1000\n", to: "proc/stat")
        try root.write("4000\n", to: "proc/sys/kernel/pid_max")
        registration = try #require(allCollectors.first { $0.channel.topic == "/processes" })
        let clock = clock
        let host = HostMetrics.Host(
            procfs: root.path + "/proc", rootfs: root.path,
            facts: HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE"),
            entrySettings: ["/processes": settings]
        ) { clock.reading }
        let used = Atomic<UInt64>(0)
        host.system.threadNanoseconds = { used.add(scanNanoseconds, ordering: .relaxed).newValue }
        sampler = try registration.makeSampler(on: host)
    }

    func write(_ id: Int, _ stat: String, read: Int? = nil, write: Int = 0, user: Int = 0) throws {
        try root.write(stat, to: "proc/\(id)/stat")
        if let read { try root.write("read_bytes: \(read)\nwrite_bytes: \(write)\n", to: "proc/\(id)/io") }
        try root.write("Uid:\t0\t\(user)\t0\t0\n", to: "proc/\(id)/status")
        try root.write("0::/group\(id)\n", to: "proc/\(id)/cgroup")
    }

    func remove(_ id: Int) throws { try FileManager.default.removeItem(atPath: "\(root.path)/proc/\(id)") }

    func sample(after seconds: UInt64 = 2) throws -> (sample: Sample, message: WireValue) {
        tick += 1
        clock.advance(nanoseconds: seconds * 1_000_000_000)
        let sample = try sampler.sample(registration.context(tick: tick))
        return (sample, try decode(sampler, schema: registration.channel.schema))
    }
}

extension WireValue {
    fileprivate func top(_ id: UInt64) -> WireValue? { self["top"]?.entries.first { $0["id"] == .unsigned(id) } }
    fileprivate var topNames: [String] { self["top"]?.entries.compactMap { $0["name"]?.text } ?? [] }
}

struct ProcessTests {
    @Test func processesAreCountedByState() throws {
        let world = try ProcessWorld()
        for (index, state) in ["R", "S", "S", "D", "T", "t", "Z", "I", "I", "X", "P"].enumerated() {
            try world.write(index + 1, statLine(index + 1, "p", state: state, threads: index + 1))
        }
        let message = try world.sample().message
        let counts: [String: UInt64] = [
            "processes": 11, "threads": 66, "running": 1, "sleeping": 2, "disk_sleeping": 1, "stopped": 2, "zombies": 1,
            "idle": 2, "other": 2,
        ]
        for (field, count) in counts { #expect(message[field] == .unsigned(count), "\(field)") }
        #expect(message["pid_max"]?.number == 4_000 && message["pid_used_ratio"]?.number == 66.0 / 4_000)
    }

    @Test func ratesCoverTheTimeBetweenTwoScans() throws {
        let world = try ProcessWorld()
        try world.write(7, statLine(7, "a b", parent: 3, user: 100, system: 50), read: 1_000, write: 5_000, user: 1_000)
        let first = try world.sample()
        #expect(first.sample.intervalSeconds.isNaN)
        #expect(first.message.top(7)?["cpu_ratio"]?.number?.isNaN == true)
        #expect(first.message.top(7)?["read_bytes_per_second"]?.number?.isNaN == true)
        try world.write(7, statLine(7, "a b", parent: 3, user: 220, system: 80, start: 100), read: 3_000, write: 5_000)
        try world.root.write("Uid:\t0\t1000\t0\t0\n", to: "proc/7/status")
        let second = try world.sample()
        #expect(second.sample.intervalSeconds == 2)
        let process = try #require(second.message.top(7))
        // 150 ticks of 10 ms in 2 s.
        #expect(process["cpu_ratio"]?.number == 0.75 && process["cpu_seconds_total"]?.number == 3)
        #expect(process["read_bytes_per_second"]?.number == 1_000 && process["write_bytes_per_second"]?.number == 0)
        #expect(process["read_bytes_total"] == .unsigned(3_000) && process["write_bytes_total"] == .unsigned(5_000))
        #expect(process["name"]?.text == "a b" && process["user"]?.text == "kim")
        #expect(process["user_id"] == .unsigned(1_000) && process["parent_id"] == .unsigned(3))
        #expect(process["state"]?.text == "STATE_SLEEPING" && process["resident_bytes"]?.number == 40_960)
        #expect(process["start_time_seconds"]?.number == 1_001 && process["cgroup"]?.text == "/group7")
    }

    @Test func aNumberThatIsGivenToAnotherIsANewProcess() throws {
        let world = try ProcessWorld()
        try world.write(7, statLine(7, "old", user: 100), read: 0)
        _ = try world.sample()
        try world.write(7, statLine(7, "new", user: 500, start: 101), read: 9_000)
        let new = try #require(try world.sample().message.top(7))
        #expect(new["name"]?.text == "new" && new["cpu_ratio"]?.number?.isNaN == true)
        #expect(new["read_bytes_per_second"]?.number?.isNaN == true)
        try world.write(7, statLine(7, "new", user: 600, start: 101), read: 9_000)
        #expect(try world.sample().message.top(7)?["cpu_ratio"]?.number == 0.5)
    }

    @Test func aProcessMayVanishAndComeBackAndOthersStay() throws {
        let world = try ProcessWorld()
        for id in [5, 9, 100, 1_000] { try world.write(id, statLine(id, "p\(id)", user: id), read: 0) }
        _ = try world.sample()
        try world.remove(9)
        // In the listing, but gone before it is read.
        try FileManager.default.createDirectory(atPath: "\(world.root.path)/proc/12", withIntermediateDirectories: true)
        for id in [5, 100, 1_000] { try world.write(id, statLine(id, "p\(id)", user: id + 20), read: 0) }
        let (sample, message) = try world.sample()
        #expect(message["processes"] == .unsigned(3) && sample.parseErrorCount == 0)
        for id in [5, 100, 1_000] as [UInt64] { #expect(message.top(id)?["cpu_ratio"]?.number == 0.1) }
        try world.write(9, statLine(9, "p9", user: 500), read: 0)
        #expect(try world.sample().message.top(9)?["cpu_ratio"]?.number?.isNaN == true)
    }

    @Test func aCounterThatFallsGivesNoRate() throws {
        let world = try ProcessWorld()
        try world.write(7, statLine(7, "p", user: 100), read: 900, write: 10)
        _ = try world.sample()
        try world.write(7, statLine(7, "p", user: 99), read: 800, write: 30)
        let process = try #require(try world.sample().message.top(7))
        #expect(process["cpu_ratio"]?.number?.isNaN == true)
        #expect(process["read_bytes_per_second"]?.number?.isNaN == true)
        #expect(process["write_bytes_per_second"]?.number == 10)
    }

    @Test func storageThatMayNotBeSeenIsUnknown() throws {
        let world = try ProcessWorld()
        try world.write(7, statLine(7, "p"))
        for _ in 0..<2 {
            let process = try #require(try world.sample().message.top(7))
            #expect(process["read_bytes_per_second"]?.number?.isNaN == true)
            #expect(process["write_bytes_per_second"]?.number?.isNaN == true)
            #expect(process["read_bytes_total"] == .unsigned(0))
        }
    }

    @Test func thoseThatUseTheMostAreShownOnceEach() throws {
        let world = try ProcessWorld()
        // 40 processes: the first ten use CPU, the next ten memory, the next ten storage, 15 all of them.
        func write(_ factor: Int) throws {
            for id in 1...40 {
                try world.write(
                    id,
                    statLine(
                        id, "p\(id)", user: id <= 10 || id == 15 ? id * factor * 10 : 0,
                        resident: id > 10 && id <= 20 ? id * 1_000 : 1),
                    read: id > 20 && id <= 30 || id == 15 ? id * factor * 100 : 0)
            }
        }
        try write(1)
        #expect(try world.sample().message["top"]?.entries.count == 10)
        try write(2)
        let (sample, message) = try world.sample()
        // By CPU 15, 10, 9 … 2; by memory 20 … 11; by storage 30 … 21, of which 15 was the eleventh.
        let expected = [15] + (2...10).reversed() + [20, 19, 18, 17, 16, 14, 13, 12, 11] + (21...30).reversed()
        #expect(message.topNames == expected.map { "p\($0)" })
        #expect(sample.entryCount == 29 && sample.suppressedCount == 0)
    }

    @Test func theOwnerChoosesByNameAndNumber() throws {
        var settings = EntrySettings()
        settings.exclude = try Pattern("secret.*")
        settings.entryCountMax = 2
        let world = try ProcessWorld(settings: settings)
        for id in 1...4 { try world.write(id, statLine(id, id == 4 ? "secret)x" : "p\(id)", resident: id)) }
        let (sample, message) = try world.sample()
        #expect(message.topNames == ["p3", "p2"] && message["processes"] == .unsigned(4))
        #expect(sample.suppressedCount == 1)
    }

    @Test func garbledProcessesAreCounted() throws {
        let world = try ProcessWorld()
        try world.write(1, statLine(1, "p"))
        try world.write(2, "2 (p) S x\n")
        let (sample, message) = try world.sample()
        #expect(sample.parseErrorCount == 1 && message["processes"] == .unsigned(1))
        try world.remove(1)
        #expect(throws: CollectError.nothingUsable) { try world.sample() }
    }

    @Test func scansThatCostMuchAreSpreadOut() throws {
        // 300 ms of a CPU, so one is due each 15 s.
        let world = try ProcessWorld(scanNanoseconds: 300_000_000)
        try world.write(1, statLine(1, "p", user: 0))
        let first = try world.sample(after: 5)
        #expect(
            first.sample.notes == [Note(.info, "1 processes take 300 ms of a CPU to read: they are read every 15 s")])
        try world.write(1, statLine(1, "p", user: 100))
        for _ in 0..<2 {
            let again = try world.sample(after: 5)
            #expect(again.message["header.stamp"] == first.message["header.stamp"] && again.sample.notes.isEmpty)
            #expect(again.message.top(1)?["cpu_ratio"]?.number?.isNaN == true)
            #expect(again.message["processes"] == .unsigned(1) && again.sample.entryCount == 1)
        }
        let next = try world.sample(after: 5)
        #expect(next.message["header.stamp"] != first.message["header.stamp"] && next.sample.notes.isEmpty)
        let ratio = try #require(next.message.top(1)?["cpu_ratio"]?.number)
        #expect(abs(ratio - 1 / next.sample.intervalSeconds) < 1e-9)
    }

    @Test func thereIsABoundOfProcesses() throws {
        let world = try ProcessWorld(isLarge: true)
        try world.write(70_001, statLine(70_001, "p"))
        try world.write(70_002, statLine(70_002, "p"))
        for id in 1...Limits.processCountMax - 2 { close(unsafe creat("\(world.root.path)/proc/\(id)", 0o600)) }
        let full = try world.sample()
        #expect(full.sample.suppressedCount == 0 && full.message["processes"] == .unsigned(2))
        close(unsafe creat("\(world.root.path)/proc/70003", 0o600))
        #expect(try world.sample().sample.suppressedCount == 1)
    }

    @Test func thisProcessIsAmongThem() throws {
        let registration = try #require(allCollectors.first { $0.channel.topic == "/processes" })
        let host = HostMetrics.Host(
            facts: HostFacts(
                userTickHertz: 100, pageSizeBytes: Double(getpagesize()), machine: "x86_64", endianness: "LE"),
            clock: SystemClock().reading)
        var settings = EntrySettings()
        let name = try String(contentsOfFile: "/proc/self/comm", encoding: .utf8).dropLast()
        settings.include = try Pattern(name.map { $0.isLetter || $0.isNumber ? "\($0)" : "." }.joined())
        host.entrySettings = ["/processes": settings]
        let sampler = try registration.makeSampler(on: host)
        _ = try sampler.sample(registration.context(tick: 1))
        let message = try decode(sampler, schema: registration.channel.schema)
        let own = try #require(message.top(UInt64(getpid())))
        #expect(own["name"]?.text == String(name) && own["user_id"] == .unsigned(UInt64(geteuid())))
        #expect(own["parent_id"] == .unsigned(UInt64(getppid())))
        let age = Date().timeIntervalSince1970 - (own["start_time_seconds"]?.number ?? .nan)
        #expect(age > -2 && age < 3_600)
        #expect(try #require(own["resident_bytes"]?.number) > 1_000_000)
    }
}
