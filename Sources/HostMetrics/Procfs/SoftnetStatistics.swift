/// The lines of /proc/net/softnet_stat (net/core/net-procfs.c): hexadecimal columns of 32 bits, more with each age of
/// the kernel.
package enum SoftnetStatistics {
    /// Columns that every kernel has.
    package static let columnCountMin = 9

    package struct Row: Equatable, Sendable {
        package var processed: UInt64
        package var dropped: UInt64
        package var squeezed: UInt64
        /// nil: the kernel is too old to tell, here and below.
        package var receivedRPS: UInt64?
        package var flowLimit: UInt64?
        package var backlog: UInt64?
        package var cpu: UInt64?
    }

    /// Calls `body` for each line; returns how many lines were dropped.
    package static func forEach(in text: Span<UInt8>, _ body: (Row) -> Void) -> Int {
        var parseErrorCount = 0
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let line = cursor.line()
            if line.trimmed.isEmpty { continue }
            if let row = row(parsing: line) { body(row) } else { parseErrorCount += 1 }
        }
        return parseErrorCount
    }

    private static func row(parsing line: Span<UInt8>) -> Row? {
        // Columns beyond these are left alone.
        var columns: [13 of UInt64] = .init(repeating: 0)
        var count = 0
        var cursor = ByteCursor(line)
        while count < columns.count {
            switch cursor.hexadecimal() {
            case .value(let value): columns[count] = value
            case .invalid: return nil
            case .missing:
                return row(columns, count: count)
            }
            count += 1
        }
        return row(columns, count: count)
    }

    private static func row(_ columns: borrowing [13 of UInt64], count: Int) -> Row? {
        guard count >= columnCountMin else { return nil }
        return Row(
            processed: columns[0], dropped: columns[1], squeezed: columns[2],
            receivedRPS: count > 9 ? columns[9] : nil, flowLimit: count > 10 ? columns[10] : nil,
            // The length of the backlog and the CPU came together, in Linux 5.10.
            backlog: count > 12 ? columns[11] : nil, cpu: count > 12 ? columns[12] : nil)
    }
}
