/// What is used of os-release(5).
package struct OSRelease: KernelText {
    private static let keys: [4 of StaticString] = ["ID", "NAME", "PRETTY_NAME", "VERSION_ID"]

    private var values: [4 of [UInt8]] = .init(repeating: [])
    private var seen: UInt8 = 0

    package init() {}

    package var id: [UInt8] { values[0] }
    package var name: [UInt8] { values[2].isEmpty ? values[1] : values[2] }
    package var version: [UInt8] { values[3] }

    package mutating func parse(_ text: Span<UInt8>) {
        for index in 0..<4 { values[index].removeAll(keepingCapacity: true) }
        seen = 0
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let line = cursor.line().trimmed
            var equals = 0
            while equals < line.count, line[equals] != UInt8(ascii: "=") { equals += 1 }
            guard equals < line.count else { continue }
            let key = line.extracting(first: equals)
            for index in 0..<4 where seen & (1 << index) == 0 && key.equals(Self.keys[index]) {
                seen |= 1 << index
                let value = Self.withoutQuotes(line.extracting(droppingFirst: equals + 1))
                for offset in value.indices { values[index].append(value[offset]) }
            }
        }
    }

    @_lifetime(copy text)
    private static func withoutQuotes(_ text: Span<UInt8>) -> Span<UInt8> {
        guard text.count >= 2, text[0] == UInt8(ascii: "\"") || text[0] == UInt8(ascii: "'"),
            text[text.count - 1] == text[0]
        else { return text }
        return text.extracting(1..<text.count - 1)
    }
}
