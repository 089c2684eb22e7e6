/// Bytes that wait for a socket, in order: handshake, control frames, text messages, and the rest of a data frame that
/// the socket took only in part. An HTTP answer may end with a body, which is not copied.
package struct Outbox: Sendable {
    private var bytes: [UInt8] = []
    /// Bytes at the front that are already sent.
    private var head = 0
    /// Ends of the messages, counted in bytes since the beginning; the front of the queue is at `firstEnd`.
    private var messageEnds: [Int] = []
    private var firstEnd = 0
    private var sentByteCount = 0
    /// What comes after everything else, unless it is empty; many outboxes share its bytes.
    package private(set) var body: [UInt8] = []
    /// Of ``body``.
    package private(set) var unsentBody = 0..<0

    private static let keptCapacity = 4_096

    package init() {}

    package var isEmpty: Bool { byteCount == 0 }
    package var byteCount: Int { bytes.count - head + unsentBody.count }
    /// Bytes of memory held, as if nobody shared them.
    package var byteCapacity: Int { bytes.capacity + body.count }
    /// Messages not yet wholly sent.
    package var messageCount: Int { messageEnds.count - firstEnd }

    /// All but the body.
    package var unsent: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { bytes.span.extracting(head...) }
    }

    package var unsentBytes: [UInt8] { Array(bytes[head...] + body[unsentBody]) }

    package mutating func append(_ opcode: FrameHeader.Opcode, _ payload: [UInt8]) {
        precondition(unsentBody.isEmpty)
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
    package mutating func append(raw more: [UInt8]) {
        precondition(unsentBody.isEmpty)
        bytes += more
    }

    /// What follows everything else; nothing may be appended to it.
    package mutating func finish(with last: [UInt8]) {
        // One that fits here anyway is not worth a stretch of its own.
        guard last.count > Self.keptCapacity else { return append(raw: last) }
        body = last
        unsentBody = body.indices
    }

    /// Forgets bytes from the front that a socket took.
    package mutating func consume(_ count: Int) {
        precondition(count <= byteCount)
        let bodyCount = max(0, count - (bytes.count - head))
        unsentBody = unsentBody.dropFirst(bodyCount)
        if unsentBody.isEmpty { (body, unsentBody) = ([], 0..<0) }
        let count = count - bodyCount
        head += count
        sentByteCount += count
        while firstEnd < messageEnds.count, messageEnds[firstEnd] <= sentByteCount { firstEnd += 1 }
        if head == bytes.count {
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
