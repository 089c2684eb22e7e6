/// Control groups of version 2: one tree (cgroup-v2.rst).
struct UnifiedHierarchy: ~Copyable {
    private var files: ControlGroupFiles
    let root: String

    private var times = NamedNumbers([
        "usage_usec", "user_usec", "system_usec", "nr_periods", "nr_throttled", "throttled_usec",
    ])
    private var memory = NamedNumbers(["inactive_file"])
    private var events = NamedNumbers(["oom_kill"])
    private var stalls = PressureStalls()

    private static let microsecond: UInt64 = 1_000

    /// Nil: version 2 is not used here, or by no controller.
    init?(sysfs: String) {
        root = "\(sysfs)/fs/cgroup"
        guard FilePath("\(root)/cgroup.controllers").exists, let files = ControlGroupFiles(root: root) else {
            return nil
        }
        self.files = files
    }

    mutating func has(_ group: Span<UInt8>) -> Bool { files.has(group) }

    mutating func read(_ group: Span<UInt8>) -> ControlGroupReading {
        files.turn(to: group)
        var reading = ControlGroupReading()
        if files.read("/cpu.stat", into: &times) { addTimes(to: &reading) }
        if files.read("/cpu.max") { reading.limitCores = ControlGroupTexts.limitCores(parsing: files.text) }
        if files.read("/memory.stat", into: &memory) {
            reading.inactiveFileBytes = memory[0]
            reading.parseErrorCount += memory.parseErrorCount
        }
        if files.read("/memory.events", into: &events) {
            reading.outOfMemoryKills = events[0]
            reading.parseErrorCount += events.parseErrorCount
        }
        reading.memoryBytes = files.number("/memory.current")
        reading.memoryLimitBytes = files.number("/memory.max")
        reading.swapBytes = files.number("/memory.swap.current")
        reading.taskCount = files.number("/pids.current")
        reading.taskLimit = files.number("/pids.max")
        if files.read("/io.stat") { reading.storage = ControlGroupTexts.storage(parsing: files.text) }
        if files.read("/cpu.pressure", into: &stalls) { addStalls(.cpuSome, .cpuFull, to: &reading) }
        if files.read("/memory.pressure", into: &stalls) { addStalls(.memorySome, .memoryFull, to: &reading) }
        if files.read("/io.pressure", into: &stalls) { addStalls(.ioSome, .ioFull, to: &reading) }
        return reading
    }

    private func addTimes(to reading: inout ControlGroupReading) {
        reading[.cpu, nanoseconds: Self.microsecond] = times[0]
        reading[.user, nanoseconds: Self.microsecond] = times[1]
        reading[.system, nanoseconds: Self.microsecond] = times[2]
        reading[.periods, nanoseconds: 1] = times[3]
        reading[.throttledPeriods, nanoseconds: 1] = times[4]
        reading[.throttled, nanoseconds: Self.microsecond] = times[5]
        reading.parseErrorCount += times.parseErrorCount
    }

    private func addStalls(
        _ some: ControlGroupReading.Counter, _ full: ControlGroupReading.Counter, to reading: inout ControlGroupReading
    ) {
        reading[some, nanoseconds: Self.microsecond] = stalls.some.totalMicroseconds
        reading[full, nanoseconds: Self.microsecond] = stalls.full.totalMicroseconds
        reading.parseErrorCount += stalls.parseErrorCount
    }
}
