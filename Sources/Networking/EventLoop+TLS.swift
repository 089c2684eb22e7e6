internal import Telemetry
internal import WebSocketProtocol

/// How encrypted connections are read.
extension EventLoop {
    /// One helping: what the socket has now, or what the session has left of it.
    func readTLS(_ connection: Connection, _ index: Int, _ handler: some ConnectionHandler, now: Instant) {
        let id = ConnectionID(index: index)
        // Only a short helping from the socket says that the next one will be announced.
        var isExhausted = false
        if connection.takesCiphertext {
            guard let count = unsafe connection.read(into: readBuffer) else { return }
            guard count > 0 else { return close(index, handler, now: now) }
            isExhausted = count < Self.readByteCount && !connection.hasEnded
            unsafe connection.feed(UnsafeRawBufferPointer(rebasing: readBuffer[..<count]), now: now)
        }
        if case .tls(let session) = connection.transport {
            if session.shakeHands() {
                handler.secured(id, peerNames: session.peerNames)
                if connection.flush() { handler.unblocked(id) }
            }
            let count = unsafe session.read(into: readBuffer)
            if count > 0 {
                let bytes = unsafe Span<UInt8>(_unsafeBytes: UnsafeRawBufferPointer(rebasing: readBuffer[..<count]))
                handler.received(bytes, from: id, now: now)
            }
            // Alerts, tickets and other messages of the library's own.
            _ = connection.flush()
            switch session.phase {
            case .handshake, .established: break
            case .refused: connection.refuse()
            case .ended, .failed:
                // The handler gets to answer the last bytes, as on a plain connection.
                guard count == 0 else { break }
                connection.shutDown()
                return close(index, handler, now: now)
            }
        }
        if !isExhausted || !connection.takesCiphertext {
            connection.isReadable = true
            hasUnreadBytes = true
        }
    }
}
