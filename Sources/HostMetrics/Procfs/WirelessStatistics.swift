/// The lines of /proc/net/wireless (net/wireless/wext-proc.c): two of headings, then one for each interface.
package enum WirelessStatistics {
    package struct Row: Sendable {
        package var status: UInt64
        package var link: Int64
        package var level: Int64
        package var noise: Int64
        /// Wrong network, undecryptable, incomplete, given up, other reasons; beacons missed.
        package var counters: [6 of UInt64]
    }

    package static let counterCount = 6

    /// Calls `body` for each interface; returns how many lines were dropped.
    package static func forEach(in text: Span<UInt8>, _ body: (Span<UInt8>, Row) -> Void) -> Int {
        var parseErrorCount = 0
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let line = cursor.line()
            if line.trimmed.isEmpty || isHeading(line) { continue }
            guard let colon = lastColon(in: line) else {
                parseErrorCount += 1
                continue
            }
            let name = line.extracting(first: colon).trimmed
            guard !name.isEmpty, let row = row(parsing: line.extracting(droppingFirst: colon + 1)) else {
                parseErrorCount += 1
                continue
            }
            body(name, row)
        }
        return parseErrorCount
    }

    private static func isHeading(_ line: Span<UInt8>) -> Bool {
        for index in line.indices where line[index] == UInt8(ascii: "|") { return true }
        return false
    }

    /// Names of interfaces may contain colons.
    private static func lastColon(in line: Span<UInt8>) -> Int? {
        for index in line.indices.reversed() where line[index] == UInt8(ascii: ":") { return index }
        return nil
    }

    private static func row(parsing text: Span<UInt8>) -> Row? {
        var cursor = ByteCursor(text)
        guard case .value(let status) = cursor.hexadecimal(), let link = signed(cursor.token()),
            let level = signed(cursor.token()), let noise = signed(cursor.token())
        else { return nil }
        var row = Row(status: status, link: link, level: level, noise: noise, counters: .init(repeating: 0))
        for place in 0..<counterCount {
            // 32 bits, printed with a sign.
            guard let value = signed(cursor.token()), let word = Int32(exactly: value) else { return nil }
            row.counters[place] = UInt64(UInt32(bitPattern: word))
        }
        return row
    }

    /// A number with an optional sign, and a point behind it where the driver has just renewed it.
    private static func signed(_ token: Span<UInt8>) -> Int64? {
        var digits = token
        let isNegative = token.count > 1 && token[0] == UInt8(ascii: "-")
        if isNegative { digits = digits.extracting(droppingFirst: 1) }
        if digits.count > 1, digits[digits.count - 1] == UInt8(ascii: ".") {
            digits = digits.extracting(first: digits.count - 1)
        }
        guard let value = digits.unsignedValue.flatMap({ Int64(exactly: $0) }) else { return nil }
        return isNegative ? -value : value
    }
}
