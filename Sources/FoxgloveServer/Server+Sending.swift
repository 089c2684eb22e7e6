internal import FoxgloveProtocol
import Telemetry
package import WebSocketProtocol

/// The way out: control messages first, then the frames of the tick, in one system call.
extension Server {
    /// Stretches that one system call takes; with the control messages they stay below IOV_MAX.
    static var rangeLimit: Int { 1_000 }
    /// More at once would be framed for nothing when the socket is full.
    private static var byteLimit: Int { 4 * 1_024 * 1_024 }

    package func send(to id: ConnectionID, _ write: (Outgoing) -> Int) -> SendOutcome {
        guard let client = client(id) else { return .drop }
        if client.mustDrop { return .drop }
        if client.isBlocked { return .blocked }
        while true {
            if client.isConnected {
                queueOwedMessages(of: client)
                queueState(of: client)
            }
            let control = client.connection.outbox.byteCount
            ranges.removeAll(keepingCapacity: true)
            let gathered = client.queue.gather(
                from: &ring, into: &ranges, rangeLimit: Self.rangeLimit, byteLimit: Self.byteLimit)
            let offered = control + gathered.byteCount
            let taken = offered > 0 ? Self.offer(client.connection.outbox, ring, ranges, to: write) : 0
            account(for: taken, of: gathered, client)
            if taken < offered {
                client.isBlocked = true
                return .blocked
            }
            if gathered.end == ring.end { return client.connection.phase == .closing ? .finished : .idle }
        }
    }

    /// Of these only the newest is worth sending.
    private func queueState(of client: Client) {
        if client.owesTime {
            client.owesTime = false
            tell(client, .time(lastTime))
        }
        if let state = client.owedPlaybackState {
            client.owedPlaybackState = nil
            tell(client, state)
        }
    }

    package func unblocked(_ id: ConnectionID) { client(id)?.isBlocked = false }

    private static func offer(
        _ outbox: borrowing Outbox, _ ring: borrowing FrameRing, _ ranges: [Range<Int>], to write: (Outgoing) -> Int
    ) -> Int {
        // What ends with a body has no part in the ring.
        guard outbox.unsentBody.isEmpty else {
            let ranges = [outbox.unsentBody]
            return write(Outgoing(first: outbox.unsent, body: outbox.body.span, ranges: ranges.span))
        }
        return write(Outgoing(first: outbox.unsent, body: ring.span, ranges: ranges.span))
    }

    private func account(for taken: Int, of gathered: DataQueue.Gathered, _ client: Client) {
        counters.sentByteCount += UInt64(taken)
        let control = min(taken, client.connection.outbox.byteCount)
        client.connection.outbox.consume(control)
        var remainder = 0..<0
        counters.sentMessages += UInt64(
            client.queue.advance(by: taken - control, gathered: gathered, in: ring) { remainder = $0 })
        // The ring may move on without the rest of a frame that has begun.
        if !remainder.isEmpty { client.connection.outbox.append(raw: ring.copy(remainder)) }
    }

    /// Messages that are no longer in the ring go the way of control messages.
    private func queueOwedMessages(of client: Client) {
        client.queue.takeOwed(newest: newest, dropped: { countDrop($0, of: client) }) { channel, subscriptionID in
            guard var frame = kept[channel.index] else { return }
            counters.sentMessages += 1
            for index in 0..<4 {
                let byte = UInt8(truncatingIfNeeded: subscriptionID >> (8 * UInt32(index)))
                frame.bytes[frame.subscriptionOffset + index] = byte
            }
            client.connection.outbox.append(raw: frame.bytes)
        }
    }
}
