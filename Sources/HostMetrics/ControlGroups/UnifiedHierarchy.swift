/// Control groups of version 2: one tree (cgroup-v2.rst).
struct UnifiedHierarchy: ~Copyable {
    private var files: ControlGroupFiles
    let root: String

    private static let microsecond: UInt64 = 1_000

    /// Nil: version 2 is not used here, or by no controller.
    init?(sysfs: String) {
        root = "\(sysfs)/fs/cgroup"
        guard FilePath("\(root)/cgroup.controllers").exists, let files = ControlGroupFiles(root: root) else {
            return nil
        }
        self.files = files
    }

    mutating func exists(_ group: Span<UInt8>) -> Bool {
        files.turn(to: group)
        return files.exists()
    }

    mutating func read(_ group: Span<UInt8>) -> ControlGroupReading {
        files.turn(to: group)
        var reading = ControlGroupReading()
        if files.read("/cpu.stat") { Self.addTimes(files.text, to: &reading) }
        if files.read("/cpu.max") { reading.limitCores = ControlGroupTexts.limitCores(parsing: files.text) }
        if files.read("/memory.stat") {
            reading.inactiveFileBytes = ControlGroupTexts.number("inactive_file", in: files.text)
        }
        if files.read("/memory.events") {
            reading.outOfMemoryKills = ControlGroupTexts.number("oom_kill", in: files.text)
        }
        reading.memoryBytes = files.number("/memory.current")
        reading.memoryLimitBytes = files.number("/memory.max")
        reading.swapBytes = files.number("/memory.swap.current")
        reading.taskCount = files.number("/pids.current")
        reading.taskLimit = files.number("/pids.max")
        if files.read("/io.stat") { reading.storage = ControlGroupTexts.storage(parsing: files.text) }
        if files.read("/cpu.pressure") { Self.addStalls(files.text, .cpuSome, .cpuFull, to: &reading) }
        if files.read("/memory.pressure") { Self.addStalls(files.text, .memorySome, .memoryFull, to: &reading) }
        if files.read("/io.pressure") { Self.addStalls(files.text, .ioSome, .ioFull, to: &reading) }
        return reading
    }

    private static func addTimes(_ text: Span<UInt8>, to reading: inout ControlGroupReading) {
        func number(_ key: StaticString) -> UInt64? { ControlGroupTexts.number(key, in: text) }
        reading[.cpu, nanoseconds: microsecond] = number("usage_usec")
        reading[.user, nanoseconds: microsecond] = number("user_usec")
        reading[.system, nanoseconds: microsecond] = number("system_usec")
        reading[.periods, nanoseconds: 1] = number("nr_periods")
        reading[.throttledPeriods, nanoseconds: 1] = number("nr_throttled")
        reading[.throttled, nanoseconds: microsecond] = number("throttled_usec")
    }

    private static func addStalls(
        _ text: Span<UInt8>, _ some: ControlGroupReading.Counter, _ full: ControlGroupReading.Counter,
        to reading: inout ControlGroupReading
    ) {
        reading[some, nanoseconds: microsecond] = ControlGroupTexts.stallMicroseconds("some", in: text)
        reading[full, nanoseconds: microsecond] = ControlGroupTexts.stallMicroseconds("full", in: text)
    }
}
