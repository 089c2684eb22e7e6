/// What meminfo of a NUMA node says, in bytes and, for huge pages, in pages.
package struct NodeMemory: KernelText {
    package enum Field: Int, CaseIterable, Sendable {
        case total, free, active, inactive, file, anonymous, mapped, shmem, dirty, writeback, slab, slabReclaimable
        case kernelStack, pageTables, hugePagesTotal, hugePagesFree, hugePagesSurplus

        fileprivate var name: StaticString {
            switch self {
            case .total: "MemTotal:"
            case .free: "MemFree:"
            case .active: "Active:"
            case .inactive: "Inactive:"
            case .file: "FilePages:"
            case .anonymous: "AnonPages:"
            case .mapped: "Mapped:"
            case .shmem: "Shmem:"
            case .dirty: "Dirty:"
            case .writeback: "Writeback:"
            case .slab: "Slab:"
            case .slabReclaimable: "SReclaimable:"
            case .kernelStack: "KernelStack:"
            case .pageTables: "PageTables:"
            case .hugePagesTotal: "HugePages_Total:"
            case .hugePagesFree: "HugePages_Free:"
            case .hugePagesSurplus: "HugePages_Surp:"
            }
        }
    }

    private var values: [17 of Double] = .init(repeating: .nan)
    package private(set) var parseErrorCount = 0

    package init() {}

    /// NaN: no such line, or no valid number in it.
    package subscript(field: Field) -> Double { values[field.rawValue] }

    /// Lines such as `Node 0 MemTotal:       24684084 kB`.
    package mutating func parse(_ text: Span<UInt8>) {
        values = .init(repeating: .nan)
        parseErrorCount = 0
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            parseLine(&cursor)
            cursor.skipLine()
        }
    }

    private mutating func parseLine(_ cursor: inout ByteCursor) {
        cursor.skipBlanks()
        guard !cursor.isAtLineEnd else { return }
        guard cursor.skip("Node"), case .value = cursor.unsigned() else {
            parseErrorCount += 1
            return
        }
        let name = cursor.token()
        guard let field = Self.field(name) else { return }
        guard case .value(let value) = cursor.unsigned() else {
            parseErrorCount += 1
            return
        }
        // The first of several lines of one name counts.
        guard values[field.rawValue].isNaN else { return }
        cursor.skipBlanks()
        values[field.rawValue] = Double(value) * (cursor.skip("kB") ? 1_024 : 1)
    }

    private static func field(_ name: Span<UInt8>) -> Field? {
        for field in Field.allCases where name.equals(field.name) { return field }
        return nil
    }
}
