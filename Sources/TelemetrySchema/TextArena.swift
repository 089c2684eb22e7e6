/// Text of a message's string field: a place in a ``TextArena``, valid until that arena is emptied or gone.
@safe
package struct Text {
    @unsafe let pointer: UnsafeMutablePointer<CChar>
}

/// The strings of one message, refilled for each sample without allocation.
///
/// Whatever the kernel hands out becomes valid UTF-8 without control characters, as protobuf and viewers demand.
@safe
package struct TextArena: ~Copyable {
    private let base: UnsafeMutablePointer<CChar>
    private let capacity: Int
    private var used = 0

    /// `byteCapacity` bounds all texts together, each with its terminator; text beyond it is cut.
    package init(byteCapacity: Int) {
        precondition(byteCapacity > 0)
        capacity = byteCapacity
        unsafe base = .allocate(capacity: byteCapacity)
        unsafe base.initialize(repeating: 0, count: byteCapacity)
    }

    deinit { unsafe base.deallocate() }

    package mutating func removeAll() { used = 0 }

    /// Copies `bytes`: each byte that is not UTF-8 becomes U+FFFD, control characters go.
    package mutating func append(_ bytes: Span<UInt8>) -> Text {
        append(bytes, keepsControls: false)
    }

    /// Copies `bytes`, control characters included, for names that must stay unique; NUL, which would end it, becomes
    /// U+FFFD too.
    package mutating func append(identifier bytes: Span<UInt8>) -> Text { append(bytes, keepsControls: true) }

    /// Copies `bytes` as ``append(identifier:)`` does, as an `id` that viewers can filter by: never with both kinds of
    /// quotes, since their filters have no escapes.
    package mutating func append(id bytes: Span<UInt8>) -> Text {
        let text = append(identifier: bytes)
        let start = unsafe text.pointer - base
        let end = used - 1
        var hasSingleQuote = false
        for index in start..<end where unsafe base[index] == 0x27 { hasSingleQuote = true }
        guard hasSingleQuote else { return text }
        for index in start..<end where unsafe base[index] == 0x22 { unsafe base[index] = 0x27 }
        return text
    }

    @inline(__always)
    private mutating func append(_ bytes: Span<UInt8>, keepsControls: Bool) -> Text {
        let start = min(used, capacity - 1)
        used = start
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte >= 0x20, byte < 0x7F {
                guard put(byte) else { break }
                index += 1
                continue
            }
            let length = UTF8Sequence.length(in: bytes, at: index)
            if length == 0 || keepsControls && byte == 0 {
                guard room(for: 3) else { break }
                _ = put(0xEF) && put(0xBF) && put(0xBD)
            } else if keepsControls || !UTF8Sequence.isControl(in: bytes, at: index, length: length) {
                guard room(for: length) else { break }
                for offset in 0..<length { _ = put(bytes[index + offset]) }
            }
            index += max(length, 1)
        }
        unsafe base[used] = 0
        used += 1
        return unsafe Text(pointer: base + start)
    }

    package mutating func append(_ string: String) -> Text { append(string.utf8.span) }

    private func room(for count: Int) -> Bool { used + count < capacity }

    private mutating func put(_ byte: UInt8) -> Bool {
        guard room(for: 1) else { return false }
        unsafe base[used] = CChar(bitPattern: byte)
        used += 1
        return true
    }
}

extension [UInt8] {
    /// `bytes` made valid UTF-8 without NUL: each byte that is not, and NUL, becomes U+FFFD.
    package init(validUTF8 bytes: Span<UInt8>) {
        self.init()
        var index = 0
        while index < bytes.count {
            let length = UTF8Sequence.length(in: bytes, at: index)
            if length == 0 || bytes[index] == 0 {
                append(contentsOf: [0xEF, 0xBF, 0xBD])
            } else {
                for offset in 0..<length { append(bytes[index + offset]) }
            }
            index += Swift.max(length, 1)
        }
    }
}

/// One scalar of UTF-8 (RFC 3629, section 4).
enum UTF8Sequence {
    /// Bytes of the well-formed sequence that starts at `index`, or 0 if there is none.
    static func length(in bytes: Span<UInt8>, at index: Int) -> Int {
        func continuation(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            index + offset < bytes.count && range.contains(bytes[index + offset])
        }
        switch bytes[index] {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: return continuation(1) ? 2 : 0
        case 0xE0: return continuation(1, 0xA0...0xBF) && continuation(2) ? 3 : 0
        case 0xED: return continuation(1, 0x80...0x9F) && continuation(2) ? 3 : 0
        case 0xE1...0xEF: return continuation(1) && continuation(2) ? 3 : 0
        case 0xF0: return continuation(1, 0x90...0xBF) && continuation(2) && continuation(3) ? 4 : 0
        case 0xF1...0xF3: return continuation(1) && continuation(2) && continuation(3) ? 4 : 0
        case 0xF4: return continuation(1, 0x80...0x8F) && continuation(2) && continuation(3) ? 4 : 0
        default: return 0
        }
    }

    /// C0, DEL and C1.
    static func isControl(in bytes: Span<UInt8>, at index: Int, length: Int) -> Bool {
        switch length {
        case 1: bytes[index] < 0x20 || bytes[index] == 0x7F
        case 2: bytes[index] == 0xC2 && bytes[index + 1] < 0xA0
        default: false
        }
    }
}
