/// A list of CPU numbers such as `0-3,8`, as sysfs prints it.
package struct CPUList: KernelText {
    /// A bit for each number of up to five digits.
    private var bits = [UInt64](repeating: 0, count: 100_000 / 64 + 1)

    package init() {}

    /// How many different CPUs the list names; parts of it that are malformed are left out.
    package private(set) var count = 0

    package mutating func parse(_ text: Span<UInt8>) {
        for index in bits.indices { bits[index] = 0 }
        var cursor = ByteCursor(text)
        let line = cursor.line()
        var start = 0
        while start < line.count {
            var end = start
            while end < line.count, line[end] != UInt8(ascii: ",") { end += 1 }
            add(line.extracting(start..<end).trimmed)
            start = end + 1
        }
        count = 0
        for word in bits { count += word.nonzeroBitCount }
    }

    private mutating func add(_ part: Span<UInt8>) {
        var dash = 0
        while dash < part.count, part[dash] != UInt8(ascii: "-") { dash += 1 }
        guard let first = Self.number(part.extracting(first: dash)) else { return }
        var last = first
        if dash < part.count {
            guard let number = Self.number(part.extracting(droppingFirst: dash + 1)) else { return }
            last = number
        }
        guard first <= last else { return }
        for number in first...last { bits[number / 64] |= 1 << UInt64(number % 64) }
    }

    private static func number(_ text: Span<UInt8>) -> Int? {
        guard text.count <= 5 else { return nil }
        return text.unsignedValue.map { Int($0) }
    }
}
