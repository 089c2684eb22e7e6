/// What /proc/net/stat/nf_conntrack says: names of columns in the first line, then a line of hexadecimal numbers of 32
/// bits for each possible CPU.
package struct ConntrackStatistics: Sendable {
    package enum Column: Int, CaseIterable, Sendable {
        case found, invalid, insert, insertFailed, drop, earlyDrop, icmpError, searchRestart, clashResolved
        case chainTooLong, expectCreate, expectDelete

        var name: StaticString {
            switch self {
            case .found: "found"
            case .invalid: "invalid"
            case .insert: "insert"
            case .insertFailed: "insert_failed"
            case .drop: "drop"
            case .earlyDrop: "early_drop"
            case .icmpError: "icmp_error"
            case .searchRestart: "search_restart"
            case .clashResolved: "clashres"
            case .chainTooLong: "chainlength"
            case .expectCreate: "expect_create"
            case .expectDelete: "expect_delete"
            }
        }
    }

    package static let columnCount = 12
    package typealias Row = [12 of UInt64]

    /// The heading that was learned.
    private var heading: [UInt8] = []
    /// By column of the text up to the last that is used; -1: not used.
    private var slots: [Int] = []
    private var known: [12 of Bool] = .init(repeating: false)
    package private(set) var parseErrorCount = 0

    package init() {}

    /// Whether this kernel has the column.
    package func has(_ column: Column) -> Bool { known[column.rawValue] }

    /// Calls `body` with each CPU's place and its counters; columns that the kernel lacks are 0.
    package mutating func parse(_ text: Span<UInt8>, _ body: (Int, borrowing Row) -> Void) {
        parseErrorCount = 0
        var cursor = ByteCursor(text)
        let names = cursor.line()
        let learned = heading
        if !names.equals(learned.span) { learn(names) }
        var cpu = 0
        while !cursor.isAtEnd {
            let line = cursor.line()
            if line.trimmed.isEmpty { continue }
            var row: Row = .init(repeating: 0)
            if parse(line, into: &row) { body(cpu, row) } else { parseErrorCount += 1 }
            cpu += 1
        }
    }

    private func parse(_ line: Span<UInt8>, into row: inout Row) -> Bool {
        var cursor = ByteCursor(line)
        for slot in slots {
            guard case .value(let value) = cursor.hexadecimal() else { return false }
            if slot >= 0 { row[slot] = value }
        }
        return true
    }

    private mutating func learn(_ names: Span<UInt8>) {
        heading.removeAll()
        for index in names.indices { heading.append(names[index]) }
        slots.removeAll()
        known = .init(repeating: false)
        var cursor = ByteCursor(names)
        while true {
            let name = cursor.token()
            if name.isEmpty { break }
            let column = Column.allCases.first { name.equals($0.name) && !known[$0.rawValue] }
            if let column { known[column.rawValue] = true }
            slots.append(column?.rawValue ?? -1)
        }
        while slots.last == -1 { slots.removeLast() }
    }
}
