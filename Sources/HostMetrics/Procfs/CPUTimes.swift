/// The columns of a "cpu" line of /proc/stat (proc_stat(5)), in 1/USER_HZ since boot.
package struct CPUTimes: Equatable, Sendable {
    package static let columnCount = 10

    package enum Column {
        package static let user = 0
        package static let nice = 1
        package static let system = 2
        package static let idle = 3
        package static let iowait = 4
        package static let irq = 5
        package static let softirq = 6
        package static let steal = 7
        /// Also counted in `user`.
        package static let guest = 8
        /// Also counted in `nice`.
        package static let guestNice = 9
    }

    package var columns: [10 of UInt64]

    package init(columns: [10 of UInt64] = .init(repeating: 0)) { self.columns = columns }

    package static func == (left: Self, right: Self) -> Bool {
        for column in 0..<columnCount where left.columns[column] != right.columns[column] { return false }
        return true
    }

    /// Reads the columns behind the name; nil if one of the first four is missing or invalid.
    ///
    /// Older kernels print fewer columns, containers too: columns 5 to 10 count as 0 where they are missing or invalid.
    /// More columns are ignored.
    @inline(__always)
    static func parse(_ cursor: inout ByteCursor, parseErrorCount: inout Int) -> CPUTimes? {
        var times = CPUTimes()
        var column = 0
        while column < columnCount {
            switch cursor.unsigned() {
            case .value(let value): times.columns[column] = value
            case .missing:
                if column >= 4 { return times }
                parseErrorCount += 1
                return nil
            case .invalid:
                parseErrorCount += 1
                if column < 4 { return nil }
            }
            column += 1
        }
        return times
    }
}
