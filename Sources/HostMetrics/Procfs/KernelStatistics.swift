/// What /proc/stat says, in storage that is used again for each reading.
package struct KernelStatistics: KernelText, ~Copyable {
    package struct Core: Sendable {
        /// The N of `cpuN`.
        package var id: UInt32
        package var times: CPUTimes
    }

    /// The lines that are not about CPUs; nil: no such line, or no number in it.
    package struct Activity: Equatable, Sendable {
        package var contextSwitches: UInt64?
        package var interrupts: UInt64?
        package var softirqs: UInt64?
        package var forks: UInt64?
        package var running: UInt64?
        package var blocked: UInt64?
        package var bootTime: UInt64?

        package init() {}
    }

    /// Lines of the kernel that are read once, so that the first of a name counts even if it is invalid.
    private struct Seen: OptionSet {
        let rawValue: UInt8
        static let contextSwitches = Seen(rawValue: 1)
        static let interrupts = Seen(rawValue: 2)
        static let softirqs = Seen(rawValue: 4)
        static let forks = Seen(rawValue: 8)
        static let running = Seen(rawValue: 16)
        static let blocked = Seen(rawValue: 32)
        static let bootTime = Seen(rawValue: 64)
    }

    /// The `cpu` line: all possible CPUs together.
    package private(set) var total: CPUTimes?
    /// The `cpuN` lines, by ascending id.
    package private(set) var cores: [Core] = []
    package private(set) var activity = Activity()
    /// Invalid tokens and dropped lines, by the channel that they are missing from.
    package private(set) var totalParseErrorCount = 0
    package private(set) var coresParseErrorCount = 0
    package private(set) var activityParseErrorCount = 0
    private var seen = Seen()

    package init() {}

    package mutating func parse(_ text: Span<UInt8>) {
        total = nil
        cores.removeAll(keepingCapacity: true)
        activity = Activity()
        totalParseErrorCount = 0
        coresParseErrorCount = 0
        activityParseErrorCount = 0
        seen = Seen()
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            cursor.skipBlanks()
            switch cursor.next {
            case UInt8(ascii: "c"):
                if cursor.skip("cpu") {
                    parseCPU(&cursor)
                } else if cursor.skip("ctxt") {
                    if let value = first(&cursor, .contextSwitches) { activity.contextSwitches = value }
                }
            case UInt8(ascii: "i"):
                if cursor.skip("intr"), let value = first(&cursor, .interrupts) { activity.interrupts = value }
            case UInt8(ascii: "s"):
                if cursor.skip("softirq"), let value = first(&cursor, .softirqs) { activity.softirqs = value }
            case UInt8(ascii: "b"):
                if cursor.skip("btime"), let value = first(&cursor, .bootTime) { activity.bootTime = value }
            case UInt8(ascii: "p"):
                if cursor.skip("processes") {
                    if let value = first(&cursor, .forks) { activity.forks = value }
                } else if cursor.skip("procs_running") {
                    if let value = first(&cursor, .running) { activity.running = value }
                } else if cursor.skip("procs_blocked") {
                    if let value = first(&cursor, .blocked) { activity.blocked = value }
                }
            default: break
            }
            cursor.skipLine()
        }
    }

    /// The first number of a line, for which alone the line is read: `intr` and `softirq` go on with a number each per
    /// line or vector.
    @inline(__always)
    private mutating func first(_ cursor: inout ByteCursor, _ line: Seen) -> UInt64?? {
        guard cursor.isAtLineEnd || ByteCursor.isBlank(cursor.next), seen.insert(line).inserted else { return nil }
        if case .value(let value) = cursor.unsigned() { return value }
        activityParseErrorCount += 1
        return .some(nil)
    }

    private mutating func parseCPU(_ cursor: inout ByteCursor) {
        if cursor.isAtLineEnd || ByteCursor.isBlank(cursor.next) {
            guard total == nil else { return }
            total = CPUTimes.parse(&cursor, parseErrorCount: &totalParseErrorCount)
            return
        }
        var id: UInt32 = 0
        var digits = 0
        while cursor.next >= UInt8(ascii: "0"), cursor.next <= UInt8(ascii: "9"), digits < 5 {
            id = id * 10 + UInt32(cursor.next - UInt8(ascii: "0"))
            digits += 1
            _ = cursor.skip(byte: cursor.next)
        }
        guard digits > 0, cursor.isAtLineEnd || ByteCursor.isBlank(cursor.next) else { return }
        guard let times = CPUTimes.parse(&cursor, parseErrorCount: &coresParseErrorCount) else { return }
        let core = Core(id: id, times: times)
        // The kernel prints them in order.
        guard let last = cores.last, last.id >= id else { return cores.append(core) }
        let index = cores.firstIndex { $0.id >= id } ?? cores.count
        if cores[index].id != id { cores.insert(core, at: index) }
    }
}
