import TestSupport
import WebSocketProtocol

/// A frame as a client sends it, or as one that breaks the rules does.
struct ClientFrame {
    var opcode: UInt8
    var payload: [UInt8] = []
    var isFinal = true
    /// RSV1 to RSV3, as a number from 0 to 7.
    var reserved: UInt8 = 0
    /// Four bytes, or none in a frame that is not masked.
    var mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    /// 0, 2 or 8 for what stands behind the first two bytes; nil: the shortest.
    var lengthByteCount: Int?
    /// What the header says, if it lies.
    var length: UInt64?

    static func text(_ text: String, isFinal: Bool = true) -> Self {
        Self(opcode: 1, payload: Array(text.utf8), isFinal: isFinal)
    }
    static func binary(_ payload: [UInt8], isFinal: Bool = true) -> Self {
        Self(opcode: 2, payload: payload, isFinal: isFinal)
    }
    static func continuation(_ payload: [UInt8], isFinal: Bool = true) -> Self {
        Self(opcode: 0, payload: payload, isFinal: isFinal)
    }
    static func close(_ code: UInt16, _ reason: [UInt8] = []) -> Self {
        Self(opcode: 8, payload: [UInt8(code >> 8), UInt8(code & 0xFF)] + reason)
    }
    static func ping(_ payload: [UInt8] = []) -> Self { Self(opcode: 9, payload: payload) }
    static func pong(_ payload: [UInt8] = []) -> Self { Self(opcode: 10, payload: payload) }

    var bytes: [UInt8] {
        let length = length ?? UInt64(payload.count)
        let lengthByteCount = lengthByteCount ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8)
        let short = lengthByteCount == 0 ? UInt8(length & 0x7F) : lengthByteCount == 2 ? 126 : 127
        var bytes = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode, (mask.isEmpty ? 0 : 0x80) | short]
        for index in 0..<lengthByteCount { bytes.append(UInt8(length >> (8 * (lengthByteCount - 1 - index)) & 0xFF)) }
        bytes += mask
        bytes += mask.isEmpty ? payload : payload.indices.map { payload[$0] ^ mask[$0 % 4] }
        return bytes
    }
}

/// What a decoder said, with the payload it showed.
struct Received: Equatable {
    var event: FrameDecoder.Event
    var payload: [UInt8] = []

    init(_ event: FrameDecoder.Event, _ payload: [UInt8] = []) {
        self.event = event
        self.payload = payload
    }
}

extension FrameDecoder {
    /// All events of these bytes, up to and with a violation.
    mutating func events(_ bytes: some Collection<UInt8>) -> [Received] {
        let bytes = Array(bytes)
        var received: [Received] = []
        var offset = 0
        while let event = next(bytes.span, &offset) {
            switch event {
            case .violation:
                received.append(Received(event))
                return received
            case .text, .binary, .ping, .pong, .close: received.append(Received(event, payload))
            }
        }
        return received
    }

    static func events(_ frames: ClientFrame..., limits: Limits = generous) -> [Received] {
        var decoder = Self(limits: limits)
        return decoder.events(frames.flatMap(\.bytes))
    }

    static let generous = Limits(messageByteCount: 1_024 * 1_024, fragmentCount: 1_024)
}

/// Bytes from their hexadecimal digits; blanks do not count.
func bytes(_ text: String) -> [UInt8] {
    let digits = text.filter { $0 != " " }
    return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(digits.dropFirst($0).prefix(2), radix: 16) }
}
