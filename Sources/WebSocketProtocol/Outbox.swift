/// Bytes that wait for a socket, in order: handshake, control frames, text messages, and the rest of a data frame that
/// the socket took only in part.
package struct Outbox: Sendable {
    private var bytes: [UInt8] = []
    /// Bytes at the front that are already sent.
    private var head = 0
    /// Ends of the messages, counted in bytes since the beginning; the front of the queue is at `firstEnd`.
    private var messageEnds: [Int] = []
    private var firstEnd = 0
    private var sentByteCount = 0

    private static let keptCapacity = 4_096

    package init() {}

    package var isEmpty: Bool { head == bytes.count }
    package var byteCount: Int { bytes.count - head }
    /// Bytes of memory held.
    package var byteCapacity: Int { bytes.capacity }
    /// Messages not yet wholly sent.
    package var messageCount: Int { messageEnds.count - firstEnd }

    package var unsent: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { bytes.span.extracting(head...) }
    }

    package var unsentBytes: [UInt8] { Array(bytes[head...]) }

    package mutating func append(_ opcode: FrameHeader.Opcode, _ payload: [UInt8]) {
        let header = FrameHeader(opcode, payloadByteCount: payload.count)
        let start = bytes.count
        bytes += repeatElement(0, count: header.byteCount)
        var span = bytes.mutableSpan
        var target = span._mutatingExtracting(start..<start + header.byteCount)
        header.write(to: &target)
        bytes += payload
        messageEnds.append(sentByteCount + byteCount)
    }

    package mutating func append(text: String) { append(.text, Array(text.utf8)) }

    package mutating func appendClose(_ code: CloseCode, _ reason: String = "") {
        var payload = [UInt8(truncatingIfNeeded: code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue)]
        // Cut between characters: a reason is UTF-8.
        for character in reason {
            guard payload.count + character.utf8.count <= FrameHeader.controlPayloadLimit else { break }
            payload += character.utf8
        }
        append(.close, payload)
    }

    /// Bytes that are framed already.
    package mutating func append(raw more: [UInt8]) { bytes += more }

    /// Forgets bytes from the front that a socket took.
    package mutating func consume(_ count: Int) {
        precondition(count <= byteCount)
        head += count
        sentByteCount += count
        while firstEnd < messageEnds.count, messageEnds[firstEnd] <= sentByteCount { firstEnd += 1 }
        if isEmpty {
            // Nothing waits: start over, and do not keep the memory of a large backlog.
            bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptCapacity)
            messageEnds.removeAll(keepingCapacity: true)
        } else if head > Self.keptCapacity, head > bytes.count / 2 {
            bytes.removeFirst(head)
            messageEnds.removeFirst(firstEnd)
        } else {
            return
        }
        head = 0
        firstEnd = 0
    }
}
