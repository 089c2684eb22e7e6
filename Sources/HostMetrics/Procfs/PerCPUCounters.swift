package import TelemetrySchema

/// Follows the counters of a ``PerCPUTable`` from one reading to the next, line by line and CPU by CPU.
///
/// The kernel counts each CPU in 32 bits (`kstat_irqs`), so a busy line wraps within hours or days: differences are
/// taken by CPU and added up. A CPU that goes offline takes its column along, and brings it back.
package struct PerCPUCounters: KernelText, ~Copyable {
    package struct Line: Sendable {
        /// The sum over all CPUs: what was first read, and what came since. Does not fall when a CPU's counter wraps.
        package fileprivate(set) var total: UInt64 = 0
        /// What was counted since the line is known.
        package fileprivate(set) var moved: UInt64 = 0
        /// Another one after each reset: for baselines.
        package fileprivate(set) var generation: UInt64 = 0
        /// Share of the CPU that counted most since the reading before; NaN: none did.
        package fileprivate(set) var busiestShare = Double.nan
        package fileprivate(set) var wasReset = false
        package fileprivate(set) var name = LineName()

        fileprivate var description = 0..<0
        /// The reading that had it last.
        fileprivate var lastSeen: UInt64 = 0
    }

    /// The most that is kept of a description.
    package static let descriptionByteCountMax = 128
    /// Of a counter that no reading had so far.
    private static let unknown = UInt64.max

    private let lineCountMax: Int
    private var filter: EntryFilter
    private var table = PerCPUTable()
    private var slots: [Line] = []
    /// Counters by slot and CPU.
    private var cells: [UInt64] = []
    private var cpuCapacity = 0
    private var descriptions: [UInt8] = []
    private var reading: UInt64 = 0
    private var generation: UInt64 = 0
    private var nextSlot = 0
    private var numberedCountRest = 0
    /// The slots of this reading's lines, in the text's order.
    private var order: [Int] = []

    /// Lines that the filter lets through and that there was no room for.
    package private(set) var suppressedCount = 0
    package private(set) var parseErrorCount = 0
    /// Whether the text could be read at all.
    package private(set) var isUsable = false

    package init(lineCountMax: Int, filter: EntryFilter) {
        self.lineCountMax = lineCountMax
        self.filter = filter
    }

    package var count: Int { order.count }
    package subscript(index: Int) -> Line { slots[order[index]] }

    /// What the text says behind the counters, blanks in a row made one.
    package func appendDescription(_ index: Int, to arena: inout TextArena) -> Text {
        arena.append(descriptions.span.extracting(slots[order[index]].description))
    }

    package mutating func parse(_ text: Span<UInt8>) {
        reading += 1
        order.removeAll(keepingCapacity: true)
        descriptions.removeAll(keepingCapacity: true)
        suppressedCount = 0
        nextSlot = 0
        isUsable = false
        var errorCount = 0
        var cursor = ByteCursor(text)
        if table.readHeading(&cursor) {
            makeRoomForCPUs()
            numberedCountRest = numberedCountMax(text.extracting(droppingFirst: cursor.offset))
            while let row = table.next(&cursor) {
                isUsable = true
                if !add(row, text) { errorCount += 1 }
            }
        }
        parseErrorCount = table.parseErrorCount + errorCount
    }

    /// How many lines with numbers there is room for. Where not all fit, the lines with names stay, which come last:
    /// they are few, each machine has them, and they tell most.
    private mutating func numberedCountMax(_ lines: Span<UInt8>) -> Int {
        var lineCount = 0
        var namedCount = 0
        var cursor = ByteCursor(lines)
        while !cursor.isAtEnd {
            cursor.skipBlanks()
            let name = cursor.token()
            cursor.skipLine()
            guard name.count > 1, filter.admits(name.extracting(first: name.count - 1)) else { continue }
            lineCount += 1
            if !Self.isDigit(name[0]) { namedCount += 1 }
        }
        return lineCount > lineCountMax ? max(0, lineCountMax - namedCount) : lineCountMax
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    /// Returns false for a second line of a name.
    private mutating func add(_ row: PerCPUTable.Row, _ text: Span<UInt8>) -> Bool {
        let name = text.extracting(row.name)
        guard filter.admits(name) else { return true }
        let isNumbered = Self.isDigit(name[0])
        guard order.count < lineCountMax, !isNumbered || numberedCountRest > 0 else {
            suppressedCount += 1
            return true
        }
        let slot = place(of: name)
        guard slots[slot].lastSeen != reading else { return false }
        if isNumbered { numberedCountRest -= 1 }
        slots[slot].lastSeen = reading
        order.append(slot)
        advance(slot, isPerCPU: row.isPerCPU)
        keepDescription(text.extracting(row.description), slot)
        return true
    }

    /// The slot that had the line in the reading before, or an empty one.
    private mutating func place(of name: Span<UInt8>) -> Int {
        var slot = nextSlot
        if slot >= slots.count || slots[slot].lastSeen + 1 != reading || !slots[slot].name.equals(name) {
            slot = search(name)
        }
        nextSlot = slot + 1
        return slot
    }

    private mutating func search(_ name: Span<UInt8>) -> Int {
        var free: Int?
        for slot in slots.indices {
            if slots[slot].lastSeen + 1 < reading {
                free = free ?? slot
            } else if slots[slot].name.equals(name) {
                return slot
            }
        }
        let slot = free ?? slots.count
        if slot == slots.count {
            slots.append(Line())
            cells.append(contentsOf: repeatElement(Self.unknown, count: cpuCapacity))
        } else {
            for cell in slot * cpuCapacity..<(slot + 1) * cpuCapacity { cells[cell] = Self.unknown }
        }
        slots[slot] = Line()
        slots[slot].name = LineName(name)
        renew(slot)
        return slot
    }

    private mutating func renew(_ slot: Int) {
        generation += 1
        slots[slot].generation = generation
        slots[slot].moved = 0
        slots[slot].total = 0
    }

    private mutating func advance(_ slot: Int, isPerCPU: Bool) {
        // A line with one counter has it in the first CPU's place.
        let first = slot * cpuCapacity
        var step = Step()
        if isPerCPU {
            step.add(table, after: &cells, from: first)
        } else {
            step.add(table.counts[0], after: &cells[first])
        }
        if step.wasReset { renew(slot) }
        slots[slot].wasReset = step.wasReset
        slots[slot].total &+= step.wasReset ? step.sum : step.moved &+ step.new
        slots[slot].moved &+= step.wasReset ? 0 : step.moved
        let hasShare = isPerCPU && !step.wasReset && step.moved > 0
        slots[slot].busiestShare = hasShare ? Double(step.busiest) / Double(step.moved) : .nan
    }

    /// What became of a line's counters.
    private struct Step {
        /// Of the counters as they are.
        var sum: UInt64 = 0
        /// Of those that were not known before.
        var new: UInt64 = 0
        /// Of the differences, and the largest of them.
        var moved: UInt64 = 0
        var busiest: UInt64 = 0
        var wasReset = false

        @inline(__always)
        mutating func add(_ value: UInt64, after cell: inout UInt64) {
            let old = cell
            cell = value
            sum &+= value
            guard old != PerCPUCounters.unknown else {
                new &+= value
                return
            }
            var difference = value &- old
            if value < old {
                guard old < 1 << 32, old - value > 1 << 31 else {
                    wasReset = true
                    return
                }
                difference = value + (1 << 32) - old
            }
            moved &+= difference
            busiest = max(busiest, difference)
        }

        /// A row's counters, each after the cell of its CPU.
        mutating func add(_ table: borrowing PerCPUTable, after cells: inout [UInt64], from first: Int) {
            // Spans, so that it is checked once for the line and not for each number that the storage is ours alone.
            var cells = cells.mutableSpan
            let counts = table.counts.span
            let cpus = table.cpus.span
            for column in cpus.indices where cpus[column] >= 0 {
                add(counts[column], after: &cells[first + cpus[column]])
            }
        }
    }

    private mutating func keepDescription(_ text: Span<UInt8>, _ slot: Int) {
        let start = descriptions.count
        for index in text.indices where descriptions.count - start < Self.descriptionByteCountMax {
            let isBlank = ByteCursor.isBlank(text[index])
            if isBlank, index > 0, ByteCursor.isBlank(text[index - 1]) { continue }
            descriptions.append(isBlank ? UInt8(ascii: " ") : text[index])
        }
        slots[slot].description = start..<descriptions.count
    }

    /// Moves the counters where a CPU has a higher number than all before.
    private mutating func makeRoomForCPUs() {
        let needed = (table.cpus.max() ?? 0) + 1
        guard needed > cpuCapacity else { return }
        var grown: [UInt64] = Array(repeating: Self.unknown, count: slots.count * needed)
        for slot in slots.indices {
            for cpu in 0..<cpuCapacity { grown[slot * needed + cpu] = cells[slot * cpuCapacity + cpu] }
        }
        cells = grown
        cpuCapacity = needed
    }
}

/// A line's name, without an allocation.
package struct LineName: Sendable {
    private var storage: [16 of UInt8] = .init(repeating: 0)
    private var count = 0

    fileprivate init() {}

    fileprivate init(_ name: Span<UInt8>) {
        count = min(name.count, PerCPUTable.nameByteCountMax)
        for index in 0..<count { storage[index] = name[index] }
    }

    package var bytes: Span<UInt8> {
        @_lifetime(borrow self) get { storage.span.extracting(first: count) }
    }

    fileprivate func equals(_ name: Span<UInt8>) -> Bool { bytes.equals(name) }
}
