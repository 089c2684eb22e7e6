/// One case: what the client sends, in which pieces, and what it must get, byte for byte, before the stream ends.
///
/// The last frame that is received is the server's close frame: its code says how the connection ends.
struct Case: Sendable {
    /// How frames become writes, each of which leaves as a packet of its own.
    enum Writes: Sendable {
        case atOnce, frameByFrame
        case octets(Int)
    }

    var id = ""
    var sent: [Frame]
    var writes: Writes
    var received: [Frame]

    /// A case without mistakes, which the client ends.
    static func clean(_ sent: [Frame], _ writes: Writes = .atOnce, receives received: [Frame]) -> Self {
        Self(sent: sent + [.close(1000)], writes: writes, received: received + [.close(1000)])
    }

    /// A message that comes back.
    static func echo(_ message: Frame, _ writes: Writes = .atOnce) -> Self {
        clean([message], writes, receives: [message])
    }

    /// A case in which the server has to end the connection with this code.
    static func failed(
        _ sent: [Frame], _ writes: Writes = .atOnce, receives received: [Frame] = [], with code: UInt16
    ) -> Self {
        Self(sent: sent, writes: writes, received: received + [.close(code)])
    }

    /// Cases in order, with the ids `group`.1, `group`.2, …
    static func numbered(_ group: String, _ cases: [Self]) -> [Self] {
        cases.enumerated().map { index, one in
            var one = one
            one.id = "\(group).\(index + 1)"
            return one
        }
    }
}

/// A frame as it is sent by a client, with a mask, or by a server, without one.
struct Frame: Sendable {
    var opcode: UInt8
    var payload: Payload
    var isFinal = true
    /// RSV1 to RSV3, as a number from 0 to 7.
    var reserved: UInt8 = 0

    static func text(_ payload: Payload, isFinal: Bool = true) -> Self {
        Self(opcode: 1, payload: payload, isFinal: isFinal)
    }
    static func binary(_ payload: Payload) -> Self { Self(opcode: 2, payload: payload) }
    static func continuation(_ payload: Payload, isFinal: Bool = true) -> Self {
        Self(opcode: 0, payload: payload, isFinal: isFinal)
    }
    static func close(_ code: UInt16, _ reason: Payload = "") -> Self {
        Self(opcode: 8, payload: Payload([UInt8(code >> 8), UInt8(code & 0xFF)] + reason.bytes))
    }
    static func ping(_ payload: Payload = "") -> Self { Self(opcode: 9, payload: payload) }
    static func pong(_ payload: Payload = "") -> Self { Self(opcode: 10, payload: payload) }

    /// The frame as fragments of at most this many bytes.
    func fragments(of byteCount: Int) -> [Frame] {
        stride(from: 0, to: payload.count, by: byteCount).map { start in
            let end = min(payload.count, start + byteCount)
            return Frame(
                opcode: start == 0 ? opcode : 0, payload: payload.part(start..<end), isFinal: end == payload.count)
        }
    }

    /// The frame on the wire; `mask` has four bytes, or none.
    func bytes(mask: [UInt8]) -> [UInt8] {
        let maskBit: UInt8 = mask.isEmpty ? 0 : 0x80
        var bytes = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
        switch payload.count {
        case ...125: bytes += [maskBit | UInt8(payload.count)]
        case ...65_535: bytes += [maskBit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: bytes += [maskBit | 127] + (0..<8).map { UInt8(payload.count >> (56 - 8 * $0) & 0xFF) }
        }
        bytes += mask
        bytes += payload.bytes
        if !mask.isEmpty { apply(mask, to: &bytes, from: bytes.count - payload.count) }
        return bytes
    }
}

/// Eight bytes at a time: one by one, a debug build takes seconds for all the megabytes of category 9.
private func apply(_ mask: [UInt8], to bytes: inout [UInt8], from start: Int) {
    let word = (mask + mask).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    unsafe bytes.withUnsafeMutableBytes { buffer in
        var offset = start
        while offset + 8 <= buffer.count {
            let masked = unsafe buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ word.littleEndian
            unsafe buffer.storeBytes(of: masked, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        while offset < buffer.count {
            unsafe buffer[offset] ^= mask[(offset - start) & 3]
            offset += 1
        }
    }
}

/// Bytes of which many are the same: a unit, repeated, the last one cut off. So megabytes cost nothing until they are
/// sent.
struct Payload: Sendable, ExpressibleByStringLiteral {
    let unit: [UInt8]
    let count: Int

    init(repeating unit: [UInt8], count: Int) {
        self.unit = unit
        self.count = count
    }

    init(_ bytes: [UInt8]) { self.init(repeating: bytes, count: bytes.count) }
    init(_ text: String) { self.init(Array(text.utf8)) }
    init(stringLiteral text: String) { self.init(text) }

    /// Bytes from their hexadecimal digits; blanks do not count.
    init(hex text: String) {
        let digits = Array(text.filter { $0 != " " })
        self.init(stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0..<$0 + 2]), radix: 16) })
    }

    /// Text of one-byte characters.
    static func letters(_ count: Int) -> Self { Self(repeating: Array(0x20...0x7E), count: count) }
    /// Bytes that are no text.
    static func octets(_ count: Int) -> Self { Self(repeating: Array(0x00...0xFA), count: count) }

    var bytes: [UInt8] {
        guard unit.count < count else { return Array(unit.prefix(count)) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        bytes += unit
        while bytes.count < count { bytes += bytes.prefix(count - bytes.count) }
        return bytes
    }

    func part(_ range: Range<Int>) -> Self {
        let shift = range.lowerBound % unit.count
        return Self(repeating: Array(unit[shift...] + unit[..<shift]), count: range.count)
    }
}
