/// What /proc/meminfo says (proc_meminfo(5)), in bytes and, for `HugePages_*`, in pages.
///
/// Lines are learned at first sight: afterwards a line costs one comparison with what was there last time, and only a
/// line that is new is looked up by its name.
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

    /// A line as it was last time: its name with the colon and the blanks behind it, and what it is for.
    private struct Line {
        var length: UInt8
        /// Field.rawValue, or -1 for a line that is not used.
        var slot: Int8
        var isPageCount: Bool
    }

    private static let lineCountMax = 256
    /// Longer names are looked up each time.
    private static let nameByteCountMax = 40

    private var lines: [Line] = []
    private var names: [UInt8] = []
    private var values: [64 of UInt64] = .init(repeating: 0)
    /// A bit for each field that has a value.
    private var known: UInt64 = 0
    package private(set) var parseErrorCount = 0

    package init() {
        lines.reserveCapacity(Self.lineCountMax)
        names.reserveCapacity(Self.lineCountMax * Self.nameByteCountMax)
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
        known = 0
        parseErrorCount = 0
        var cursor = ByteCursor(text)
        var index = 0
        while !cursor.isAtEnd {
            if index < lines.count {
                let line = lines[index]
                let start = index * Self.nameByteCountMax
                if line.length > 0, cursor.skip(names.span.extracting(start..<start + Int(line.length))) {
                    if line.slot >= 0 { parseValue(&cursor, slot: Int(line.slot), isPageCount: line.isPageCount) }
                    // How most lines end; saves the search for the newline.
                    if !cursor.skipKilobytesLine() { cursor.skipLine() }
                    index += 1
                    continue
                }
            }
            parseNewLine(&cursor, index: index)
            index += 1
        }
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
    private mutating func parseNewLine(_ cursor: inout ByteCursor, index: Int) {
        let line = cursor.line()
        var colon = 0
        while colon < line.count, line[colon] != UInt8(ascii: ":") { colon += 1 }
        guard colon > 0, colon < line.count else {
            if !line.trimmed.isEmpty { parseErrorCount += 1 }
            return
        }
        let name = line.extracting(first: colon)
        var field: Field?
        for candidate in Field.allCases where name.equals(candidate.name) {
            field = candidate
            break
        }
        // With the blanks, which are as many next time unless the number has got another digit.
        var valueStart = colon + 1
        while valueStart < line.count, ByteCursor.isBlank(line[valueStart]) { valueStart += 1 }
        learn(line.extracting(first: valueStart), field: field, index: index)
        guard let field else { return }
        var rest = ByteCursor(line.extracting(droppingFirst: colon + 1))
        parseValue(&rest, slot: field.rawValue, isPageCount: field.isPageCount)
    }

    private mutating func learn(_ name: Span<UInt8>, field: Field?, index: Int) {
        guard name.count <= Self.nameByteCountMax, index < Self.lineCountMax else { return }
        while lines.count <= index {
            // Stands for a line that was not learned.
            lines.append(Line(length: 0, slot: -1, isPageCount: false))
            names.append(contentsOf: repeatElement(0, count: Self.nameByteCountMax))
        }
        for offset in name.indices { names[index * Self.nameByteCountMax + offset] = name[offset] }
        lines[index] = Line(
            length: UInt8(name.count), slot: Int8(field?.rawValue ?? -1), isPageCount: field?.isPageCount ?? false)
    }
}
