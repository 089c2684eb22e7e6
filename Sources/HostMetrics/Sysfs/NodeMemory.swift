/// What meminfo of a NUMA node says, in bytes and, for huge pages, in pages.
package struct NodeMemory: KernelText {
    package enum Field: Int, Sendable {
        case total, free, active, inactive, file, anonymous, mapped, shmem, dirty, writeback, slab, slabReclaimable
        case kernelStack, pageTables, hugePagesTotal, hugePagesFree, hugePagesSurplus
    }

    private static let fieldCount = 17
    /// In the order of ``Field``.
    private static let names: [17 of StaticString] = [
        "MemTotal:", "MemFree:", "Active:", "Inactive:", "FilePages:", "AnonPages:", "Mapped:", "Shmem:", "Dirty:",
        "Writeback:", "Slab:", "SReclaimable:", "KernelStack:", "PageTables:", "HugePages_Total:", "HugePages_Free:",
        "HugePages_Surp:",
    ]

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
        guard values[field].isNaN else { return }
        cursor.skipBlanks()
        values[field] = Double(value) * (cursor.skip("kB") ? 1_024 : 1)
    }

    private static func field(_ name: Span<UInt8>) -> Int? {
        for field in 0..<fieldCount where name.equals(names[field]) { return field }
        return nil
    }
}
