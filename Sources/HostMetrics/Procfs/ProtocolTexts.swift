/// Reads /proc/net/snmp and /proc/net/netstat: pairs of lines, names in the first and numbers in the second, both after
/// the name of the block.
///
/// Which columns are used is learned from a line of names, and holds as long as the line comes again byte by byte.
package struct PairedLines: Sendable {
    private struct Block {
        var names: [UInt8]
        /// Bytes of the block's name, colon included.
        var labelByteCount: Int
        /// By column up to the last that is used; -1: not used.
        var slots: [Int]
    }

    /// Pairs of one text; kernels have less than ten.
    package static let blockCountMax = 64

    private var blocks: [Block] = []

    package init() {}

    package mutating func parse(_ text: Span<UInt8>, into counters: inout ProtocolCounters) {
        var cursor = ByteCursor(text)
        var place = 0
        while !cursor.isAtEnd {
            let names = cursor.line()
            if names.trimmed.isEmpty { continue }
            guard place < Self.blockCountMax, let labelByteCount = Self.labelByteCount(names) else {
                counters.countParseError()
                continue
            }
            let start = cursor.offset
            let numbers = cursor.line()
            guard numbers.count >= labelByteCount,
                numbers.extracting(first: labelByteCount).equals(names.extracting(first: labelByteCount))
            else {
                // Not its second line: perhaps the first of the next pair.
                counters.countParseError()
                cursor.move(to: start)
                continue
            }
            if !isKnown(names, at: place) { learn(names, labelByteCount: labelByteCount, at: place) }
            Self.parse(numbers, by: blocks[place], into: &counters)
            place += 1
        }
    }

    private static func labelByteCount(_ line: Span<UInt8>) -> Int? {
        for index in line.indices where line[index] == UInt8(ascii: ":") { return index + 1 }
        return nil
    }

    private func isKnown(_ names: Span<UInt8>, at place: Int) -> Bool {
        guard place < blocks.count else { return false }
        let known = blocks[place].names
        return names.equals(known.span)
    }

    private static func parse(_ numbers: Span<UInt8>, by block: Block, into counters: inout ProtocolCounters) {
        var cursor = ByteCursor(numbers)
        cursor.move(to: block.labelByteCount)
        for slot in block.slots {
            if slot < 0 {
                cursor.skipBlanks()
                cursor.skipToken()
            } else if !counters.take(slot, from: &cursor) {
                return
            }
        }
    }

    @inline(never)
    private mutating func learn(_ names: Span<UInt8>, labelByteCount: Int, at place: Int) {
        blocks.removeLast(blocks.count - place)
        var block = Block(names: [], labelByteCount: labelByteCount, slots: [])
        for index in names.indices { block.names.append(names[index]) }
        let label = block.names.prefix(labelByteCount - 1)
        var cursor = ByteCursor(names)
        cursor.move(to: labelByteCount)
        while true {
            let name = cursor.token()
            if name.isEmpty { break }
            var key = Array(label)
            for index in name.indices { key.append(name[index]) }
            block.slots.append(ProtocolCounters.slot(key: key.span) ?? -1)
        }
        while block.slots.last == -1 { block.slots.removeLast() }
        blocks.append(block)
    }
}

/// Reads /proc/net/snmp6: a name and a number in each line.
///
/// Which lines are used is learned, and holds for each as long as it begins as it did.
package struct ListedLines: Sendable {
    private struct Line {
        /// Where its name ends in `names`; it begins where the one before ends.
        var end: Int
        /// -1: not used.
        var slot: Int
    }

    /// Lines of one text; kernels have about a hundred, and up to 512 more for types of ICMP messages.
    package static let lineCountMax = 1_024

    private var names: [UInt8] = []
    private var lines: [Line] = []

    package init() {}

    package mutating func parse(_ text: Span<UInt8>, into counters: inout ProtocolCounters) {
        var cursor = ByteCursor(text)
        var place = 0
        while !cursor.isAtEnd {
            cursor.skipBlanks()
            if cursor.isAtLineEnd {
                cursor.skipLine()
                continue
            }
            guard place < Self.lineCountMax else { return counters.countParseError() }
            if !skipName(&cursor, at: place) { learn(cursor.token(), at: place) }
            let slot = lines[place].slot
            if slot >= 0 { _ = counters.take(slot, from: &cursor) }
            cursor.skipLine()
            place += 1
        }
    }

    /// Moves behind the name if it is the one that was learned.
    private func skipName(_ cursor: inout ByteCursor, at place: Int) -> Bool {
        guard place < lines.count else { return false }
        let start = place > 0 ? lines[place - 1].end : 0
        let before = cursor.offset
        if cursor.skip(names.span.extracting(start..<lines[place].end)), ByteCursor.isBlank(cursor.next) { return true }
        cursor.move(to: before)
        return false
    }

    private mutating func learn(_ name: Span<UInt8>, at place: Int) {
        lines.removeLast(lines.count - place)
        names.removeLast(names.count - (lines.last?.end ?? 0))
        for index in name.indices { names.append(name[index]) }
        lines.append(Line(end: names.count, slot: ProtocolCounters.slot(key: name) ?? -1))
    }
}
