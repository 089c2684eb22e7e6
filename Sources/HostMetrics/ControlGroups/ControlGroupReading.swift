/// What the files of one control group say; nil and NaN: not told.
package struct ControlGroupReading: Sendable {
    /// All devices together.
    package struct Storage: Equatable, Sendable {
        package var readBytes: UInt64 = 0
        package var writeBytes: UInt64 = 0
        package var reads: UInt64 = 0
        package var writes: UInt64 = 0
    }

    /// What only grows, in nanoseconds where it is time.
    enum Counter: Int, CaseIterable {
        case cpu, user, system, periods, throttledPeriods, throttled
        case cpuSome, cpuFull, memorySome, memoryFull, ioSome, ioFull
    }

    private var counters: [12 of UInt64] = .init(repeating: 0)
    /// A bit for each counter that is told.
    private(set) var known: UInt16 = 0
    var storage: Storage?
    var limitCores = Double.nan
    var memoryBytes: UInt64?
    var memoryLimitBytes: UInt64?
    var inactiveFileBytes: UInt64?
    var swapBytes: UInt64?
    var taskCount: UInt64?
    var taskLimit: UInt64?
    var outOfMemoryKills: UInt64?
    var parseErrorCount = 0

    init() {}

    /// Whether there is nothing: the group is gone.
    var isEmpty: Bool { known == 0 && storage == nil && memoryBytes == nil && taskCount == nil }

    var columns: Span<UInt64> {
        @_lifetime(borrow self) get { counters.span }
    }

    /// Nil: not told. `nanoseconds` is what a unit of the kernel's is worth; 1 for what is no time.
    subscript(counter: Counter, nanoseconds nanoseconds: UInt64) -> UInt64? {
        get { has(counter) ? counters[counter.rawValue] / nanoseconds : nil }
        set {
            guard let newValue else { return }
            let (product, overflowed) = newValue.multipliedReportingOverflow(by: nanoseconds)
            counters[counter.rawValue] = overflowed ? .max : product
            known |= 1 << UInt16(counter.rawValue)
        }
    }

    func has(_ counter: Counter) -> Bool { known & 1 << UInt16(counter.rawValue) != 0 }
}
