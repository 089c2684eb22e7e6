/// What numastat of a NUMA node says (Linux documentation: admin-guide/numastat), in pages since boot.
package struct NodeCounters: KernelText {
    package enum Column {
        package static let hit = 0
        package static let miss = 1
        package static let foreign = 2
        package static let interleaveHit = 3
        package static let localNode = 4
        package static let otherNode = 5
    }

    package static let columnCount = 6
    private static let names: [6 of StaticString] = [
        "numa_hit", "numa_miss", "numa_foreign", "interleave_hit", "local_node", "other_node",
    ]

    /// 0: no such line, or no valid number in it.
    package private(set) var columns: [6 of UInt64] = .init(repeating: 0)
    private var known: UInt8 = 0
    package private(set) var parseErrorCount = 0

    package init() {}

    package var isEmpty: Bool { known == 0 }
    package func isKnown(_ column: Int) -> Bool { known & (1 << UInt8(column)) != 0 }

    package mutating func parse(_ text: Span<UInt8>) {
        columns = .init(repeating: 0)
        known = 0
        parseErrorCount = 0
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let name = cursor.token()
            if let column = Self.column(name), !isKnown(column) {
                if case .value(let value) = cursor.unsigned() {
                    columns[column] = value
                    known |= 1 << UInt8(column)
                } else {
                    parseErrorCount += 1
                }
            }
            cursor.skipLine()
        }
    }

    private static func column(_ name: Span<UInt8>) -> Int? {
        for column in 0..<columnCount where name.equals(names[column]) { return column }
        return nil
    }
}
