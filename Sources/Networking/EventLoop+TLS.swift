internal import Telemetry
internal import WebSocketProtocol

/// How encrypted connections are read.
extension EventLoop {
    /// One helping: what the socket has now, or what the session has left of it.
    func readTLS(_ connection: Connection, _ index: Int, _ handler: some ConnectionHandler, now: Instant) {
        let id = ConnectionID(index: index)
        guard !connection.isShakingHands || handshakeStepCount < Self.handshakeStepLimit else {
            firstWaiting = firstWaiting ?? index
            return readLater(connection)
        }
        // Only a short helping from the socket says that the next one will be announced.
        var isExhausted = false
        if connection.takesCiphertext {
            guard let count = unsafe connection.read(into: readBuffer) else { return }
            guard count > 0 else { return close(index, handler, now: now) }
            isExhausted = count < Self.readByteCount && !connection.hasEnded
            unsafe connection.feed(UnsafeRawBufferPointer(rebasing: readBuffer[..<count]), now: now)
            // Before the peer hears anything.
            tellMemory(of: connection, id, handler)
        }
        if case .tls(let session) = connection.transport {
            if session.phase == .handshake { handshakeStepCount += 1 }
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
        tellMemory(of: connection, id, handler)
        if !isExhausted || !connection.takesCiphertext { readLater(connection) }
    }

    private func tellMemory(of connection: Connection, _ id: ConnectionID, _ handler: some ConnectionHandler) {
        let byteCount = connection.tlsByteCount
        guard byteCount != connection.toldByteCount else { return }
        connection.toldByteCount = byteCount
        handler.holds(id, byteCount: byteCount)
    }
}
