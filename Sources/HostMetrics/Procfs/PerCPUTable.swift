/// Reads a text that has a column for each CPU and a line of counters for each name: /proc/interrupts, /proc/softirqs.
///
/// One pass, without allocation once it has seen as many CPUs: at a thousand CPUs the text is megabytes long.
package struct PerCPUTable: ~Copyable {
    /// A line, by places in the text; its counters are in ``PerCPUTable/counts``.
    package struct Row {
        package var name: Range<Int>
        /// What follows the counters, without the blanks around it.
        package var description: Range<Int>
        /// Whether there is a counter for each column; else there is a single one for the whole machine (ERR, MIS).
        package var isPerCPU: Bool
    }

    /// More than kernels are built for.
    package static let cpuCountMax = 8_192
    /// The longest name, and so the longest id; the kernel's have eight bytes at most.
    package static let nameByteCountMax = 16

    /// The CPU of each column, ascending; -1: its heading is unreadable.
    package private(set) var cpus: [Int] = []
    /// The counters of the row read last.
    package private(set) var counts: [UInt64] = []
    package private(set) var parseErrorCount = 0

    package init() {}

    /// Reads the first line; returns whether it names a CPU and what follows can be told apart.
    package mutating func readHeading(_ cursor: inout ByteCursor) -> Bool {
        cpus.removeAll(keepingCapacity: true)
        parseErrorCount = 0
        var last = -1
        cursor.skipBlanks()
        while !cursor.isAtLineEnd {
            guard cpus.count < Self.cpuCountMax else { return false }
            let cpu = Self.cpu(in: cursor.token())
            if let cpu, cpu > last {
                last = cpu
                cpus.append(cpu)
            } else {
                parseErrorCount += 1
                cpus.append(-1)
            }
            cursor.skipBlanks()
        }
        cursor.skipLine()
        while counts.count < cpus.count { counts.append(0) }
        return last >= 0
    }

    private static func cpu(in heading: Span<UInt8>) -> Int? {
        var cursor = ByteCursor(heading)
        guard cursor.skip("CPU"), heading.count <= 7 else { return nil }
        guard let number = heading.extracting(droppingFirst: 3).unsignedValue, number < cpuCountMax else { return nil }
        return Int(number)
    }

    /// The next line that can be used; nil: the text ends.
    package mutating func next(_ cursor: inout ByteCursor) -> Row? {
        while !cursor.isAtEnd {
            cursor.skipBlanks()
            if cursor.isAtLineEnd {
                cursor.skipLine()
                continue
            }
            if let row = readRow(&cursor) { return row }
            cursor.skipLine()
        }
        return nil
    }

    private mutating func readRow(_ cursor: inout ByteCursor) -> Row? {
        let start = cursor.offset
        let token = cursor.token()
        let nameCount = token.count - 1
        guard nameCount >= 1, nameCount <= Self.nameByteCountMax, token[nameCount] == UInt8(ascii: ":") else {
            parseErrorCount += 1
            return nil
        }
        let name = token.extracting(first: nameCount)
        guard Self.isID(name), let count = readCounts(&cursor) else {
            parseErrorCount += 1
            return nil
        }
        let isPerCPU = count == cpus.count
        if !isPerCPU, count != 1 || !cursor.isAtLineEnd {
            // ARM kernels name who has the fast interrupt, and nothing else in that line.
            if count > 0 || !name.equals("FIQ") { parseErrorCount += 1 }
            return nil
        }
        let descriptionStart = cursor.offset
        let rest = cursor.line()
        var end = rest.count
        while end > 0, ByteCursor.isBlank(rest[end - 1]) { end -= 1 }
        return Row(
            name: start..<start + nameCount, description: descriptionStart..<descriptionStart + end,
            isPerCPU: isPerCPU)
    }

    /// Reads as many counters as there are; nil: one of them is not a number. The cursor then stands behind the blanks
    /// after them.
    private mutating func readCounts(_ cursor: inout ByteCursor) -> Int? {
        let columnCount = cpus.count
        var counts = self.counts.mutableSpan
        var count = 0
        cursor.skipBlanks()
        while count < columnCount, cursor.next >= UInt8(ascii: "0"), cursor.next <= UInt8(ascii: "9") {
            guard case .value(let value) = cursor.unsigned() else { return nil }
            counts[count] = value
            count += 1
            cursor.skipBlanks()
        }
        return count
    }

    /// Visible ASCII without quotes, which filters of viewers have no escapes for.
    private static func isID(_ name: Span<UInt8>) -> Bool {
        for index in name.indices {
            let byte = name[index]
            guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "'") else { return false }
        }
        return true
    }
}
