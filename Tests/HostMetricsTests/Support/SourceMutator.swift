/// Makes texts that are nearly those of a kernel.
struct SourceMutator {
    var random: SeededGenerator

    private static let words = [
        "0", "-1", "1", "nan", "inf", "-inf", "1e999", "-0", "+5", "0x10", "1.5", ".", "-", "", "max", "0:0",
        "<unknown>",
        "2147483647", "2147483648", "-2147483648", "4294967295", "4294967296", "9007199254740993",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615",
        "18446744073709551616", "99999999999999999999", "999999999999999999999", "-99999999999999999999",
        "99999999999999999999.99999999999999999999", "65535", "65536", "255", "256", "100", "101", "1000000000000",
    ].map { Array($0.utf8) }
    private static let separators = Array(" \t\n:=,/()[]".utf8)
    private static let newline = UInt8(ascii: "\n")

    /// `other` is the text of another file.
    mutating func mutated(_ text: [UInt8], other: [UInt8]) -> [UInt8] {
        switch random.next() % 3_000 {
        case 0..<30: return []
        case 30..<50: return other
        case 50..<60: return bytes(pick([1, 100, 5_000]))
        case 60..<68: return repeated(text, byteCount: 1 << 16)
        case 68..<76: return repeated(numberedLines(of: text), byteCount: 1 << 16)
        case 76: return repeated(text, byteCount: 1 << 20)
        default: break
        }
        var text = text
        for _ in 0..<pick([1, 1, 1, 2, 3, 6]) where !text.isEmpty { mutate(&text, other) }
        return text
    }

    private mutating func mutate(_ text: inout [UInt8], _ other: [UInt8]) {
        let place = place(in: text)
        switch random.next() % 20 {
        case 0: text[place] ^= 1 << UInt8(random.next() % 8)
        case 1: text.removeSubrange(place...)
        case 2: text.removeSubrange(..<place)
        case 3: text.removeSubrange(place..<min(text.count, place + pick([1, 2, 10, 100])))
        case 4:
            text.insert(
                contentsOf: pick([[0], [0xFF], [0xC3], [0xF0, 0x9F, 0x98], [0x0D], [0x0A], [0x5C]]), at: place)
        case 5: text.insert(contentsOf: bytes(pick([1, 8, 300])), at: place)
        case 6: text.removeSubrange(line(around: place, in: text))
        case 7: text.insert(contentsOf: text[line(around: place, in: text)], at: place)
        case 8, 9:
            let line = line(around: place, in: text)
            text.insert(
                contentsOf: repeatElement(Array(text[line]), count: pick([1, 2, 40])).flatMap { $0 },
                at: line.upperBound)
        case 10: swap(line(around: place, in: text), line(around: self.place(in: text), in: text), in: &text)
        case 11: swap(token(around: place, in: text), token(around: self.place(in: text), in: text), in: &text)
        case 12: text.removeSubrange(token(around: place, in: text))
        case 13:
            text.insert(
                contentsOf: text[token(around: place, in: text)] + [0x20], at: token(around: place, in: text).lowerBound
            )
        case 14:
            let length = pick([20, 21, 64, 65, 256, 4_096, 20_000])
            text.replaceSubrange(
                token(around: place, in: text),
                with: repeatElement(pick([0x39, 0x61, 0x30, 0xC3, 0x2F]), count: length))
        default: text.replaceSubrange(token(around: place, in: text), with: pick(Self.words))
        }
    }

    // MARK: Parts

    private mutating func place(in text: [UInt8]) -> Int { .random(in: text.indices, using: &random) }

    /// With the newline at its end.
    private func line(around place: Int, in text: [UInt8]) -> Range<Int> {
        var (start, end) = (place, place)
        while start > 0, text[start - 1] != Self.newline { start -= 1 }
        while end < text.count, text[end] != Self.newline { end += 1 }
        return start..<min(end + 1, text.count)
    }

    private func token(around place: Int, in text: [UInt8]) -> Range<Int> {
        var (start, end) = (place, place)
        while start > 0, !Self.separators.contains(text[start - 1]) { start -= 1 }
        while end < text.count, !Self.separators.contains(text[end]) { end += 1 }
        return start..<end
    }

    private func swap(_ one: Range<Int>, _ two: Range<Int>, in text: inout [UInt8]) {
        let (first, second) = one.lowerBound < two.lowerBound ? (one, two) : (two, one)
        guard first.upperBound <= second.lowerBound else { return }
        let (early, late) = (Array(text[first]), Array(text[second]))
        text.replaceSubrange(second, with: early)
        text.replaceSubrange(first, with: late)
    }

    private func repeated(_ text: [UInt8], byteCount: Int) -> [UInt8] {
        guard !text.isEmpty else { return text }
        var text = text
        while text.count < byteCount { text += text }
        return Array(text.prefix(byteCount))
    }

    /// A line again and again, each with another number behind its first token.
    private mutating func numberedLines(of text: [UInt8]) -> [UInt8] {
        guard !text.isEmpty else { return text }
        let line = Array(text[line(around: place(in: text), in: text)])
        let blanks = line.prefix { Self.separators.contains($0) }.count
        let end = blanks + line.dropFirst(blanks).prefix { !Self.separators.contains($0) }.count
        return (0..<500).reduce(into: []) { $0 += line[..<end] + Array("\($1)".utf8) + line[end...] }
    }

    private mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[.random(in: elements.indices, using: &random)]
    }

    /// True once in `count` times.
    mutating func isOne(in count: UInt64) -> Bool { random.next() % count == 0 }
}
