/// What /proc/meminfo says (proc_meminfo(5)), in bytes and, for `HugePages_*`, in pages.
///
/// The kernel pads its numbers, so lines stay where they are: their places are learned, and as long as each line in use
/// begins as it did, nothing else is looked at.
package struct MemoryInfo: KernelText {
    /// The lines that are used.
    package enum Field: Int, CaseIterable, Sendable {
        case total, free, available, buffers, cached, swapCached, active, inactive, activeFile, inactiveFile,
            unevictable
        case locked, dirty, writeback, anonymous, mapped, shmem, slab, slabReclaimable, slabUnreclaimable, kernelStack
        case pageTables, percpu, vmallocUsed, commitLimit, committed, anonymousHuge, hardwareCorrupted, zswap, zswapped
        case swapTotal, swapFree, hugePageSize, hugePagesTotal, hugePagesFree, hugePagesReserved, hugePagesSurplus

        var name: StaticString {
            switch self {
            case .total: "MemTotal"
            case .free: "MemFree"
            case .available: "MemAvailable"
            case .buffers: "Buffers"
            case .cached: "Cached"
            case .swapCached: "SwapCached"
            case .active: "Active"
            case .inactive: "Inactive"
            case .activeFile: "Active(file)"
            case .inactiveFile: "Inactive(file)"
            case .unevictable: "Unevictable"
            case .locked: "Mlocked"
            case .dirty: "Dirty"
            case .writeback: "Writeback"
            case .anonymous: "AnonPages"
            case .mapped: "Mapped"
            case .shmem: "Shmem"
            case .slab: "Slab"
            case .slabReclaimable: "SReclaimable"
            case .slabUnreclaimable: "SUnreclaim"
            case .kernelStack: "KernelStack"
            case .pageTables: "PageTables"
            case .percpu: "Percpu"
            case .vmallocUsed: "VmallocUsed"
            case .commitLimit: "CommitLimit"
            case .committed: "Committed_AS"
            case .anonymousHuge: "AnonHugePages"
            case .hardwareCorrupted: "HardwareCorrupted"
            case .zswap: "Zswap"
            case .zswapped: "Zswapped"
            case .swapTotal: "SwapTotal"
            case .swapFree: "SwapFree"
            case .hugePageSize: "Hugepagesize"
            case .hugePagesTotal: "HugePages_Total"
            case .hugePagesFree: "HugePages_Free"
            case .hugePagesReserved: "HugePages_Rsvd"
            case .hugePagesSurplus: "HugePages_Surp"
            }
        }

        /// Page counts, which stay what they are.
        var isPageCount: Bool {
            switch self {
            case .hugePagesTotal, .hugePagesFree, .hugePagesReserved, .hugePagesSurplus: true
            default: false
            }
        }
    }

    /// Where a line that is used lay last time, and what it began with: the newline before it, its name with the
    /// colon, and the blanks behind it.
    private struct Place {
        var start: Int
        var key: Range<Int>
        var slot: Int
        /// Bytes per unit of the number; 1 for page counts.
        var scale: UInt64
    }

    private var places: [Place] = []
    private var keys: [UInt8] = []
    /// Length of the text that the places were learned from; -1: none.
    private var learnedByteCount = -1
    private var values: [64 of UInt64] = .init(repeating: 0)
    /// A bit for each field that has a value.
    private var known: UInt64 = 0
    package private(set) var parseErrorCount = 0

    package init() {
        places.reserveCapacity(Field.allCases.count)
        keys.reserveCapacity(Field.allCases.count * 32)
    }

    /// nil: no such line, or no valid number in it.
    package subscript(field: Field) -> UInt64? {
        known & (1 << UInt64(field.rawValue)) != 0 ? values[field.rawValue] : nil
    }

    /// NaN: no such line, or no valid number in it.
    @inline(__always)
    package func number(_ field: Field) -> Double {
        known & (1 << UInt64(field.rawValue)) != 0 ? Double(values[field.rawValue]) : .nan
    }

    package mutating func parse(_ text: Span<UInt8>) {
        // Learned from a text without errors, so all fields are known as they were.
        if text.count == learnedByteCount, Self.parse(text, at: places, keys, into: &values) { return }
        parseAndLearn(text)
    }

    /// Looks only where the lines in use lay last time. Returns false if one of them is not there, or its number is
    /// out of the ordinary.
    private static func parse(
        _ text: Span<UInt8>, at places: [Place], _ keys: [UInt8], into values: inout [64 of UInt64]
    ) -> Bool {
        var cursor = ByteCursor(text)
        for place in places {
            cursor.move(to: place.start)
            guard cursor.skip(keys.span.extracting(place.key)), let value = cursor.shortUnsigned() else { return false }
            values[place.slot] = value &* place.scale
        }
        return true
    }

    @inline(__always)
    private mutating func parseValue(_ cursor: inout ByteCursor, slot: Int, isPageCount: Bool) {
        guard case .value(var value) = cursor.unsigned() else {
            parseErrorCount += 1
            return
        }
        let bit: UInt64 = 1 << UInt64(slot)
        // The first of several lines of one name counts.
        guard known & bit == 0 else { return }
        if !isPageCount {
            guard value < 1 << 54 else {
                parseErrorCount += 1
                return
            }
            value *= 1_024
        }
        values[slot] = value
        known |= bit
    }

    @inline(never)
    private mutating func parseAndLearn(_ text: Span<UInt8>) {
        known = 0
        parseErrorCount = 0
        places.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let start = cursor.offset
            let line = cursor.line()
            var colon = 0
            while colon < line.count, line[colon] != UInt8(ascii: ":") { colon += 1 }
            guard colon > 0, colon < line.count else {
                if !line.trimmed.isEmpty { parseErrorCount += 1 }
                continue
            }
            let name = line.extracting(first: colon)
            var field: Field?
            for candidate in Field.allCases where name.equals(candidate.name) {
                field = candidate
                break
            }
            guard let field else { continue }
            // With the blanks, which are as many next time unless the number has got another digit.
            var valueStart = colon + 1
            while valueStart < line.count, ByteCursor.isBlank(line[valueStart]) { valueStart += 1 }
            learn(text, from: max(0, start - 1), to: start + valueStart, field)
            var rest = ByteCursor(line.extracting(droppingFirst: colon + 1))
            parseValue(&rest, slot: field.rawValue, isPageCount: field.isPageCount)
        }
        // Errors are counted each time, so each time looked for.
        learnedByteCount = parseErrorCount == 0 && places.count == known.nonzeroBitCount ? text.count : -1
    }

    private mutating func learn(_ text: Span<UInt8>, from start: Int, to end: Int, _ field: Field) {
        let keyStart = keys.count
        for offset in start..<end { keys.append(text[offset]) }
        places.append(
            Place(
                start: start, key: keyStart..<keys.count, slot: field.rawValue,
                scale: field.isPageCount ? 1 : 1_024))
    }
}
