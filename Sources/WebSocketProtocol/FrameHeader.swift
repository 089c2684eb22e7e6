/// The first bytes of a frame as a server sends it: never masked, never fragmented (RFC 6455, section 5.2).
///
/// ```
/// FIN 0 0 0 opcode | 0 length 0...125
///                    0 126 | length, 16 bits, big-endian
///                    0 127 | length, 64 bits, big-endian
/// ```
package struct FrameHeader: Equatable, Sendable {
    package enum Opcode: UInt8, Sendable {
        case continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10

        package var isControl: Bool { rawValue >= 8 }
    }

    /// The payload of a control frame may not be longer.
    package static let controlPayloadLimit = 125

    package var opcode: Opcode
    package var payloadByteCount: Int

    package init(_ opcode: Opcode, payloadByteCount: Int) {
        self.opcode = opcode
        self.payloadByteCount = payloadByteCount
    }

    package var byteCount: Int {
        switch payloadByteCount {
        case ...125: 2
        case ...0xFFFF: 4
        default: 10
        }
    }

    /// Writes the header at the start of `target`.
    package func write(to target: inout MutableSpan<UInt8>) {
        target[0] = 0x80 | opcode.rawValue
        switch byteCount {
        case 2:
            target[1] = UInt8(truncatingIfNeeded: payloadByteCount)
        case 4:
            target[1] = 126
            for index in 0..<2 { target[2 + index] = UInt8(truncatingIfNeeded: payloadByteCount >> (8 - 8 * index)) }
        default:
            target[1] = 127
            for index in 0..<8 { target[2 + index] = UInt8(truncatingIfNeeded: payloadByteCount >> (56 - 8 * index)) }
        }
    }
}
