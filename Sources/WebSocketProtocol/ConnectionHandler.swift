package import Telemetry

/// A connection's place in the loop's table. Used again when the connection is gone.
package struct ConnectionID: Hashable, Sendable {
    package let index: Int
    package init(index: Int) { self.index = index }
}

/// What stands behind the sockets. The loop calls it, always on its one thread; it never sees a file descriptor, and so
/// can be driven by a test just as well.
package protocol ConnectionHandler: AnyObject {
    /// A client connected from this address (without the port).
    func opened(_ id: ConnectionID, from address: String, now: Instant)
    /// The TLS handshake is complete; called once, before the first ``received(_:from:now:)``, and never for a plain
    /// connection. A client that does not get so far is dropped by the handler's own time-out, as any other silent one.
    ///
    /// `peerNames` are the DNS names, e-mail addresses and URIs that the client's certificate names as alternatives for
    /// its subject. The certificate was verified against the configured authority; without one the list is empty.
    func secured(_ id: ConnectionID, peerNames: [String])
    /// The connection takes about so many bytes of memory besides what the handler keeps for it: for its TLS. Told
    /// whenever that changes much.
    func holds(_ id: ConnectionID, byteCount: Int)
    func received(_ bytes: Span<UInt8>, from id: ConnectionID, now: Instant)
    /// The socket takes more, after it took less than it was offered.
    func unblocked(_ id: ConnectionID)
    /// The peer is gone; `id` may be given to another connection after this.
    func closed(_ id: ConnectionID, now: Instant)

    /// When ``tick(now:)`` is to be called at the latest; nil: there is nothing to wait for.
    var nextDeadline: Instant? { get }
    func tick(now: Instant)

    /// Something that was handed to the loop to be watched is readable; told again as long as it is.
    func ready(_ descriptor: Int32, now: Instant)
    /// Another thread asked the loop to wake.
    func woken(now: Instant)

    /// Offers what is to be sent to `write`, which returns how many bytes the socket took, counted over all it was
    /// offered. Asked after every tick and every batch of events.
    func send(to id: ConnectionID, _ write: (Outgoing) -> Int) -> SendOutcome
}

extension ConnectionHandler {
    /// Nothing: who does not tell clients by their certificates need not care whether they are encrypted.
    package func secured(_ id: ConnectionID, peerNames: [String]) {}

    /// Nothing: who has few clients, or trusts them, need not count their memory.
    package func holds(_ id: ConnectionID, byteCount: Int) {}

    /// Nothing: nothing is watched and nobody wakes.
    package func ready(_ descriptor: Int32, now: Instant) {}
    package func woken(now: Instant) {}
}

/// What a handler may ask of its loop, for events that come neither from a socket nor from the clock.
package struct EventWatcher {
    /// Watches a descriptor until it is unwatched or closed. `isUrgent` waits for POLLPRI instead of bytes, as pressure
    /// triggers want it. False: it cannot be watched.
    package var watch: (_ descriptor: Int32, _ isUrgent: Bool) -> Bool
    package var unwatch: (_ descriptor: Int32) -> Void
    /// Wakes the loop from any thread.
    package var wake: @Sendable () -> Void

    package init(
        watch: @escaping (_ descriptor: Int32, _ isUrgent: Bool) -> Bool,
        unwatch: @escaping (_ descriptor: Int32) -> Void, wake: @escaping @Sendable () -> Void
    ) {
        self.watch = watch
        self.unwatch = unwatch
        self.wake = wake
    }
}

/// Bytes to send in one system call: first `first`, then the stretches `ranges` of `body`.
package struct Outgoing: ~Escapable {
    package let first: Span<UInt8>
    package let body: Span<UInt8>
    package let ranges: Span<Range<Int>>

    @_lifetime(copy first, copy body, copy ranges)
    package init(first: Span<UInt8>, body: Span<UInt8>, ranges: Span<Range<Int>>) {
        self.first = first
        self.body = body
        self.ranges = ranges
    }
}

/// What the loop is to do with a connection after a ``ConnectionHandler/send(to:_:)``.
package enum SendOutcome: Equatable, Sendable {
    /// Everything is sent.
    case idle
    /// The socket took less than it was offered, and has not been said to take more.
    case blocked
    /// Everything is sent and nothing will follow: close the sending side, then wait for the peer to do so.
    case finished
    /// Close the socket now.
    case drop
}
