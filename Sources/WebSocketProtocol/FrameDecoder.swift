/// Takes a peer's bytes and finds whole messages and control frames in them (RFC 6455, sections 5 and 7).
///
/// Bytes may come in any pieces. Payloads are unmasked on the way into a kept buffer; memory grows with bytes that have
/// come, never with a length that was only promised. After a violation the decoder must not be used again.
package struct FrameDecoder: Sendable {
    package struct Limits: Equatable, Sendable {
        package var messageByteCount: Int
        package var fragmentCount: Int
        package init(messageByteCount: Int, fragmentCount: Int) {
            self.messageByteCount = messageByteCount
            self.fragmentCount = fragmentCount
        }
    }

    /// Whose bytes they are: a client must mask its frames, and a server must not (section 5.1).
    package enum Peer: Sendable { case client, server }

    package enum Event: Equatable, Sendable {
        /// A whole message; its bytes are in ``payload``. Text is valid UTF-8.
        case text, binary
        /// A control frame; its bytes are in ``payload``.
        case ping, pong
        /// The peer closes, with this code if it gave one.
        case close(CloseCode?)
        /// The peer broke a rule or a limit; the connection is to be closed with this code.
        case violation(CloseCode)
    }

    private static let keptCapacity = 64 * 1_024

    private let limits: Limits
    private let maskByteCount: Int
    private var message: [UInt8] = []
    private var control: [UInt8] = []
    /// Kind of the message under way; nil between messages.
    private var messageOpcode: FrameHeader.Opcode?
    private var fragmentCount = 0
    /// Bytes of a header that has not come whole: 2, then up to 12 more for length and mask.
    private var header: [UInt8] = []
    private var frame: Frame?
    private var lastEventIsControl = false
    private var isMessageDelivered = false

    private struct Frame {
        var opcode: FrameHeader.Opcode
        var isFinal: Bool
        /// For the bytes that have not come.
        var mask: UInt32
        var byteCount: Int
        var received = 0
    }

    package init(limits: Limits, peer: Peer = .client) {
        self.limits = limits
        maskByteCount = peer == .client ? 4 : 0
        header.reserveCapacity(14)
    }

    /// What the last event was about, until the next call.
    package var payload: [UInt8] { lastEventIsControl ? control : message }

    /// Bytes of memory held.
    package var byteCapacity: Int { message.capacity }

    /// Takes bytes from `offset` on and moves it; returns nil when all are taken and more are needed.
    package mutating func next(_ bytes: Span<UInt8>, _ offset: inout Int) -> Event? {
        forgetDeliveredMessage()
        while true {
            if var frame {
                take(bytes, &offset, into: &frame)
                self.frame = frame
                guard frame.received == frame.byteCount else { return nil }
                self.frame = nil
                if let event = finish(frame) { return event }
            } else {
                guard let parsed = takeHeader(bytes, &offset) else { return nil }
                switch parsed {
                case .success(let frame): self.frame = frame
                case .failure(let violation): return .violation(violation.code)
                }
            }
        }
    }

    private struct Violation: Error {
        var code: CloseCode
    }

    /// Collects a header byte by byte, which is at most fourteen; nil: not yet whole.
    private mutating func takeHeader(_ bytes: Span<UInt8>, _ offset: inout Int) -> Result<Frame, Violation>? {
        while offset < bytes.count {
            header.append(bytes[offset])
            offset += 1
            guard header.count >= 2 else { continue }
            if header.count == 2, let code = violationOfFirstBytes() { return .failure(Violation(code: code)) }
            let lengthByteCount =
                switch header[1] & 0x7F {
                case 126: 2
                case 127: 8
                default: 0
                }
            guard header.count == 2 + lengthByteCount + maskByteCount else { continue }
            defer { header.removeAll(keepingCapacity: true) }
            return begin(lengthByteCount: lengthByteCount)
        }
        return nil
    }

    /// What can be told from the first two bytes is told at once, not when the rest has come.
    private func violationOfFirstBytes() -> CloseCode? {
        guard header[0] & 0x70 == 0, let opcode = FrameHeader.Opcode(rawValue: header[0] & 0x0F),
            (header[1] & 0x80 != 0) == (maskByteCount > 0)
        else { return .protocolError }
        let isFinal = header[0] & 0x80 != 0
        switch opcode {
        case .close, .ping, .pong:
            return isFinal && header[1] & 0x7F <= FrameHeader.controlPayloadLimit ? nil : .protocolError
        case .continuation: return messageOpcode == nil ? .protocolError : nil
        case .text, .binary: return messageOpcode == nil ? nil : .protocolError
        }
    }

    private mutating func begin(lengthByteCount: Int) -> Result<Frame, Violation> {
        guard let opcode = FrameHeader.Opcode(rawValue: header[0] & 0x0F) else {
            return .failure(Violation(code: .protocolError))
        }
        var length = UInt64(header[1] & 0x7F)
        if lengthByteCount > 0 {
            length = header[2..<2 + lengthByteCount].reduce(0) { $0 << 8 | UInt64($1) }
            // The shortest form is required, and the top bit must be 0 (section 5.2).
            guard length >> 63 == 0, length > (lengthByteCount == 2 ? 125 : 0xFFFF) else {
                return .failure(Violation(code: .protocolError))
            }
        }
        var mask: UInt32 = 0
        for (index, byte) in header[(2 + lengthByteCount)...].enumerated() { mask |= UInt32(byte) << (8 * index) }
        if opcode.isControl {
            control.removeAll(keepingCapacity: true)
        } else {
            if opcode != .continuation { messageOpcode = opcode }
            fragmentCount += 1
            guard length <= UInt64(limits.messageByteCount - message.count), fragmentCount <= limits.fragmentCount
            else {
                return .failure(Violation(code: .messageTooBig))
            }
        }
        return .success(Frame(opcode: opcode, isFinal: header[0] & 0x80 != 0, mask: mask, byteCount: Int(length)))
    }

    /// Unmasks what has come of the frame's payload into its buffer.
    private mutating func take(_ bytes: Span<UInt8>, _ offset: inout Int, into frame: inout Frame) {
        let count = min(bytes.count - offset, frame.byteCount - frame.received)
        let masked = bytes.extracting(offset..<offset + count)
        if frame.opcode.isControl {
            Self.unmask(masked, &frame.mask, into: &control)
        } else {
            Self.unmask(masked, &frame.mask, into: &message)
        }
        offset += count
        frame.received += count
    }

    /// The mask turns along: its lowest byte is the one for the byte that comes next.
    private static func unmask(_ bytes: Span<UInt8>, _ mask: inout UInt32, into buffer: inout [UInt8]) {
        // To append nothing would write to the storage that all empty arrays share.
        guard bytes.count > 0 else { return }
        var turned = mask
        buffer.append(addingCapacity: bytes.count) { output in
            for index in bytes.indices {
                output.append(bytes[index] ^ UInt8(truncatingIfNeeded: turned))
                turned = turned >> 8 | turned << 24
            }
        }
        mask = turned
    }

    private mutating func finish(_ frame: Frame) -> Event? {
        lastEventIsControl = frame.opcode.isControl
        switch frame.opcode {
        case .ping: return .ping
        case .pong: return .pong
        case .close: return close()
        case .continuation, .text, .binary:
            guard frame.isFinal, let opcode = messageOpcode else { return nil }
            messageOpcode = nil
            fragmentCount = 0
            isMessageDelivered = true
            if opcode == .binary { return .binary }
            return isUTF8(message) ? .text : .violation(.invalidText)
        }
    }

    private func close() -> Event {
        if control.isEmpty { return .close(nil) }
        guard control.count >= 2 else { return .violation(.protocolError) }
        let code = CloseCode(rawValue: UInt16(control[0]) << 8 | UInt16(control[1]))
        guard code.isValidOnWire else { return .violation(.protocolError) }
        return isUTF8(Array(control[2...])) ? .close(code) : .violation(.invalidText)
    }

    private func isUTF8(_ bytes: [UInt8]) -> Bool { (try? UTF8Span(validating: bytes.span)) != nil }

    private mutating func forgetDeliveredMessage() {
        guard isMessageDelivered else { return }
        isMessageDelivered = false
        message.removeAll(keepingCapacity: message.capacity <= Self.keptCapacity)
    }
}
