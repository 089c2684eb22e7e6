internal import Glibc
internal import Telemetry
internal import WebSocketProtocol

/// Ciphertext between a session and its socket.
///
/// Ciphertext waits in memory only while the socket is blocked. So the socket will be announced when it takes more, and
/// no other wake-up is needed for a handler of which less was taken than it offered.
extension Connection {
    /// What stands between the socket and the handler.
    enum Transport {
        case plain
        /// TLS is to begin, once the first record is there.
        case silent(TLSContext)
        case tls(TLSSession)
        /// What comes is thrown away: a socket that is closed with unread bytes takes back the answer that says why.
        case refused
    }

    /// Well above what the handler's own bytes come to. A peer that makes the library answer so much and reads none of
    /// it is not there for the data.
    private static let ciphertextLimit = 128 * 1_024

    private static let answerToPlainHTTP = """
        HTTP/1.1 400 Bad Request\r
        Content-Type: text/plain\r
        Connection: close\r
        \r
        This port speaks TLS: use wss:// or https://.\r\n
        """

    /// The memory that TLS takes, roughly.
    var tlsByteCount: Int {
        switch transport {
        case .plain, .refused: 0
        case .silent: firstRecord.byteCount
        case .tls(let session): session.byteCount
        }
    }

    // MARK: Receiving

    /// The next bytes may take a step of the handshake.
    var isShakingHands: Bool {
        switch transport {
        case .plain, .refused: false
        case .silent: true
        case .tls(let session): session.phase == .handshake
        }
    }

    /// What was received before is used up.
    var takesCiphertext: Bool {
        guard case .tls(let session) = transport else { return true }
        return session.isDrained && (session.phase == .handshake || session.phase == .established)
    }

    /// Gives the session what the socket received, at least one byte.
    func feed(_ bytes: UnsafeRawBufferPointer, now: Instant) {
        switch transport {
        case .tls(let session): unsafe session.feed(bytes)
        case .silent(let context):
            let count = unsafe firstRecord.take(Span<UInt8>(_unsafeBytes: bytes))
            switch firstRecord.state {
            case .incomplete: break
            case .plainHTTP:
                var answer = Self.answerToPlainHTTP
                answer.withUTF8 { answer in _ = unsafe transmit(UnsafeRawBufferPointer(answer)) }
                refuse()
            case .foreign: refuse()
            case .complete:
                guard let session = context.makeSession(now: now) else {
                    isBroken = true
                    return
                }
                unsafe firstRecord.bytes.withUnsafeBytes { record in unsafe session.feed(record) }
                if count < bytes.count { unsafe session.feed(UnsafeRawBufferPointer(rebasing: bytes[count...])) }
                firstRecord = FirstRecord()
                transport = .tls(session)
            }
        case .plain, .refused: break
        }
    }

    /// Ends our side and lets the peer end its own, or the handler its patience.
    func refuse() {
        transport = .refused
        firstRecord = FirstRecord()
        shutDown()
    }

    // MARK: Sending

    /// Encrypts and sends as much as the socket takes; returns the number of plaintext bytes that are on their way.
    /// `buffer` is to gather them in.
    func write(_ outgoing: Outgoing, by buffer: UnsafeMutableRawBufferPointer) -> Int {
        switch transport {
        case .plain, .silent: return 0
        case .tls(let session): return unsafe write(outgoing, through: session, by: buffer)
        case .refused:
            var count = outgoing.first.count
            for index in outgoing.ranges.indices { count += outgoing.ranges[index].count }
            return count
        }
    }

    private func write(
        _ outgoing: Outgoing, through session: TLSSession, by buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        guard session.phase == .established || session.phase == .ended, flush() else { return 0 }
        var (gathered, taken) = (0, 0)
        // Both return false once the socket takes no more.
        func seal() -> Bool {
            guard gathered > 0 else { return true }
            unsafe session.seal(UnsafeRawBufferPointer(rebasing: buffer[..<gathered]))
            if session.phase == .failed { isBroken = true }
            taken += gathered
            gathered = 0
            return flush()
        }
        // Every call of the library makes records of its own, so small stretches go together.
        func gather(_ stretch: UnsafeRawBufferPointer) -> Bool {
            var rest = unsafe stretch[...]
            while unsafe !rest.isEmpty {
                let count = unsafe min(rest.count, buffer.count - gathered)
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[gathered..<gathered + count])
                unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
                gathered += count
                unsafe rest = rest.dropFirst(count)
                if gathered == buffer.count, !seal() { return false }
            }
            return true
        }
        return unsafe outgoing.first.withUnsafeBytes { first in
            unsafe outgoing.body.withUnsafeBytes { body in
                guard unsafe gather(first) else { return taken }
                for index in outgoing.ranges.indices {
                    let stretch = unsafe UnsafeRawBufferPointer(rebasing: body[outgoing.ranges[index]])
                    guard unsafe gather(stretch) else { return taken }
                }
                _ = seal()
                return taken
            }
        }
    }

    /// Sends the ciphertext that waits; false while the socket does not take it. True without TLS.
    func flush() -> Bool {
        guard case .tls(let session) = transport else { return true }
        while !isBlocked, !isBroken, session.ciphertextByteCount > 0 {
            unsafe session.withCiphertext { bytes in unsafe transmit(bytes) }
        }
        if session.ciphertextByteCount > Self.ciphertextLimit { isBroken = true }
        return !isBlocked && !isBroken
    }

    /// Sends as much as the socket takes at once; returns the number of bytes.
    private func transmit(_ bytes: UnsafeRawBufferPointer) -> Int {
        while true {
            let count = unsafe send(descriptor.rawValue, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: isBlocked = true
            default: isBroken = true
            }
            return 0
        }
    }
}
