/// Where a group is: in version 1 it has a path for each controller.
struct ControlGroupPaths: Equatable {
    var cpu: [UInt8]
    var accounting: [UInt8]
    var memory: [UInt8]
    var tasks: [UInt8]
    var storage: [UInt8]

    /// The same in all trees, as in version 2.
    init(all path: [UInt8]) {
        cpu = path
        accounting = path
        memory = path
        tasks = path
        storage = path
    }

    /// All become the root's.
    mutating func reset() {
        cpu.replace(with: "/")
        accounting.replace(with: "/")
        memory.replace(with: "/")
        tasks.replace(with: "/")
        storage.replace(with: "/")
    }

    mutating func replaceAll(with path: Span<UInt8>) {
        cpu.replace(with: path)
        accounting.replace(with: path)
        memory.replace(with: path)
        tasks.replace(with: path)
        storage.replace(with: path)
    }

    /// What the group is called: where it is only the root of some trees, its path in another.
    var name: [UInt8] {
        for path in [memory, accounting, cpu, tasks] where path.count > 1 { return path }
        return [UInt8(ascii: "/")]
    }
}

/// Control groups of version 1: a tree for each controller (cgroups(7)).
struct LegacyHierarchies: ~Copyable {
    private var cpu: ControlGroupFiles?
    private var accounting: ControlGroupFiles?
    private var memory: ControlGroupFiles?
    private var tasks: ControlGroupFiles?
    private var storage: ControlGroupFiles?
    /// The tree that is looked through for groups.
    let root: String
    private let nanosecondsPerTick: UInt64
    private var times = NamedNumbers(["user", "system"])
    private var periods = NamedNumbers(["nr_periods", "nr_throttled", "throttled_time"])
    private var memoryNumbers = NamedNumbers(["total_inactive_file", "total_swap"])
    private var kills = NamedNumbers(["oom_kill"])

    /// Without a limit the kernel tells the highest number of whole pages.
    private static let memoryLimitMax: UInt64 = 1 << 60

    /// Nil: version 1 is not used here.
    init?(sysfs: String, facts: HostFacts) {
        let folder = "\(sysfs)/fs/cgroup"
        nanosecondsPerTick = UInt64(1e9 / max(1, facts.userTickHertz))
        let places = ["memory", "cpuacct", "cpu,cpuacct", "cpu"].map { "\(folder)/\($0)" }
        guard let place = places.first(where: { FilePath($0).exists }) else { return nil }
        root = place
        cpu = ControlGroupFiles(root: "\(folder)/cpu") ?? ControlGroupFiles(root: "\(folder)/cpu,cpuacct")
        accounting = ControlGroupFiles(root: "\(folder)/cpuacct") ?? ControlGroupFiles(root: "\(folder)/cpu,cpuacct")
        memory = ControlGroupFiles(root: "\(folder)/memory")
        tasks = ControlGroupFiles(root: "\(folder)/pids")
        storage = ControlGroupFiles(root: "\(folder)/blkio")
    }

    /// The groups that /proc/PID/cgroup tells of; the root of a tree where the group is not seen from here, as in
    /// containers.
    mutating func find(_ paths: inout ControlGroupPaths, parsing text: Span<UInt8>) {
        Self.find(&paths.cpu, in: &cpu, ControlGroupPath.path(parsing: text, controller: "cpu"))
        Self.find(&paths.accounting, in: &accounting, ControlGroupPath.path(parsing: text, controller: "cpuacct"))
        Self.find(&paths.memory, in: &memory, ControlGroupPath.path(parsing: text, controller: "memory"))
        Self.find(&paths.tasks, in: &tasks, ControlGroupPath.path(parsing: text, controller: "pids"))
        Self.find(&paths.storage, in: &storage, ControlGroupPath.path(parsing: text, controller: "blkio"))
    }

    private static func find(_ result: inout [UInt8], in files: inout ControlGroupFiles?, _ path: Span<UInt8>) {
        if files?.has(path) == true { result.replace(with: path) } else { result.replace(with: "/") }
    }

    mutating func read(_ paths: ControlGroupPaths) -> ControlGroupReading {
        var reading = ControlGroupReading()
        readTimes(paths.accounting, into: &reading)
        readLimit(paths.cpu, into: &reading)
        readMemory(paths.memory, into: &reading)
        tasks?.turn(to: paths.tasks.span)
        reading.taskCount = tasks?.number("/pids.current")
        reading.taskLimit = tasks?.number("/pids.max")
        Self.readStorage(&storage, paths.storage, into: &reading)
        return reading
    }

    private mutating func readTimes(_ path: [UInt8], into reading: inout ControlGroupReading) {
        accounting?.turn(to: path.span)
        reading[.cpu, nanoseconds: 1] = accounting?.number("/cpuacct.usage")
        guard accounting?.read("/cpuacct.stat", into: &times) == true else { return }
        reading[.user, nanoseconds: nanosecondsPerTick] = times[0]
        reading[.system, nanoseconds: nanosecondsPerTick] = times[1]
        reading.parseErrorCount += times.parseErrorCount
    }

    private mutating func readLimit(_ path: [UInt8], into reading: inout ControlGroupReading) {
        cpu?.turn(to: path.span)
        // Without a limit the quota is -1, which is no number here.
        if let quota = cpu?.number("/cpu.cfs_quota_us"), let period = cpu?.number("/cpu.cfs_period_us"), period > 0 {
            reading.limitCores = Double(quota) / Double(period)
        }
        guard cpu?.read("/cpu.stat", into: &periods) == true else { return }
        reading[.periods, nanoseconds: 1] = periods[0]
        reading[.throttledPeriods, nanoseconds: 1] = periods[1]
        reading[.throttled, nanoseconds: 1] = periods[2]
        reading.parseErrorCount += periods.parseErrorCount
    }

    private mutating func readMemory(_ path: [UInt8], into reading: inout ControlGroupReading) {
        memory?.turn(to: path.span)
        reading.memoryBytes = memory?.number("/memory.usage_in_bytes")
        if let limit = memory?.number("/memory.limit_in_bytes"), limit < Self.memoryLimitMax {
            reading.memoryLimitBytes = limit
        }
        if memory?.read("/memory.oom_control", into: &kills) == true {
            reading.outOfMemoryKills = kills[0]
            reading.parseErrorCount += kills.parseErrorCount
        }
        guard memory?.read("/memory.stat", into: &memoryNumbers) == true else { return }
        reading.inactiveFileBytes = memoryNumbers[0]
        reading.swapBytes = memoryNumbers[1]
        reading.parseErrorCount += memoryNumbers.parseErrorCount
    }

    private static func readStorage(
        _ files: inout ControlGroupFiles?, _ path: [UInt8], into reading: inout ControlGroupReading
    ) {
        files?.turn(to: path.span)
        guard let bytes = readsAndWrites(&files, "/blkio.throttle.io_service_bytes_recursive") else { return }
        var storage = ControlGroupReading.Storage(readBytes: bytes.read, writeBytes: bytes.write)
        if let requests = readsAndWrites(&files, "/blkio.throttle.io_serviced_recursive") {
            storage.reads = requests.read
            storage.writes = requests.write
        }
        reading.storage = storage
    }

    private static func readsAndWrites(
        _ files: inout ControlGroupFiles?, _ leaf: StaticString
    ) -> (read: UInt64, write: UInt64)? {
        guard files?.read(leaf) == true, let text = files?.text else { return nil }
        return ControlGroupTexts.readsAndWrites(parsing: text)
    }
}

extension [UInt8] {
    /// Takes other bytes in the storage that is there.
    fileprivate mutating func replace(with bytes: Span<UInt8>) {
        removeAll(keepingCapacity: true)
        for index in bytes.indices { append(bytes[index]) }
    }

    fileprivate mutating func replace(with text: StaticString) {
        removeAll(keepingCapacity: true)
        append(text)
    }
}
