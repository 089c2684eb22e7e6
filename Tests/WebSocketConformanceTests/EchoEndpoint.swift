import Foundation
import Networking
import Synchronization
import Telemetry
import WebSocketProtocol

/// Sends every message back: our WebSocket on our loop, with nothing of Foxglove behind it.
final class EchoEndpoint: ConnectionHandler {
    private final class Peer {
        var connection: WebSocketConnection
        var isBlocked = false
        init(limits: WebSocketConnection.Limits) { connection = WebSocketConnection(limits: limits) }
    }

    /// Room for the longest message of category 9 and for its most fragments.
    private static let limits = {
        var limits = WebSocketConnection.Limits()
        limits.message = FrameDecoder.Limits(messageByteCount: 16 * 1_024 * 1_024, fragmentCount: 65_536)
        return limits
    }()

    private var peers: [ConnectionID: Peer] = [:]

    func opened(_ id: ConnectionID, from address: String, now: Instant) { peers[id] = Peer(limits: Self.limits) }

    func received(_ bytes: Span<UInt8>, from id: ConnectionID, now: Instant) {
        guard let peer = peers[id] else { return }
        var offset = 0
        while let event = peer.connection.next(bytes, &offset, now: now) {
            switch event {
            case .request(let request):
                switch Upgrade(request, subprotocols: ["echo"]) {
                case .accept(let subprotocol, let key): peer.connection.accept(subprotocol: subprotocol, key: key)
                case .refuse(let response): peer.connection.respond(with: response)
                }
            case .text: peer.connection.outbox.append(.text, peer.connection.payload)
            case .binary: peer.connection.outbox.append(.binary, peer.connection.payload)
            case .ended: break
            }
        }
    }

    func unblocked(_ id: ConnectionID) { peers[id]?.isBlocked = false }

    func closed(_ id: ConnectionID, now: Instant) { peers[id] = nil }

    func send(to id: ConnectionID, _ write: (Outgoing) -> Int) -> SendOutcome {
        guard let peer = peers[id] else { return .drop }
        if peer.isBlocked { return .blocked }
        if !peer.connection.outbox.isEmpty {
            let taken = Self.offer(peer.connection.outbox, to: write)
            peer.connection.outbox.consume(taken)
            peer.isBlocked = !peer.connection.outbox.isEmpty
        }
        if peer.isBlocked { return .blocked }
        return peer.connection.phase == .closing ? .finished : .idle
    }

    private static func offer(_ outbox: borrowing Outbox, to write: (Outgoing) -> Int) -> Int {
        let (body, ranges): ([UInt8], [Range<Int>]) = ([], [])
        return write(Outgoing(first: outbox.unsent, body: body.span, ranges: ranges.span))
    }

    // MARK: Stopping

    /// Set by the test's thread; looked at every few milliseconds.
    private let isStopping: StopFlag
    private let onStop: () -> Void
    private var nextLook = Instant(nanoseconds: 0)

    private init(isStopping: StopFlag, onStop: @escaping () -> Void) {
        self.isStopping = isStopping
        self.onStop = onStop
    }

    var nextDeadline: Instant? { nextLook }

    func tick(now: Instant) {
        nextLook = now + .milliseconds(5)
        if isStopping.value.load(ordering: .relaxed) { onStop() }
    }

    private final class StopFlag: Sendable {
        let value = Atomic(false)
    }

    /// Lends `body` the port of an endpoint that runs on a thread of its own for as long.
    static func run(_ body: (UInt16) throws -> Void) throws {
        let loop = SendableLoop(try EventLoop(clock: monotonic, signals: []))
        let port = try loop.value.listen(host: "127.0.0.1", port: 0)
        let (isStopping, finished) = (StopFlag(), DispatchSemaphore(value: 0))
        Thread {
            let endpoint = EchoEndpoint(isStopping: isStopping, onStop: { loop.value.stop(by: monotonic()) })
            try? loop.value.run(endpoint, onSignal: { _ in }, report: { _ in })
            finished.signal()
        }.start()
        defer {
            isStopping.value.store(true, ordering: .relaxed)
            finished.wait()
        }
        try body(port)
    }

    /// The loop is made by one thread and then used by another alone.
    private final class SendableLoop: @unchecked Sendable {
        let value: EventLoop
        init(_ value: EventLoop) { self.value = value }
    }
}

private func monotonic() -> Instant {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
}
