package import Telemetry

/// Earlier readings that rates are computed against (metrics.md, 2.2).
///
/// A reading is a set of rows, one per device or CPU, each with the same columns. Counters are kept as running sums of
/// their differences, so that a wrap or a small step back is settled once, when it is seen; a row that was reset, or
/// that was missing in between, has no rate until a reading from after that is old enough.
///
/// Use: ``begin(at:context:)``, then for each row ``addCounters(id:isNarrow:_:)`` or ``addTimes(id:_:)`` and
/// ``difference(row:column:)``, then ``end(keepsBaseline:)``. Allocates only when more rows come than ever before.
package struct Baselines {
    /// What became of a row.
    package struct Row: Sendable {
        /// Its place until the next reading.
        package var slot: Int
        /// Whether there is something to compare it with.
        package var hasBaseline: Bool
        package var wasReset: Bool
    }

    /// How wide the kernel keeps a counter, and so where it begins anew.
    package enum Width: UInt64, Sendable {
        /// Halved counts of sectors in the words of a 32-bit kernel.
        case bits31 = 31
        case bits32 = 32
        case bits64 = 64
    }

    private struct Slot {
        var id: UInt64
        /// The reading that has its row last, and the first since which no reading lacked it.
        var lastSeen: UInt64
        var presentSince: UInt64
    }

    /// Earlier readings that are kept, the last of them for the sample just before.
    static let readingCountMax = 16
    /// A CPU line whose ticks fall by more began anew; less is the kernel's inexactness.
    static let tickFallMax = 300.0
    private static let suspendNanosecondsMax: UInt64 = 1_000_000_000
    private static let idleSecondsMin: UInt64 = 60_000_000_000

    private let columnCount: Int
    private var slotCapacity: Int
    private var slots: [Slot] = []
    /// By slot and column: the counters as read, and their running sums.
    private var raw: [UInt64]
    private var sums: [UInt64]
    /// By reading, slot and column.
    private var kept: [UInt64]
    private var times: [16 of UInt64] = .init(repeating: 0)
    private var sequences: [16 of UInt64] = .init(repeating: 0)
    /// Readings kept; the newest is at `newest`, older ones before it, round and round.
    private var keptCount = 0
    private var newest = 0

    private var sequence: UInt64 = 0
    private var now: UInt64 = 0
    private var windowNanoseconds: UInt64 = 0
    private var suspended: UInt64?
    /// The reading that this one is compared with, and the slot that probably comes next.
    private var baseline: Int?
    private var nextSlot = 0
    private var hasNewRow = false

    /// Seconds from the baseline to this reading; NaN without one.
    package private(set) var intervalSeconds = Double.nan
    /// Rows of this reading that were reset.
    package private(set) var resetCount = 0

    package init(columnCount: Int, rowCapacity: Int) {
        self.columnCount = columnCount
        slotCapacity = rowCapacity
        slots.reserveCapacity(rowCapacity)
        raw = Array(repeating: 0, count: rowCapacity * columnCount)
        sums = Array(repeating: 0, count: rowCapacity * columnCount)
        kept = Array(repeating: 0, count: Self.readingCountMax * rowCapacity * columnCount)
    }

    /// Begins a reading that was taken at `time`, and chooses what to compare it with.
    package mutating func begin(at time: Instant, context: SampleContext) {
        sequence += 1
        now = time.nanoseconds
        windowNanoseconds = UInt64(max(0, context.windowSeconds) * 1e9)
        nextSlot = 0
        hasNewRow = false
        resetCount = 0
        forgetWhatIsStale(context)
        chooseBaseline()
    }

    private mutating func forgetWhatIsStale(_ context: SampleContext) {
        if let suspended {
            let moved = max(suspended, context.suspendedNanoseconds) - min(suspended, context.suspendedNanoseconds)
            if moved > Self.suspendNanosecondsMax { keptCount = 0 }
        }
        suspended = context.suspendedNanoseconds
        guard keptCount > 0 else { return }
        let (periods, overflowed) = context.period.nanoseconds.multipliedReportingOverflow(by: 10)
        let limit = overflowed ? .max : max(periods, Self.idleSecondsMin)
        // A clock that steps back is no clock to measure by.
        if now <= times[newest] || now - times[newest] > limit { keptCount = 0 }
    }

    /// The newest reading that is old enough.
    private mutating func chooseBaseline() {
        baseline = nil
        intervalSeconds = .nan
        // A timer is late by some microseconds, now more, now less. Without tolerance every other sample of a channel
        // whose period equals its window would find the one before a trifle too young, and take a span twice as long.
        let least = windowNanoseconds / 100 * 95
        // How many of the newest are too young.
        var young = 0
        var end = keptCount
        while young < end {
            let middle = (young + end) / 2
            if now - times[place(ofAge: middle)] < least { young = middle + 1 } else { end = middle }
        }
        guard young < keptCount else { return }
        let chosen = place(ofAge: young)
        baseline = chosen
        intervalSeconds = Double(now - times[chosen]) / 1e9
    }

    private func place(ofAge age: Int) -> Int {
        (newest + Self.readingCountMax - age) % Self.readingCountMax
    }

    /// Adds a row of counters in the words of a 32-bit kernel (`isNarrow`) or of any other.
    package mutating func addCounters(id: UInt64, isNarrow: Bool, _ counters: Span<UInt64>) -> Row {
        addCounters(id: id, width: isNarrow ? .bits32 : .bits64, counters)
    }

    /// Adds a row of counters. A counter that fell wrapped where its width allows it, and else was reset, which makes
    /// the row new.
    package mutating func addCounters(id: UInt64, width: Width, _ counters: Span<UInt64>) -> Row {
        var row = place(id)
        let base = row.slot * columnCount
        if slots[row.slot].presentSince < sequence {
            row.wasReset = Self.advance(&raw, &sums, from: base, counters, width: width)
        } else {
            for column in counters.indices {
                raw[base + column] = counters[column]
                sums[base + column] = 0
            }
        }
        if row.wasReset { forget(&row) }
        return row
    }

    /// Adds a row of one counter.
    package mutating func addCounter(id: UInt64, width: Width, _ counter: UInt64) -> Row {
        let counters: [1 of UInt64] = [counter]
        return addCounters(id: id, width: width, counters.span)
    }

    /// Adds the differences to the sums; returns whether one of the counters was reset.
    @inline(__always)
    private static func advance(
        _ raw: inout [UInt64], _ sums: inout [UInt64], from base: Int, _ counters: Span<UInt64>, width: Width
    ) -> Bool {
        // Spans, so that it is checked once for the row and not for each number that the storage is ours alone.
        var raw = raw.mutableSpan
        var sums = sums.mutableSpan
        var wasReset = false
        for column in counters.indices {
            let new = counters[column]
            let old = raw[base + column]
            if new >= old {
                sums[base + column] &+= new - old
            } else if width != .bits64, let wrapped = wrappedDifference(from: old, to: new, width: width) {
                sums[base + column] &+= wrapped
            } else {
                wasReset = true
            }
            raw[base + column] = new
        }
        return wasReset
    }

    /// Adds a row of CPU times, which step back by some ticks in normal operation: the sums never do.
    package mutating func addTimes(id: UInt64, _ cpu: borrowing CPUTimes) -> Row {
        var row = place(id)
        let isKnown = slots[row.slot].presentSince < sequence
        row.wasReset = Self.advance(&sums, from: row.slot * columnCount, cpu, isKnown: isKnown)
        if row.wasReset { forget(&row) }
        return row
    }

    /// Raises the sums to the times, or replaces them; returns whether the line was reset.
    private static func advance(
        _ sums: inout [UInt64], from base: Int, _ cpu: borrowing CPUTimes, isKnown: Bool
    ) -> Bool {
        var sums = sums.mutableSpan
        var wasReset = false
        if isKnown {
            var fall = 0.0
            for column in 0..<8 { fall += Double(sums[base + column]) - Double(cpu.columns[column]) }
            wasReset = fall > tickFallMax
        }
        let isNew = wasReset || !isKnown
        for column in 0..<CPUTimes.columnCount {
            let new = cpu.columns[column]
            if isNew || new > sums[base + column] { sums[base + column] = new }
        }
        return wasReset
    }

    /// How much a column grew since the baseline, which the row must have.
    @inline(__always)
    package func difference(_ row: Row, column: Int) -> UInt64 {
        guard let baseline, row.hasBaseline else { return 0 }
        return sums[row.slot * columnCount + column]
            &- kept[(baseline * slotCapacity + row.slot) * columnCount + column]
    }

    /// Growth per second; NaN for a row without a baseline.
    @inline(__always)
    package func rate(_ row: Row, column: Int) -> Double {
        guard row.hasBaseline else { return .nan }
        return Double(difference(row, column: column)) / intervalSeconds
    }

    /// Growth per second of a row of one counter, which it adds.
    package mutating func rate(_ id: UInt64, _ width: Width, _ counter: UInt64) -> Double {
        let row = addCounter(id: id, width: width, counter)
        return rate(row, column: 0)
    }

    /// Ends the reading and makes it a baseline, unless nothing moved and the caller wants to keep what there is.
    package mutating func end(keepsBaseline: Bool = false) {
        guard !keepsBaseline || baseline == nil || hasNewRow else { return }
        advance()
        times[newest] = now
        sequences[newest] = sequence
        let start = newest * slotCapacity * columnCount
        let count = slots.count * columnCount
        Self.copy(sums, count, to: &kept, at: start)
    }

    private static func copy(_ sums: [UInt64], _ count: Int, to kept: inout [UInt64], at start: Int) {
        var kept = kept.mutableSpan
        let sums = sums.span
        for index in 0..<count { kept[start + index] = sums[index] }
    }

    /// Moves `newest` on, or leaves it where it is if the reading there is too close to the one before it.
    ///
    /// The sample just before is always kept, since it is what a slow channel measures from. Of the older ones only
    /// every k-th is, where the window would need more than there is room for: they lie so far apart that all of them
    /// together reach back over the window.
    private mutating func advance() {
        // Without a window only the sample just before is ever compared with: one place stays in the cache.
        guard keptCount > 0, windowNanoseconds > 0 else {
            keptCount = 1
            return
        }
        if keptCount > 1 {
            let before = (newest + Self.readingCountMax - 1) % Self.readingCountMax
            let spacing = windowNanoseconds / UInt64(Self.readingCountMax - 3)
            if times[newest] - times[before] < spacing { return }
        }
        newest = (newest + 1) % Self.readingCountMax
        keptCount = min(keptCount + 1, Self.readingCountMax)
    }

    /// The row's slot, taken anew if the reading before did not have it.
    @inline(__always)
    private mutating func place(_ id: UInt64) -> Row {
        var slot = nextSlot
        if slot >= slots.count || slots[slot].id != id || slots[slot].lastSeen + 1 != sequence { slot = search(id) }
        nextSlot = slot + 1
        slots[slot].lastSeen = sequence
        guard let baseline else { return Row(slot: slot, hasBaseline: false, wasReset: false) }
        return Row(slot: slot, hasBaseline: slots[slot].presentSince <= sequences[baseline], wasReset: false)
    }

    @inline(never)
    private mutating func search(_ id: UInt64) -> Int {
        var free: Int?
        for slot in slots.indices {
            if slots[slot].lastSeen + 1 == sequence {
                if slots[slot].id == id { return slot }
            } else if slots[slot].lastSeen < sequence, free == nil {
                free = slot
            }
        }
        let slot = free ?? addSlot()
        slots[slot].id = id
        slots[slot].presentSince = sequence
        hasNewRow = true
        return slot
    }

    private mutating func addSlot() -> Int {
        if slots.count == slotCapacity { growSlots() }
        slots.append(Slot(id: 0, lastSeen: 0, presentSince: 0))
        return slots.count - 1
    }

    private mutating func growSlots() {
        let capacity = max(4, slotCapacity * 2)
        var grown: [UInt64] = Array(repeating: 0, count: Self.readingCountMax * capacity * columnCount)
        for reading in 0..<Self.readingCountMax {
            for index in 0..<slotCapacity * columnCount {
                grown[reading * capacity * columnCount + index] = kept[reading * slotCapacity * columnCount + index]
            }
        }
        kept = grown
        raw.append(contentsOf: repeatElement(0, count: (capacity - slotCapacity) * columnCount))
        sums.append(contentsOf: repeatElement(0, count: (capacity - slotCapacity) * columnCount))
        slotCapacity = capacity
    }

    private mutating func forget(_ row: inout Row) {
        resetCount += 1
        row.hasBaseline = false
        slots[row.slot].presentSince = sequence
        hasNewRow = true
    }

    /// The difference of a narrow counter that fell because it wrapped; nil if it was reset.
    @inline(never)
    private static func wrappedDifference(from old: UInt64, to new: UInt64, width: Width) -> UInt64? {
        let range: UInt64 = 1 << width.rawValue
        guard old < range, old - new > range / 2 else { return nil }
        return new + range - old
    }
}

extension HostFacts {
    /// The width of counters that the kernel keeps in machine words.
    package var wordWidth: Baselines.Width { is32Bit ? .bits32 : .bits64 }
}
