import Foundation
import HostMetrics
import Telemetry
import Testing

private let facts = HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE")

private func table(_ text: String, rootfs: String = "/") -> MountTable {
    MountTable(parsing: Array(text.utf8).span, rootfs: rootfs)
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

struct MountTableTests {
    @Test func aLineIsTakenApart() throws {
        let table = table(
            "36 35 98:17 /folder /mnt/a\\040b\\134c ro,noatime shared:1 master:2 - ext4 /dev/my\\040disk rw,data=x\n")
        let mount = try #require(table.mounts.first)
        #expect(table.mounts.count == 1 && table.parseErrorCount == 0)
        #expect(text(mount.id) == "/mnt/a b\\c" && mount.path == mount.id)
        #expect(text(mount.device) == "/dev/my disk" && text(mount.type) == "ext4")
        #expect(mount.major == 98 && mount.minor == 17)
        #expect(mount.isReadOnly && !mount.isWhole && !mount.isNetwork)
    }

    @Test(arguments: [
        "", "36", "36 35 98:0 / /mnt rw ext4 /dev/a rw", "36 35 98:0 / /mnt - ext4 /dev/a rw",
        "36 35 980 / /mnt rw - ext4 /dev/a rw", "36 35 98:4294967296 / /mnt rw - ext4 /dev/a rw",
        "36 35 -1:0 / /mnt rw - ext4 /dev/a rw", "36 35 98:0 / /mnt rw - ext4 /dev/a", "36 35 98:0 / /mnt rw - ",
        "36 35 98:0 / /mnt rw -", " - ", "\u{0}\u{1} \u{7F}",
    ])
    func aLineThatIsNoneIsCountedAndTheNextIsRead(line: String) {
        let table = table("\(line)\n36 35 98:0 / /after rw - ext4 /dev/a rw")
        #expect(table.mounts.map { text($0.id) } == ["/after"])
        #expect(table.parseErrorCount == (line.isEmpty ? 0 : 1))
    }

    @Test func theSourceMayBeEmptyAndOptionalFieldsMissing() {
        let table = table("36 35 0:40 / /mnt rw - tmpfs  rw,size=4k\n")
        #expect(table.mounts.map { text($0.device) } == [""])
        #expect(table.mounts.map(\.isReadOnly) == [false])
    }

    @Test func otherWhiteSpaceBelongsToNames() {
        let table = table("36 35 8:1 / /mnt/a\u{0B}b\rc rw - ext4 /dev/a rw\n")
        #expect(table.mounts.map { text($0.id) } == ["/mnt/a\u{0B}b\rc"])
    }

    @Test(arguments: [
        ("ro", "rw", true), ("rw", "ro", true), ("rw", "rw,emergency_ro", true), ("rw,noatime", "rw,errors=ro", false),
        ("rw,rom", "rw,xro", false),
    ])
    func readOnlyMayStandInEitherOptions(options: String, superOptions: String, isReadOnly: Bool) {
        let table = table("36 35 8:1 / /mnt \(options) - ext4 /dev/a \(superOptions)\n")
        #expect(table.mounts.map(\.isReadOnly) == [isReadOnly])
    }

    @Test func theLastOfOneMountPointLiesOnTop() {
        let table = table(
            "1 1 8:1 / /a rw - ext4 lower rw\n2 1 8:2 / /b rw - ext4 b rw\n3 1 8:3 / /a rw - ext4 upper rw\n")
        #expect(table.mounts.map { text($0.device) } == ["b", "upper"])
    }

    @Test func whatHidesAMountMayItselfBeOfNoInterest() {
        #expect(table("1 1 8:1 / /a rw - ext4 lower rw\n2 1 0:9 / /a rw - autofs a rw\n").mounts.isEmpty)
    }

    @Test(arguments: [
        ("/", "overlay", true), ("/merged", "overlay", false), ("/run", "tmpfs", true), ("/dev", "tmpfs", false),
        ("/dev/shm", "tmpfs", false), ("/devices", "ext4", true), ("/snap", "ext4", true), ("/snap/x/1", "ext4", false),
        ("/var/lib/docker", "btrfs", true), ("/var/lib/docker/btrfs", "btrfs", false),
        ("/var/lib/kubelet/pods/1/v", "tmpfs", false), ("/auto", "autofs", false), ("/img", "squashfs", false),
        ("/run/credentials/a.service", "ramfs", false), ("/mnt", "fuse.sshfs", true), ("/sys/fs/x", "ext4", false),
    ])
    func whatNobodyWantsToSeeIsLeftOut(point: String, type: String, isKept: Bool) {
        #expect(table("1 1 8:1 / \(point) rw - \(type) x rw\n").mounts.isEmpty == !isKept)
    }

    @Test func theRootsPrefixIsForSystemCallsOnly() {
        let lines = ["/", "/home", "/host", "/host/data", "/hostile"]
        let text = lines.enumerated().map { "1 1 8:\($0) / \($1) rw - ext4 x rw\n" }.joined()
        let mounts = table(text, rootfs: "/host/").mounts
        #expect(mounts.map { String(decoding: $0.id, as: UTF8.self) } == ["/home", "/", "/data", "/hostile"])
        #expect(
            mounts.map { String(decoding: $0.path, as: UTF8.self) } == [
                "/host/home", "/host", "/host/data", "/host/hostile",
            ])
    }

    @Test func namesBecomeValidAndFilterable() throws {
        let line =
            Array("1 1 8:1 / /mnt/".utf8) + [0xFF, 0xC3] + Array("'\"\\000é rw - ext4 ".utf8) + [0x80, 0x20, 0x72]
        let mount = try #require(MountTable(parsing: line.span, rootfs: "/").mounts.first)
        #expect(text(mount.id) == "/mnt/\u{FFFD}\u{FFFD}''\u{FFFD}é" && text(mount.device) == "\u{FFFD}")
        #expect(mount.path == Array("/mnt/".utf8) + [0xFF, 0xC3] + Array("'\"\u{0}é".utf8))
    }

    @Test func anyBytesAreSurvived() {
        var generator = SeededGenerator.announced()
        let good = Array(
            "36 35 98:17 /folder /mnt/a\\040b ro,noatime shared:1 - ext4 /dev/x rw\n1 1 0:1 / / rw - tmpfs  rw\n".utf8)
        for _ in 0..<2_000 {
            var bytes = good
            for _ in 0..<4 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
            let table = MountTable(parsing: bytes.span, rootfs: "/mnt")
            #expect(table.mounts.count <= 8)
            for mount in table.mounts { #expect(String(validating: mount.id, as: UTF8.self) != nil) }
        }
    }

    @Test func thereIsABoundOfLines() {
        let line = { (number: Int) in "1 1 8:\(number) / /m\(number) rw - ext4 x rw\n" }
        let full = (0..<Limits.mountCountMax).map(line).joined()
        #expect(table(full).mounts.count == Limits.mountCountMax && table(full).suppressedCount == 0)
        let more = table(full + line(Limits.mountCountMax))
        #expect(more.mounts.count == Limits.mountCountMax && more.suppressedCount == 1)
    }
}

/// The statistics that a test answers with; mounts that are held do not answer.
private final class FakeStatistics: Sendable {
    private struct State {
        var held: Set<String> = []
        var asked: [String] = []
        var files: Set<String> = []
        var failures: [String: Int32] = [:]
    }

    private let state = Locked(State())

    var asked: [String] {
        get { state.withLock { $0.asked } }
        set { state.withLock { $0.asked = newValue } }
    }
    var held: Set<String> {
        get { state.withLock { $0.held } }
        set { state.withLock { $0.held = newValue } }
    }
    var files: Set<String> {
        get { state.withLock { $0.files } }
        set { state.withLock { $0.files = newValue } }
    }
    var failures: [String: Int32] {
        get { state.withLock { $0.failures } }
        set { state.withLock { $0.failures = newValue } }
    }

    func answer(_ path: [UInt8]) -> Result<FileSystemStatistics, ErrnoValue> {
        let path = text(path)
        state.withLock { $0.asked.append(path) }
        while held.contains(path) { Thread.sleep(forTimeInterval: 0.001) }
        if let code = failures[path] { return .failure(ErrnoValue(code: code)) }
        return .success(
            FileSystemStatistics(
                blockBytes: 4_096, blockCount: 1_000, freeBlockCount: 400, availableBlockCount: 300, fileCount: 0,
                freeFileCount: 0, isDirectory: !files.contains(path)))
    }

    deinit { held = [] }
}

/// The collector, over a mount list that the test writes.
private final class FilesystemWorld {
    let root: TemporaryDirectory
    let statistics = FakeStatistics()
    let clock = ManualClock()
    let registration: Registration
    let sampler: any Sampling
    var notes: [Note] = []
    private var tick: UInt64 = 0

    init(_ lines: [String], settings: EntrySettings = EntrySettings(), timeoutSeconds: Double = 20) throws {
        root = try TemporaryDirectory()
        try root.write(lines.map { $0 + "\n" }.joined(), to: "1/mountinfo")
        registration = try #require(allCollectors.first { $0.channel.topic == "/filesystem" })
        let clock = clock
        let host = HostMetrics.Host(procfs: root.path, facts: facts, entrySettings: ["/filesystem": settings]) {
            clock.reading
        }
        let statistics = statistics
        host.system.fileSystemStatistics = { statistics.answer($0) }
        host.system.fileSystemTimeoutSeconds = timeoutSeconds
        sampler = try registration.makeSampler(on: host)
    }

    deinit { statistics.held = [] }

    func write(_ lines: [String]) throws { try root.write(lines.map { $0 + "\n" }.joined(), to: "1/mountinfo") }

    func sample() throws -> (sample: Sample, entries: [WireValue]) {
        tick += 1
        clock.advance(nanoseconds: 10_000_000_000)
        let sample = try sampler.sample(registration.context(tick: tick))
        notes += sample.notes
        return (sample, try decode(sampler, schema: registration.channel.schema)["filesystems"]?.entries ?? [])
    }

    func states() throws -> [String] {
        try sample().entries.map {
            "\($0["id"]?.text ?? "") \(($0["state"]?.text ?? "").dropFirst(6)) \($0["error"]?.text ?? "")"
        }
    }

    /// Whether the states become as expected; threads of the system need time to come back.
    func states(become isExpected: ([String]) -> Bool) throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(20)
        while try !isExpected(states()) {
            guard ContinuousClock.now < deadline else { return false }
            Thread.sleep(forTimeInterval: 0.01)
        }
        return true
    }
}

private func line(_ point: String, _ device: String, type: String = "ext4", root: String = "/") -> String {
    "1 1 \(device) \(root) \(point) rw - \(type) /dev/x rw"
}

struct FilesystemTests {
    @Test func sizesAreAsDfComputesThem() throws {
        let world = try FilesystemWorld([line("/", "8:1")])
        let entry = try #require(try world.sample().entries.first)
        #expect(entry["size_bytes"]?.number == 4_096_000 && entry["free_bytes"]?.number == 1_638_400)
        #expect(entry["available_bytes"]?.number == 1_228_800 && entry["used_bytes"]?.number == 2_457_600)
        #expect(entry["used_ratio"]?.number == 2.0 / 3)
        #expect(entry["files_total"]?.number?.isNaN == true && entry["files_used_ratio"]?.number?.isNaN == true)
        #expect(try #require(entry["stat_seconds"]?.number) >= 0)
    }

    @Test func aFilesystemIsShownOnce() throws {
        let world = try FilesystemWorld([
            line("/a/long/whole", "8:1"), line("/short", "8:1", root: "/folder"), line("/b", "8:2", root: "/x"),
            line("/c", "8:2", root: "/y"), line("/d", "8:3"),
        ])
        #expect(try world.states() == ["/a/long/whole OK ", "/b OK ", "/d OK "])
    }

    @Test func singleFilesAreNotShownButAnotherMountOfTheirDeviceIs() throws {
        let world = try FilesystemWorld([
            line("/h", "8:2", root: "/hosts"), line("/etc/name", "8:2", root: "/name"), line("/z", "8:3"),
            line("/srv/long", "8:2", root: "/v"), line("/only", "8:4", root: "/f"),
        ])
        world.statistics.files = ["/h", "/etc/name", "/only"]
        for _ in 0..<2 { #expect(try world.states() == ["/z OK ", "/srv/long OK "]) }
        #expect(world.statistics.asked.filter { $0 == "/h" || $0 == "/only" }.count == 2)
    }

    @Test func whatFailsIsTold() throws {
        let world = try FilesystemWorld([line("/stale", "0:1", type: "nfs"), line("/odd", "8:2"), line("/", "8:3")])
        world.statistics.failures = ["/stale": ESTALE, "/odd": 4_711]
        #expect(try world.states() == ["/stale ERROR ESTALE", "/odd ERROR errno 4711", "/ OK "])
        #expect(try world.sample().entries[0]["size_bytes"]?.number?.isNaN == true)
        world.statistics.failures = [:]
        #expect(try world.states() == ["/stale OK ", "/odd OK ", "/ OK "])
    }

    @Test func theMountListIsFollowed() throws {
        let world = try FilesystemWorld([line("/", "8:1")])
        #expect(try world.states() == ["/ OK "])
        #expect(world.notes.isEmpty)
        try world.write([line("/", "8:1"), line("/usb", "8:2")])
        #expect(try world.states() == ["/ OK ", "/usb OK "])
        try world.write([line("/proc", "0:1", type: "proc")])
        #expect(throws: CollectError.nothingUsable) { try world.sample() }
        try world.write([line("/usb", "8:2").replacing(" rw - ", with: " ro - ")])
        #expect(try world.states() == ["/usb OK "])
        #expect(
            world.notes == [
                Note(.info, "/usb is mounted"), Note(.warning, "/usb is read-only now"),
                Note(.info, "/ is not mounted any more"),
            ])
        // With the one that went.
        try world.write((1..<Limits.noteCountMax).map { line("/m\($0)", "8:\($0)") })
        world.notes = []
        _ = try world.sample()
        #expect(world.notes.count == Limits.noteCountMax)
        #expect(world.notes.allSatisfy { $0.text.hasSuffix("mounted") || $0.text.hasSuffix("any more") })
        try world.write((1..<Limits.noteCountMax + 2).map { line("/n\($0)", "8:\($0)") })
        world.notes = []
        _ = try world.sample()
        let changeCount = 2 * Limits.noteCountMax
        #expect(world.notes.count == Limits.noteCountMax)
        #expect(world.notes.last == Note(.info, "\(changeCount - Limits.noteCountMax + 1) more changes"))
        world.notes = []
        _ = try world.sample()
        #expect(world.notes.isEmpty)
    }

    @Test func patternsChooseByNameAndType() throws {
        let lines = [line("/", "8:1"), line("/data", "8:2", type: "xfs"), line("/data/b", "8:3")]
        var settings = EntrySettings()
        settings.include = try Pattern("/data.*")
        #expect(try FilesystemWorld(lines, settings: settings).states() == ["/data OK ", "/data/b OK "])
        settings.excludeType = try Pattern("x.s")
        #expect(try FilesystemWorld(lines, settings: settings).states() == ["/data/b OK "])
        settings = EntrySettings()
        settings.includeType = try Pattern("xfs")
        #expect(try FilesystemWorld(lines, settings: settings).states() == ["/data OK "])
        settings = EntrySettings()
        settings.exclude = try Pattern("/")
        #expect(try FilesystemWorld(lines, settings: settings).states() == ["/data OK ", "/data/b OK "])
    }

    @Test func thereIsABoundOfEntries() throws {
        var settings = EntrySettings()
        settings.entryCountMax = 2
        let world = try FilesystemWorld((1...3).map { line("/m\($0)", "8:\($0)") }, settings: settings)
        let (sample, entries) = try world.sample()
        #expect(entries.count == 2 && sample.suppressedCount == 1 && sample.entryCount == 2)
        #expect(Set(world.statistics.asked) == ["/m1", "/m2"])
        try world.write((1...2).map { line("/m\($0)", "8:\($0)") })
        #expect(try world.sample().sample.suppressedCount == 0)
    }

    @Test func whatDoesNotAnswerIsWaitedForOnceAndAskedAgainWhenItCameBack() throws {
        let world = try FilesystemWorld([line("/dead", "0:1", type: "nfs4"), line("/", "8:1")], timeoutSeconds: 1)
        world.statistics.held = ["/dead"]
        #expect(try world.states() == ["/dead UNRESPONSIVE ", "/ OK "])
        let begin = ContinuousClock.now
        for _ in 0..<3 { #expect(try world.states() == ["/dead UNRESPONSIVE ", "/ OK "]) }
        #expect(ContinuousClock.now - begin < .milliseconds(2_500))
        #expect(world.statistics.asked.filter { $0 == "/dead" }.count == 1)
        #expect(world.notes == [Note(.warning, "/dead does not answer")])
        world.statistics.held = []
        #expect(try world.states { $0 == ["/dead OK ", "/ OK "] })
        #expect(world.notes == [Note(.warning, "/dead does not answer"), Note(.info, "/dead answers again")])
    }

    @Test func deadServersLeaveThreadsForLocalFilesystemsAndTheseHaveABoundToo() throws {
        let servers = (1...13).map { line("/net\($0)", "0:\($0)", type: "nfs") }
        let disks = (1...6).map { line("/disk\($0)", "8:\($0)") }
        let world = try FilesystemWorld(servers + disks, timeoutSeconds: 1)
        world.statistics.held = Set((1...13).map { "/net\($0)" })
        let first = try world.states()
        #expect(first.prefix(12).allSatisfy { $0.hasSuffix(" UNRESPONSIVE ") })
        #expect(first[12] == "/net13 UNKNOWN " && first.suffix(6).allSatisfy { $0.hasSuffix(" OK ") })
        // Now the disks, too: four threads are left, and then none.
        world.statistics.held.formUnion((1...5).map { "/disk\($0)" })
        let second = try world.states().suffix(6)
        #expect(second.filter { $0.hasSuffix(" UNRESPONSIVE ") }.count == 4)
        #expect(second.suffix(2) == ["/disk5 UNKNOWN ", "/disk6 UNKNOWN "])
        world.statistics.held = []
        #expect(try world.states { $0.allSatisfy { $0.hasSuffix(" OK ") } })
    }

    @Test func processOneMayBeHidden() throws {
        let root = try TemporaryDirectory()
        try root.write("1 1 8:1 / / rw - ext4 /dev/own rw\n", to: "self/mountinfo")
        let registration = try #require(allCollectors.first { $0.channel.topic == "/filesystem" })
        let clock = ManualClock()
        let host = HostMetrics.Host(procfs: root.path, facts: facts) { clock.reading }
        let sampler = try registration.makeSampler(on: host)
        _ = try sampler.sample(registration.context(tick: 1))
        let message = try decode(sampler, schema: registration.channel.schema)
        #expect(message["filesystems[0].device"]?.text == "/dev/own")
        let nowhere = HostMetrics.Host(procfs: root.path + "/self", facts: facts) { clock.reading }
        #expect(throws: CollectError.open(errno: ENOENT)) { try registration.makeSampler(on: nowhere) }
    }
}

/// Real mounts, and the real statfs(2).
struct RealMountTests {
    private static func sampler(
        timeoutSeconds: Double, clock: @escaping () -> ClockReading = SystemClock().reading
    ) throws -> (Registration, any Sampling) {
        let registration = try #require(allCollectors.first { $0.channel.topic == "/filesystem" })
        let host = HostMetrics.Host(facts: facts, clock: clock)
        host.system.fileSystemTimeoutSeconds = timeoutSeconds
        return (registration, try registration.makeSampler(on: host))
    }

    private static func entries(
        _ registration: Registration, _ sampler: any Sampling, _ tick: UInt64
    ) throws -> (Sample, [String: WireValue]) {
        let sample = try sampler.sample(registration.context(tick: tick))
        let list = try decode(sampler, schema: registration.channel.schema)["filesystems"]?.entries ?? []
        return (sample, Dictionary(uniqueKeysWithValues: list.map { ($0["id"]?.text ?? "", $0) }))
    }

    @Test(.enabled(if: MountNamespace.canMountFilesystems))
    func aRealFilesystemThatNeverAnswersIsGivenUp() throws {
        let folder = try TemporaryDirectory()
        try folder.write("", to: "silent/file")
        let path = folder.path + "/silent"
        try MountNamespace.run { namespace in
            try namespace.showOwnMounts()
            let (registration, sampler) = try Self.sampler(timeoutSeconds: 1)
            let before = try Self.entries(registration, sampler, 1).1
            #expect(before[path] == nil)
            let process = try namespace.mountSilent(on: path)
            let clock = ContinuousClock()
            let first = try clock.measure {
                let (sample, entries) = try Self.entries(registration, sampler, 2)
                #expect(entries[path]?["state"]?.text == "STATE_UNRESPONSIVE")
                #expect(entries["/"]?["state"]?.text == "STATE_OK")
                #expect(sample.notes.contains(Note(.warning, "\(path) does not answer")))
            }
            #expect(first > .milliseconds(950))
            let second = try clock.measure {
                let entries = try Self.entries(registration, sampler, 3).1
                #expect(entries[path]?["state"]?.text == "STATE_UNRESPONSIVE")
            }
            #expect(second < .milliseconds(900))
            close(process)
            Thread.sleep(forTimeInterval: 0.2)
            let gone = try Self.entries(registration, sampler, 4).1[path]
            #expect(gone?["state"]?.text == "STATE_ERROR" && gone?["error"]?.text == "ENOTCONN")
            namespace.unmount(path)
            let after = try Self.entries(registration, sampler, 5).1
            #expect(after[path] == nil)
        }
    }

    /// As after an error: it is no mount that changed, so the kernel reports nothing.
    @Test(.enabled(if: MountNamespace.canMountFilesystems))
    func aFilesystemThatBecameReadOnlyIsSeenWithinAMinute() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path
        try MountNamespace.run { namespace in
            try namespace.showOwnMounts()
            try namespace.mount("disk", on: path, type: "tmpfs")
            let clock = ManualClock()
            let (registration, sampler) = try Self.sampler(timeoutSeconds: 10, clock: { clock.reading })
            let before = try Self.entries(registration, sampler, 1).1[path]
            #expect(before?["read_only"] == .bool(false))
            // In another namespace, so that this one is told nothing.
            try MountNamespace.run { other in
                try other.mount("disk", on: path, type: "tmpfs", flags: UInt(MS_REMOUNT | MS_RDONLY))
            }
            clock.advance(nanoseconds: 59_000_000_000)
            let meanwhile = try Self.entries(registration, sampler, 2).1[path]
            #expect(meanwhile?["read_only"] == .bool(false), "the kernel tells: the list need not be read again")
            clock.advance(nanoseconds: 1_000_000_000)
            let (sample, entries) = try Self.entries(registration, sampler, 3)
            #expect(entries[path]?["read_only"] == .bool(true))
            #expect(sample.notes == [Note(.warning, "\(path) is read-only now")])
        }
    }

    @Test(.enabled(if: MountNamespace.canMountFilesystems))
    func aThousandMountsAreFollowed() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path
        try MountNamespace.run { namespace in
            try namespace.showOwnMounts()
            try namespace.mount("parent", on: path, type: "tmpfs")
            for number in 0..<1_000 { _ = unsafe mkdir("\(path)/m\(number)", 0o700) }
            let (registration, sampler) = try Self.sampler(timeoutSeconds: 10)
            let before = try Self.entries(registration, sampler, 1).1.count
            for number in 0..<1_000 {
                try namespace.mount("t\(number)", on: "\(path)/m\(number)", type: "tmpfs", options: "size=64k")
            }
            let clock = ContinuousClock()
            var count = 0
            let changed = try clock.measure {
                let (sample, entries) = try Self.entries(registration, sampler, 2)
                count = entries.count + sample.suppressedCount
            }
            #expect(count == before + 1_000)
            let unchanged = try clock.measure { _ = try sampler.sample(registration.context(tick: 3)) }
            print("1,000 mounts: \(changed) when they came, \(unchanged) after that")
            // Whatever the machine: without the list a sample costs less than with it.
            #expect(unchanged < changed)
        }
    }
}
