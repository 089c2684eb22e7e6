import Foundation
import Networking
import Synchronization
import Telemetry
import WebSocketProtocol

/// Sends back what comes, after a greeting; `drop`, `pause` and `signal`, and `finish` at the end of anything, are
/// obeyed.
///
/// The loop's thread writes its records, the test reads them once a byte has come back or ``EchoServer/wait(_:)`` saw
/// them; a lock keeps that sound.
final class EchoHandler: ConnectionHandler, @unchecked Sendable {
    private struct Records {
        var addresses: [String] = []
        var closedCount = 0
        var blockedCount = 0
        var unblockedCount = 0
        var tickLateness: [Int64] = []
        var signals: [Int32] = []
        var peerNames: [[String]] = []
        var reports: [TLSContext.Report] = []
        var isStopping = false
        var opened = Tally()
        /// Sessions of TLS that began.
        var sessions = Tally()
    }

    /// How often something came to pass, and how often at most between two looks of the loop at the clock.
    struct Tally {
        private(set) var total = 0
        private(set) var most = 0
        private var current = 0

        mutating func count() {
            total += 1
            current += 1
            most = max(most, current)
        }

        mutating func beginRound() { current = 0 }
    }

    private struct Peer {
        var bytes: [UInt8] = []
        var isBlocked = false
        var isSecured = false
        var hasReceived = false
        var last = SendOutcome.idle
    }

    private let records = Mutex(Records())
    private var peers: [ConnectionID: Peer] = [:]
    private var deadlines: [Instant]
    private let greeting: [UInt8]
    /// When to look whether the test wants to stop.
    private var nextLook = monotonic()
    var onStop: () -> Void = {}

    init(greeting: String, ticks: [UInt64]) {
        let now = monotonic()
        self.greeting = Array(greeting.utf8)
        deadlines = ticks.map { now + .milliseconds($0) }
    }

    var addresses: [String] { records.withLock { $0.addresses } }
    var closedCount: Int { records.withLock { $0.closedCount } }
    var blockedCount: Int { records.withLock { $0.blockedCount } }
    var unblockedCount: Int { records.withLock { $0.unblockedCount } }
    var tickLateness: [Int64] { records.withLock { $0.tickLateness } }
    var signals: [Int32] { records.withLock { $0.signals } }
    /// Of every connection whose TLS handshake is complete.
    var peerNames: [[String]] { records.withLock { $0.peerNames } }
    var reports: [TLSContext.Report] { records.withLock { $0.reports } }
    var opened: Tally { records.withLock { $0.opened } }
    var sessions: Tally { records.withLock { $0.sessions } }
    func record(signal: Int32) { records.withLock { $0.signals.append(signal) } }
    func record(_ report: TLSContext.Report) { records.withLock { $0.reports.append(report) } }
    func stop() { records.withLock { $0.isStopping = true } }

    func opened(_ id: ConnectionID, from address: String, now: Instant) {
        records.withLock {
            $0.addresses.append(address)
            $0.opened.count()
        }
        peers[id] = Peer(bytes: greeting)
    }

    func secured(_ id: ConnectionID, peerNames: [String]) {
        precondition(peers[id]?.hasReceived == false && peers[id]?.isSecured == false, "once, before the first byte")
        peers[id]?.isSecured = true
        records.withLock { $0.peerNames.append(peerNames) }
    }

    func holds(_ id: ConnectionID, byteCount: Int) {
        // No record is as large.
        if byteCount > 20_000, peers[id]?.isSecured == false { records.withLock { $0.sessions.count() } }
    }

    func received(_ bytes: Span<UInt8>, from id: ConnectionID, now: Instant) {
        var more: [UInt8] = []
        for index in bytes.indices { more.append(bytes[index]) }
        peers[id]?.bytes += more
        peers[id]?.hasReceived = true
        if more.suffix(6).elementsEqual("finish".utf8) { peers[id]?.last = .finished }
        switch peers[id].map({ String(decoding: $0.bytes.prefix(8), as: UTF8.self) }) {
        case "drop": peers[id]?.last = .drop
        case "signal": raise(SIGUSR1)
        case "pause": usleep(200_000)
        default: break
        }
    }

    func unblocked(_ id: ConnectionID) {
        if peers[id]?.isBlocked == true { records.withLock { $0.unblockedCount += 1 } }
        peers[id]?.isBlocked = false
    }

    func closed(_ id: ConnectionID, now: Instant) {
        peers[id] = nil
        records.withLock { $0.closedCount += 1 }
    }

    var nextDeadline: Instant? {
        records.withLock {
            $0.opened.beginRound()
            $0.sessions.beginRound()
        }
        return deadlines.first.map { min($0, nextLook) } ?? nextLook
    }

    func tick(now: Instant) {
        if nextLook <= now {
            nextLook = now + .milliseconds(5)
            if records.withLock({ $0.isStopping }) {
                onStop()
                onStop = {}
            }
        }
        guard let deadline = deadlines.first, deadline <= now else { return }
        deadlines.removeFirst()
        records.withLock { $0.tickLateness.append(Int64(now.nanoseconds) - Int64(deadline.nanoseconds)) }
    }

    func send(to id: ConnectionID, _ write: (Outgoing) -> Int) -> SendOutcome {
        guard let peer = peers[id] else { return .drop }
        if peer.isBlocked { return .blocked }
        if peer.last == .drop { return .drop }
        guard !peer.bytes.isEmpty else { return peer.last }
        // Cut in pieces, so that stretches are exercised.
        let bytes = peer.bytes
        let first = min(3, bytes.count)
        let middle = (first + bytes.count) / 2
        let ranges = [first..<middle, middle..<bytes.count].filter { !$0.isEmpty }
        let taken = write(Outgoing(first: bytes.span.extracting(..<first), body: bytes.span, ranges: ranges.span))
        peers[id]?.bytes.removeFirst(taken)
        guard taken < bytes.count else { return peer.last }
        peers[id]?.isBlocked = true
        records.withLock { $0.blockedCount += 1 }
        return .blocked
    }
}

/// A loop with an ``EchoHandler``, on a thread of its own.
final class EchoServer {
    let handler: EchoHandler
    let port: UInt16
    /// The other end of a socketpair(2) that the loop took over.
    private(set) var adopted: Int32?
    private let finished = DispatchSemaphore(value: 0)
    private var isStopped = false

    /// SIGUSR1 makes it read the files of `tls` again.
    init(
        host: String = "127.0.0.1", greeting: String = "", ticks: [UInt64] = [], tls files: CertificateFiles? = nil,
        adopts: Bool = false
    ) throws {
        var ends: [Int32] = [-1, -1]
        if adopts, unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 { adopted = ends[0] }
        let end = ends[1]
        handler = EchoHandler(greeting: greeting, ticks: ticks)
        let started = DispatchSemaphore(value: 0)
        let (handler, finished) = (handler, finished)
        let result = Mutex<Result<UInt16, any Error>>(.failure(CancellationError()))
        let shared = Shared(result)
        Thread {
            do {
                let loop = try EventLoop(clock: monotonic, signals: [SIGUSR1])
                let tls = try files.map { files in
                    try TLSContext(
                        certificate: files.certificate, key: files.key, clientAuthority: files.clientAuthority,
                        report: { handler.record($0) })
                }
                let port = try loop.listen(host: host, port: 0, tls: tls)
                if adopts { try loop.adopt(end, from: "a pair", handler) }
                handler.onStop = { loop.stop(by: monotonic() + .milliseconds(100)) }
                shared.result.withLock { $0 = .success(port) }
                started.signal()
                let onSignal = { (number: Int32) in
                    handler.record(signal: number)
                    tls?.reload()
                }
                try loop.run(handler, onSignal: onSignal, report: { _ in })
            } catch {
                shared.result.withLock { $0 = .failure(error) }
                started.signal()
            }
            finished.signal()
        }.start()
        started.wait()
        port = try shared.result.withLock { try $0.get() }
    }

    /// Waits for what another thread is about to record.
    func wait(_ isTrue: (EchoHandler) -> Bool) {
        for _ in 0..<5_000 where !isTrue(handler) { usleep(1_000) }
    }

    func stop() {
        guard !isStopped else { return }
        isStopped = true
        handler.stop()
        finished.wait()
    }
}

private final class Shared: Sendable {
    let result: Mutex<Result<UInt16, any Error>>
    init(_ result: consuming Mutex<Result<UInt16, any Error>>) { self.result = result }
}

/// A plain blocking TCP client.
final class Client: @unchecked Sendable {
    let descriptor: Int32
    private var isClosed = false

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        // Small, so that the server's socket fills.
        var size: Int32 = 65_536
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe Foundation.connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close()
            throw SystemError("connect", code: errno)
        }
    }

    deinit { close() }

    /// Holds bytes back until the socket is closed, so that they leave with the end.
    func cork() {
        var one: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    func close() {
        if !isClosed { _ = Foundation.close(descriptor) }
        isClosed = true
    }

    /// With `mayFill` it stops when the socket takes no more. Returns how many bytes it took.
    @discardableResult func send(_ bytes: [UInt8], mayFill: Bool = false) -> Int {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Foundation.send(
                    descriptor, buffer.baseAddress.map { unsafe $0 + sent }, buffer.count - sent,
                    Int32(MSG_NOSIGNAL) | (mayFill ? Int32(MSG_DONTWAIT) : 0))
            }
            guard count > 0 else { break }
            sent += count
        }
        return sent
    }

    func receive(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, let more = receiveSome(upTo: count - bytes.count) { bytes += more }
        return bytes
    }

    func receiveToEnd() -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = receiveSome(upTo: 65_536) { bytes += more }
        return bytes
    }

    private func receiveSome(upTo limit: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: min(limit, 1 << 20))
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }
}
