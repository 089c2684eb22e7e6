/// A whole frame as a client sends it (RFC 6455, sections 5.2 and 5.3): masked, not fragmented.
package enum MaskedFrame {
    /// `mask` is to be unpredictable, and another one for each frame.
    package static func bytes(_ opcode: FrameHeader.Opcode, _ payload: [UInt8], mask: UInt32) -> [UInt8] {
        let header = FrameHeader(opcode, payloadByteCount: payload.count)
        var bytes = [UInt8](repeating: 0, count: header.byteCount)
        var span = bytes.mutableSpan
        header.write(to: &span)
        bytes[1] |= 0x80
        let key = (0..<4).map { UInt8(truncatingIfNeeded: mask >> (24 - 8 * $0)) }
        bytes += key
        for (index, byte) in payload.enumerated() { bytes.append(byte ^ key[index & 3]) }
        return bytes
    }
}
