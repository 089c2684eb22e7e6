/// What mm_stat of a zram device says (Linux documentation: admin-guide/blockdev/zram).
package struct ZRAMStatistics: KernelText {
    /// The columns, which grew more from one kernel to the next.
    package enum Column: Int, Sendable {
        case original, compressed, used, limit, usedMax, samePages, compactedPages, hugePages
    }

    private static let columnCount = 8
    private var values: [8 of Double] = .init(repeating: .nan)
    package private(set) var parseErrorCount = 0

    package init() {}

    /// In bytes or pages, as the kernel counts; NaN: no such column, or no valid number in it.
    package subscript(column: Column) -> Double { values[column.rawValue] }

    package mutating func parse(_ text: Span<UInt8>) {
        values = .init(repeating: .nan)
        parseErrorCount = 0
        var cursor = ByteCursor(text)
        for column in 0..<Self.columnCount {
            switch cursor.unsigned() {
            case .value(let value): values[column] = Double(value)
            case .missing: return
            case .invalid: parseErrorCount += 1
            }
        }
    }
}
