import TestSupport

/// Makes inputs of the corpus: bytes that are nearly right.
struct FuzzMutator {
    var random: SeededGenerator

    /// What is sent, and whether the frames themselves are broken, so that what follows may be taken for their payload.
    struct Input {
        var bytes: [UInt8]
        var breaksFraming = false
    }

    mutating func handshake() -> [UInt8] {
        let head = pick(random.isOne(in: 4) ? FuzzCorpus.plainRequests : FuzzCorpus.handshakes)
        return random.isOne(in: 3) ? mutatedLines(of: head) : mutated(head, other: pick(FuzzCorpus.handshakes))
    }

    mutating func frames() -> Input {
        let opcode: UInt8 = random.isOne(in: 3) ? 2 : 1
        let payload = opcode == 1 ? operation() : binaryMessage()
        if random.isOne(in: 60) { return Input(bytes: halfOfALargeFrame, breaksFraming: true) }
        if random.isOne(in: 200) { return Input(bytes: maskedFrame(1, FuzzCorpus.manyMistakes)) }
        switch random.next() % 8 {
        case 0: return Input(bytes: brokenFrame(opcode, payload), breaksFraming: true)
        case 1: return Input(bytes: control())
        case 2: return Input(bytes: fragments(opcode, payload))
        default: return Input(bytes: maskedFrame(opcode, payload))
        }
    }

    // MARK: Frames

    private mutating func control() -> [UInt8] {
        let payload = random.bytes(pick([0, 1, 2, 3, 124, 125, 126]))
        return maskedFrame(pick([8, 9, 9, 10, 10, 11]), payload)
    }

    private mutating func fragments(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let pieces = payload.count < 1_000 ? random.pieces(of: payload) : [payload[..<1_000], payload[1_000...]]
        return pieces.enumerated().flatMap { index, piece in
            var frame = maskedFrame(index == 0 ? opcode : 0, Array(piece))
            if index < pieces.count - 1 { frame[0] &= 0x7F }
            return random.isOne(in: 20) ? maskedFrame(9, [1]) + frame : frame
        }
    }

    /// What has come of a message of a megabyte, with a mask of zeros.
    private let halfOfALargeFrame =
        [0x82, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 0] + [UInt8](repeating: 0, count: 150_000)

    /// Bits of the header, a length that lies, or another opcode.
    private mutating func brokenFrame(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
        var frame = maskedFrame(opcode, payload)
        switch random.next() % 4 {
        case 0: frame[.random(in: 0..<2, using: &random)] ^= 1 << UInt8(random.next() % 8)
        case 1: frame[0] = UInt8(truncatingIfNeeded: random.next())
        case 2:
            let length = pick(FuzzCorpus.integers)
            frame[1] = 0xFF
            frame.insert(contentsOf: (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) }, at: 2)
        default: frame = mutated(frame, other: maskedFrame(2, binaryMessage()))
        }
        return frame
    }

    // MARK: Messages

    private mutating func binaryMessage() -> [UInt8] {
        let message = pick(FuzzCorpus.binaryMessages)
        switch random.next() % 4 {
        case 0: return message
        // The payload of a message on a topic or of a service call is JSON.
        case 1:
            let head = message.firstIndex(of: UInt8(ascii: "{")) ?? message.count
            return message[..<head] + mutatedJSON(Array(message[head...]))
        default: return mutated(message, other: pick(FuzzCorpus.binaryMessages))
        }
    }

    private mutating func operation() -> [UInt8] {
        let operation = pick(FuzzCorpus.operations)
        switch random.next() % 8 {
        case 0: return operation
        case 1: return mutated(operation, other: pick(FuzzCorpus.operations))
        default: return mutatedJSON(operation)
        }
    }

    // MARK: JSON

    /// Values are exchanged, repeated, wrapped, left out; what stands around them stays.
    private mutating func mutatedJSON(_ text: [UInt8]) -> [UInt8] {
        var tokens = jsonTokens(of: text)
        for _ in 0..<pick([1, 1, 1, 2, 4]) {
            guard let range = randomValue(in: tokens) else { break }
            let value = Array(tokens[range])
            switch random.next() % 8 {
            case 0, 1, 2: tokens.replaceSubrange(range, with: [pick(FuzzCorpus.values)])
            case 3:
                let other = jsonTokens(of: pick(FuzzCorpus.operations))
                if let range2 = randomValue(in: other) { tokens.replaceSubrange(range, with: other[range2]) }
            case 4:
                let count = pick([2, 3, 40, 1_500])
                guard value.count * count < 20_000 else { break }
                tokens.replaceSubrange(range, with: Array(repeating: value + [[0x2C]], count: count).flatMap { $0 })
            case 5:
                let (open, close) = pick([("[", "]"), (#"{"a":"#, "}"), ("[0,", "]")])
                let count = pick([1, 30, 31, 32, 33, 1_000, 10_000])
                let (opened, closed) = (String(repeating: open, count: count), String(repeating: close, count: count))
                tokens.replaceSubrange(range, with: [Array(opened.utf8)] + value + [Array(closed.utf8)])
            case 6: tokens.removeSubrange(range)
            default: tokens[range.lowerBound].insert(contentsOf: pick(FuzzCorpus.invalidUTF8), at: 1)
            }
        }
        return whole(tokens)
    }

    /// Tokens of a value: one, or those from a bracket to its counterpart.
    private mutating func randomValue(in tokens: [[UInt8]]) -> Range<Int>? {
        let starts = tokens.indices.filter { !",:]}".utf8.contains(tokens[$0].first ?? 0x2C) }
        guard let start = starts.randomElement(using: &random) else { return nil }
        var depth = 0
        for end in start..<tokens.count {
            switch tokens[end].first {
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
            if depth <= 0 { return start..<end + 1 }
        }
        return start..<tokens.count
    }

    // MARK: Bytes

    private mutating func mutatedLines(of head: [UInt8]) -> [UInt8] {
        var lines = head.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) + [0x0A] }
        let index = Int.random(in: lines.indices, using: &random)
        switch random.next() % 4 {
        case 0: lines.remove(at: index)
        case 1: lines.insert(contentsOf: repeatElement(lines[index], count: pick([1, 2, 70, 500])), at: index)
        case 2: lines[index].insert(contentsOf: repeatElement(0x61, count: pick([1, 4_000, 9_000])), at: 0)
        default: lines.swapAt(index, .random(in: lines.indices, using: &random))
        }
        return whole(lines)
    }

    private mutating func mutated(_ bytes: [UInt8], other: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<pick([1, 1, 2, 5]) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &random)
            let end = Int.random(in: place...bytes.count, using: &random)
            switch random.next() % 8 {
            case 0: bytes[place] ^= 1 << UInt8(random.next() % 8)
            case 1: bytes.removeSubrange(place...)
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
            case 4: bytes = bytes[..<place] + other.suffix(.random(in: 0...other.count, using: &random))
            case 5: bytes.insert(contentsOf: pick(FuzzCorpus.invalidUTF8), at: place)
            case 6: bytes.insert(contentsOf: random.bytes(pick([1, 8, 300])), at: place)
            default: overwrite(&bytes, at: place, with: pick(FuzzCorpus.integers))
            }
        }
        return bytes
    }

    /// A number of one to eight bytes, in either order.
    private mutating func overwrite(_ bytes: inout [UInt8], at place: Int, with number: UInt64) {
        let count = min(pick([1, 2, 4, 4, 8]), bytes.count - place)
        let digits = (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
        bytes.replaceSubrange(place..<place + count, with: random.isOne(in: 2) ? digits : digits.reversed())
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[.random(in: elements.indices, using: &random)]
    }
}

/// In debug builds far quicker than `joined()`.
private func whole(_ parts: [[UInt8]]) -> [UInt8] { parts.reduce(into: []) { $0 += $1 } }

/// Strings, brackets, commas, colons, and everything else in stretches.
private func jsonTokens(of text: [UInt8]) -> [[UInt8]] {
    var tokens: [[UInt8]] = []
    var isInString = false
    var isOpen = false
    for byte in text {
        let isMark = "[]{},:".utf8.contains(byte)
        if isInString || isOpen && !isMark && byte != 0x22 {
            tokens[tokens.count - 1].append(byte)
            if byte == 0x22 { isInString = false }
        } else {
            tokens.append([byte])
            isInString = byte == 0x22
            isOpen = !isMark && byte != 0x22
        }
    }
    return tokens
}
