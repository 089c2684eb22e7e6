/// The `cpuN` lines of /proc/schedstat, versions 15 to 17 (Linux documentation: scheduler/sched-stats).
package struct SchedulerStatistics: KernelText {
    package struct Core: Sendable {
        /// The N of `cpuN`.
        package var id: UInt32
        /// Field 7: tasks ran.
        package var runNanoseconds: UInt64
        /// Field 8: tasks waited for their turn.
        package var waitNanoseconds: UInt64
        /// Field 9: times a task was given the CPU.
        package var timeslices: UInt64
    }

    /// Before that the fields had other meanings.
    private static let oldestVersion: UInt64 = 15
    private static let fieldCount = 9

    /// By ascending id.
    package private(set) var cores: [Core] = []
    package private(set) var parseErrorCount = 0

    package init() {}

    /// Finds no CPU in a text whose version is too old or not told. Later versions changed the lines of domains only.
    package mutating func parse(_ text: Span<UInt8>) {
        cores.removeAll(keepingCapacity: true)
        parseErrorCount = 0
        var cursor = ByteCursor(text)
        guard cursor.skip("version"), case .value(let version) = cursor.unsigned(), version >= Self.oldestVersion else {
            parseErrorCount = 1
            return
        }
        while !cursor.isAtEnd {
            if cursor.skip("cpu"), cores.count < NumberedEntries.countMax {
                if let core = Self.core(&cursor), core.id > cores.last?.id ?? 0 || cores.isEmpty {
                    cores.append(core)
                } else {
                    parseErrorCount += 1
                }
            }
            cursor.skipLine()
        }
    }

    private static func core(_ cursor: inout ByteCursor) -> Core? {
        let number = cursor.token()
        guard number.count <= 5, let id = number.unsignedValue else { return nil }
        var fields: [9 of UInt64] = .init(repeating: 0)
        for field in 0..<fieldCount {
            guard case .value(let value) = cursor.unsigned() else { return nil }
            fields[field] = value
        }
        return Core(
            id: UInt32(id), runNanoseconds: fields[6], waitNanoseconds: fields[7], timeslices: fields[8])
    }
}
