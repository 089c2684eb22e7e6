/// The client's half: finds messages in what the server sends, by RFC 6455 and protocol.md alone.
package struct TestClient {
    package struct Data: Equatable {
        package var subscription: UInt32
        package var logTime: UInt64
        /// After the thirteen bytes of its header.
        package var payload: [UInt8]

        /// The first five bytes of a payload of the server's own tests.
        package var channel: UInt8 { payload[0] }
        package var count: UInt32 { payload[1...4].reversed().reduce(0) { $0 << 8 | UInt32($1) } }
    }

    package enum Message: Equatable {
        case http(String)
        case text(String)
        case data(Data)
        /// A binary message with another opcode than message data.
        case binary([UInt8])
        case ping, pong
        case close(UInt16, String)
    }

    package var messages: [Message] = []
    /// What the server did that RFC 6455 forbids it.
    package private(set) var violations: [String] = []
    private var bytes: [UInt8] = []
    private var isUpgraded = false

    package init() {}

    package mutating func take(_ more: ArraySlice<UInt8>) {
        bytes += more
        if !isUpgraded, let end = bytes.firstRange(of: [13, 10, 13, 10]) {
            let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            isUpgraded = head.hasPrefix("HTTP/1.1 101")
            messages.append(.http(head))
            bytes.removeFirst(end.upperBound)
        }
        while isUpgraded, let message = next() { messages.append(message) }
    }

    private mutating func check(_ isTrue: Bool, _ rule: String) {
        if !isTrue { violations.append(rule) }
    }

    private func integer(_ range: Range<Int>) -> UInt64 {
        range.reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }

    private mutating func next() -> Message? {
        guard bytes.count >= 2 else { return nil }
        check(bytes[0] & 0xF0 == 0x80, "final, no reserved bit")
        check(bytes[1] & 0x80 == 0, "a server does not mask")
        var (offset, length) = (2, Int(bytes[1]))
        if length >= 126 {
            let count = length == 126 ? 2 : 8
            guard bytes.count >= 2 + count else { return nil }
            length = bytes[2..<2 + count].reduce(0) { $0 << 8 | Int($1) }
            check(length > (count == 2 ? 125 : 65_535), "the shortest form")
            offset += count
        }
        guard bytes.count >= offset + length else { return nil }
        defer { bytes.removeFirst(offset + length) }
        let payload = bytes[offset..<offset + length]
        switch bytes[0] & 0x0F {
        case 1: return .text(String(decoding: payload, as: UTF8.self))
        case 2:
            check(length > 0 && (1...5).contains(bytes[offset]), "a known opcode")
            guard bytes[offset] == 1 else { return .binary(Array(payload)) }
            return .data(
                Data(
                    subscription: UInt32(integer(offset + 1..<offset + 5)), logTime: integer(offset + 5..<offset + 13),
                    payload: Array(payload.dropFirst(13))))
        case 8: return .close(UInt16(payload[offset]) << 8 | UInt16(payload[offset + 1]), "")
        case 9: return .ping
        case 10: return .pong
        case let opcode:
            violations.append("opcode \(opcode)")
            return nil
        }
    }
}

/// A status message as it is on the wire.
package func status(_ level: Int, _ text: String) -> String {
    #"{"level":\#(level),"message":"\#(text)","op":"status"}"#
}

/// A frame as a client sends it, masked with a fixed key.
package func maskedFrame(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    var frame = [0x80 | opcode]
    switch payload.count {
    case ...125: frame.append(0x80 | UInt8(payload.count))
    case ...65_535: frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(truncatingIfNeeded: payload.count)]
    default: frame += [0x80 | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
    }
    frame += mask
    let start = frame.count
    frame += payload
    for index in payload.indices { frame[start + index] ^= mask[index & 3] }
    return frame
}
