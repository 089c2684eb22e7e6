/// The numbers of a kernel text that has one at the end of each line, behind its name: /proc/vmstat, numastat, kstats
/// of ZFS.
///
/// The kernel prints its lines in the same order each time. So it is learned which of them are used, once all have been
/// found. As long as those have their names, and all lines are as many as they were, no other line is looked at.
package struct NamedNumbers: KernelText {
    /// A line that is used: its number in the text, and whose it is.
    private struct Place {
        var line: Int
        var index: Int
    }

    private let names: [StaticString]
    private let columnCount: Int
    private var values: [UInt64?]
    private var places: [Place] = []
    /// Lines of the text that the places were learned from; -1: none.
    private var learnedLineCount = -1
    /// Lines of a name in use without a valid number.
    package private(set) var parseErrorCount = 0

    /// `columnCount`: tokens of a line, the name and the number included. Lines with more or fewer are invalid.
    package init(_ names: [StaticString], columnCount: Int = 2) {
        self.names = names
        self.columnCount = columnCount
        values = Array(repeating: nil, count: names.count)
        places.reserveCapacity(names.count)
    }

    /// By the name's place in the list; nil: no such line, or no valid number in it.
    package subscript(index: Int) -> UInt64? { values[index] }

    package var isEmpty: Bool { values.allSatisfy { $0 == nil } }

    package mutating func parse(_ text: Span<UInt8>) {
        if learnedLineCount < 0 || !parseLearned(text) { parseAndLearn(text) }
    }

    /// Returns false if a line is not where it was, or is invalid.
    private mutating func parseLearned(_ text: Span<UInt8>) -> Bool {
        var cursor = ByteCursor(text)
        var line = 0
        for place in places {
            while line < place.line {
                cursor.skipLine()
                line += 1
            }
            guard Self.skip(names[place.index], &cursor), let value = number(&cursor) else { return false }
            values[place.index] = value
        }
        while !cursor.isAtEnd {
            cursor.skipLine()
            line += 1
        }
        return line == learnedLineCount
    }

    private mutating func parseAndLearn(_ text: Span<UInt8>) {
        for index in values.indices { values[index] = nil }
        places.removeAll(keepingCapacity: true)
        parseErrorCount = 0
        var line = 0
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            parseLine(&cursor, line)
            cursor.skipLine()
            line += 1
        }
        // Errors are counted each time, so each time looked for; so is what is missing.
        learnedLineCount = parseErrorCount == 0 && places.count == names.count ? line : -1
    }

    private mutating func parseLine(_ cursor: inout ByteCursor, _ line: Int) {
        let start = cursor.offset
        for index in names.indices {
            cursor.move(to: start)
            guard Self.skip(names[index], &cursor) else { continue }
            guard let value = number(&cursor) else {
                parseErrorCount += 1
                return
            }
            // The first of several lines of one name counts.
            guard values[index] == nil else { return }
            values[index] = value
            places.append(Place(line: line, index: index))
            return
        }
    }

    private static func skip(_ name: StaticString, _ cursor: inout ByteCursor) -> Bool {
        cursor.skipBlanks()
        return cursor.skip(name) && (ByteCursor.isBlank(cursor.next) || cursor.isAtLineEnd)
    }

    /// The number that ends the line, behind the name.
    private func number(_ cursor: inout ByteCursor) -> UInt64? {
        for _ in 2..<columnCount { _ = cursor.token() }
        guard case .value(let value) = cursor.unsigned() else { return nil }
        cursor.skipBlanks()
        return cursor.isAtLineEnd ? value : nil
    }
}
