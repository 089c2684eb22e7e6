internal import CLinux
internal import Glibc
package import Telemetry
package import WebSocketProtocol

/// Sockets, one timer and signals as events of one thread.
///
/// Sockets are watched edge-triggered, so that watching costs no system call after the first; the timer is absolute, so
/// that deadlines do not drift.
@safe
package final class EventLoop {
    /// What the loop tells of itself; it never logs.
    package enum Report: Equatable, Sendable {
        case outOfDescriptors
    }

    private enum Source: UInt64 {
        case timer, signals, listener, connection, watched, waker

        func tag(_ index: Int = 0) -> UInt64 { rawValue << 32 | UInt64(index) }
    }

    private struct Chore {
        let period: Period
        var dueAt: Instant
        let run: (Instant) -> Void
    }

    private static let eventLimit = 256
    static let readByteCount = 64 * 1_024
    /// Connections that are taken in one round, so that a crowd that comes at once does not keep the others waiting.
    private static let acceptLimit = 64
    /// Steps of TLS handshakes in one round, for the same reason: each may sign something, which takes up to a
    /// millisecond.
    static let handshakeStepLimit = 8
    /// The system does not miss much less.
    private static let trimByteCount = 4 * 1_024 * 1_024

    private let clock: () -> Instant
    private let epoll: FileDescriptor
    private let timer: FileDescriptor
    private let signals: FileDescriptor
    private let waker: Waker
    /// Given up for a moment to refuse a connection when no other descriptor is left.
    private var spare: FileDescriptor?
    private var listeners: [Listener] = []
    private var connections: [Connection?] = []
    private var connectionCount = 0
    private var freeIndices: [Int] = []
    /// Closed in this round: their indices are not given out before every event of the round is handled.
    private var closedIndices: [Int] = []
    /// What the TLS of closed connections took that the allocator may still keep.
    private var freedByteCount = 0
    private var armedDeadline: Instant?
    private var stopDeadline: Instant?
    private var chores: [Chore] = []
    var hasUnreadBytes = false
    /// In this round.
    var handshakeStepCount = 0
    /// Where the handshakes of the next round begin, so that each has its turn.
    var firstWaiting: Int?
    private var events = unsafe [epoll_event](repeating: epoll_event(), count: eventLimit)
    private var vectors: [iovec] = unsafe []
    /// What was read last; also where what is to be encrypted is gathered.
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: readByteCount, alignment: 16)

    /// `clock` reads CLOCK_MONOTONIC; the signals are blocked in the whole process and delivered to `run` instead.
    package init(clock: @escaping () -> Instant, signals numbers: [Int32]) throws(SystemError) {
        self.clock = clock
        epoll = try FileDescriptor(epoll_create1(Int32(EPOLL_CLOEXEC)), "create an epoll instance")
        timer = try FileDescriptor(
            timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK)), "create a timer")
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
        unsafe sigprocmask(SIG_BLOCK, &set, nil)
        signals = try FileDescriptor(
            unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK)), "create a signal descriptor")
        waker = try Waker()
        signal(SIGPIPE, SIG_IGN)
        spare = Self.openSpare()
        unsafe vectors.reserveCapacity(1_024)
        try watch(timer.rawValue, UInt32(EPOLLIN.rawValue) | Self.edgeTriggered, Source.timer.tag())
        try watch(signals.rawValue, UInt32(EPOLLIN.rawValue), Source.signals.tag())
        try watch(waker.descriptor.rawValue, UInt32(EPOLLIN.rawValue), Source.waker.tag())
    }

    deinit { unsafe readBuffer.deallocate() }

    private static let edgeTriggered: UInt32 = 1 << 31

    /// Listens on every address of `host`; returns the port, which is a free one if 0 was asked for. With `tls` every
    /// connection to it is encrypted.
    package func listen(host: String, port: UInt16, tls: TLSContext? = nil) throws(SystemError) -> UInt16 {
        let bound = try Listener.bind(host: host, port: port, tls: tls)
        for listener in bound { try add(listener) }
        return bound[0].port
    }

    /// Listens on a socket that somebody else has opened.
    package func listen(on socket: PassedSocket, tls: TLSContext? = nil) throws(SystemError) {
        try add(try Listener(socket, tls: tls))
    }

    private func add(_ listener: Listener) throws(SystemError) {
        try watch(listener.descriptor.rawValue, UInt32(EPOLLIN.rawValue), Source.listener.tag(listeners.count))
        listeners.append(listener)
    }

    /// Lets the handler wait for descriptors of its own and be woken by its threads. The loop must outlive it.
    package var watcher: EventWatcher {
        let waker = waker
        return EventWatcher(
            watch: { [unowned self] descriptor, isUrgent in
                let interest = UInt32((isUrgent ? EPOLLPRI : EPOLLIN).rawValue)
                return (try? watch(descriptor, interest, Source.watched.tag(Int(descriptor)))) != nil
            },
            unwatch: { [unowned self] descriptor in epoll_ctl(epoll.rawValue, EPOLL_CTL_DEL, descriptor, nil) },
            wake: { waker.wake() })
    }

    /// Has `chore` done on the loop's thread every so often, so seldom that it wakes nobody who saves power.
    package func every(_ period: Period, _ chore: @escaping (Instant) -> Void) {
        chores.append(Chore(period: period, dueAt: clock() + period, run: chore))
    }

    /// Takes no more connections and lets `run` return once the present ones are gone, or at `deadline`.
    package func stop(by deadline: Instant) {
        listeners = []
        stopDeadline = deadline
    }

    /// Serves until ``stop(by:)``.
    package func run(
        _ handler: some ConnectionHandler, onSignal: (Int32) -> Void, report: (Report) -> Void
    ) throws(SystemError) {
        var now = clock()
        while true {
            var deadline = Instant.earliest(handler.nextDeadline, stopDeadline)
            for chore in chores { deadline = Instant.earliest(deadline, chore.dueAt) }
            let mustWait = !hasUnreadBytes && deadline.map { $0 > now } ?? true
            if mustWait { arm(deadline) }
            let count = unsafe epoll_wait(epoll.rawValue, &events, Int32(Self.eventLimit), mustWait ? -1 : 0)
            guard count >= 0 || errno == EINTR else { throw SystemError("wait for events", code: errno) }
            now = clock()
            handshakeStepCount = 0
            if hasUnreadBytes { readOn(handler, now: now) }
            for index in 0..<max(0, Int(count)) {
                let (tag, flags) = unsafe (events[index].data.u64, events[index].events)
                handle(tag, flags, handler, onSignal: onSignal, report: report, now: now)
            }
            if let deadline = handler.nextDeadline, deadline <= now { handler.tick(now: now) }
            for index in chores.indices where chores[index].dueAt <= now {
                chores[index].dueAt = now + chores[index].period
                chores[index].run(now)
            }
            for index in connections.indices { send(index, handler, now: now) }
            freeIndices += closedIndices
            closedIndices.removeAll(keepingCapacity: true)
            if freedByteCount >= Self.trimByteCount {
                freedByteCount = 0
                // A flood of handshakes leaves a heap full of holes, which stays as large as it was.
                malloc_trim(0)
            }
            if let stopDeadline, connectionCount == 0 || stopDeadline <= now { return }
        }
    }

    // MARK: Events

    private func handle(
        _ tag: UInt64, _ flags: UInt32, _ handler: some ConnectionHandler, onSignal: (Int32) -> Void,
        report: (Report) -> Void, now: Instant
    ) {
        let index = Int(tag & 0xFFFF_FFFF)
        switch Source(rawValue: tag >> 32) {
        case .signals: readSignals(onSignal)
        case .listener where index < listeners.count:
            accept(from: listeners[index], handler, report: report, now: now)
        case .connection:
            guard let connection = connections[index] else { return }
            if flags & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { connection.hasEnded = true }
            if flags & EPOLLOUT.rawValue != 0 {
                connection.isBlocked = false
                if connection.flush() { handler.unblocked(ConnectionID(index: index)) }
            }
            if flags & ~EPOLLOUT.rawValue != 0 { read(connection, index, handler, now: now) }
        case .watched: handler.ready(Int32(index), now: now)
        case .waker:
            waker.reset()
            handler.woken(now: now)
        case .timer, .listener, nil:
            // The timer only ends the wait.
            break
        }
    }

    private func readSignals(_ onSignal: (Int32) -> Void) {
        var info = signalfd_siginfo()
        while unsafe Glibc.read(signals.rawValue, &info, MemoryLayout<signalfd_siginfo>.size) > 0 {
            onSignal(Int32(info.ssi_signo))
        }
    }

    private func accept(
        from listener: Listener, _ handler: some ConnectionHandler, report: (Report) -> Void, now: Instant
    ) {
        // Those that are left are announced again.
        for _ in 0..<Self.acceptLimit {
            switch listener.accept() {
            case .none: return
            case .outOfDescriptors:
                report(.outOfDescriptors)
                // Take the connection with the spare descriptor and drop it, or it would be announced for ever.
                spare = nil
                _ = listener.accept()
                spare = Self.openSpare()
                return
            case .connection(let descriptor, let address):
                serve(descriptor, from: address, tls: listener.tls, handler, now: now)
            }
        }
    }

    /// Serves a connected socket that was made elsewhere, such as one end of a socketpair(2), as if it was accepted
    /// from `address`; to be called before ``run(_:onSignal:report:)`` or by what that calls.
    package func adopt(
        _ descriptor: Int32, from address: String, _ handler: some ConnectionHandler
    ) throws(SystemError) {
        let socket = try FileDescriptor(descriptor, "take over a socket")
        socket.setNonBlocking()
        serve(socket, from: address, tls: nil, handler, now: clock())
    }

    private func serve(
        _ descriptor: consuming FileDescriptor, from address: String, tls: TLSContext?,
        _ handler: some ConnectionHandler, now: Instant
    ) {
        let index = freeIndices.popLast() ?? connections.count
        if index == connections.count { connections.append(nil) }
        let interest = UInt32(EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue) | Self.edgeTriggered
        guard (try? watch(descriptor.rawValue, interest, Source.connection.tag(index))) != nil else {
            freeIndices.append(index)
            return
        }
        handler.opened(ConnectionID(index: index), from: address, now: now)
        connections[index] = Connection(descriptor, tls: tls)
        connectionCount += 1
    }

    /// One helping per connection and round, so that one that floods does not keep the others waiting.
    private func read(_ connection: Connection, _ index: Int, _ handler: some ConnectionHandler, now: Instant) {
        connection.isReadable = false
        guard case .plain = connection.transport else { return readTLS(connection, index, handler, now: now) }
        guard let count = unsafe connection.read(into: readBuffer) else { return }
        guard count > 0 else { return close(index, handler, now: now) }
        // The end is announced once, perhaps together with the last bytes: it is read next time.
        if count == Self.readByteCount || connection.hasEnded { readLater(connection) }
        let bytes = unsafe Span<UInt8>(_unsafeBytes: UnsafeRawBufferPointer(rebasing: readBuffer[..<count]))
        handler.received(bytes, from: ConnectionID(index: index), now: now)
    }

    private func readOn(_ handler: some ConnectionHandler, now: Instant) {
        hasUnreadBytes = false
        let first = firstWaiting ?? 0
        firstWaiting = nil
        for indices in [first..<connections.count, 0..<first] {
            for index in indices {
                guard let connection = connections[index], connection.isReadable else { continue }
                read(connection, index, handler, now: now)
            }
        }
    }

    /// Without being announced again.
    func readLater(_ connection: Connection) {
        connection.isReadable = true
        hasUnreadBytes = true
    }

    private func send(_ index: Int, _ handler: some ConnectionHandler, now: Instant) {
        guard let connection = connections[index] else { return }
        let outcome = handler.send(to: ConnectionID(index: index)) { outgoing in
            if case .plain = connection.transport { return unsafe connection.write(outgoing, vectors: &vectors) }
            return unsafe connection.write(outgoing, by: readBuffer)
        }
        switch outcome {
        case .idle, .blocked: break
        case .finished: connection.shutDown()
        case .drop: return close(index, handler, now: now)
        }
        if connection.isBroken { close(index, handler, now: now) }
    }

    func close(_ index: Int, _ handler: some ConnectionHandler, now: Instant) {
        freedByteCount += connections[index]?.toldByteCount ?? 0
        connections[index] = nil
        connectionCount -= 1
        closedIndices.append(index)
        handler.closed(ConnectionID(index: index), now: now)
    }

    // MARK: System

    private func watch(_ descriptor: Int32, _ interest: UInt32, _ tag: UInt64) throws(SystemError) {
        var event = unsafe epoll_event(events: interest, data: epoll_data_t(u64: tag))
        guard unsafe epoll_ctl(epoll.rawValue, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            throw SystemError("watch a descriptor", code: errno)
        }
    }

    /// Sets the timer to an absolute time; nil: off.
    private func arm(_ deadline: Instant?) {
        guard deadline != armedDeadline else { return }
        armedDeadline = deadline
        var spec = itimerspec()
        if let deadline {
            // 0 would turn the timer off.
            spec.it_value.tv_sec = Int(deadline.nanoseconds / 1_000_000_000)
            spec.it_value.tv_nsec = Int(max(1, deadline.nanoseconds % 1_000_000_000))
        }
        _ = unsafe timerfd_settime(timer.rawValue, Int32(TFD_TIMER_ABSTIME), &spec, nil)
    }

    private static func openSpare() -> FileDescriptor? {
        try? FileDescriptor(unsafe open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null")
    }
}

/// eventfd(2): what another thread wakes the loop with.
private final class Waker: Sendable {
    let descriptor: FileDescriptor

    init() throws(SystemError) {
        descriptor = try FileDescriptor(
            eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)), "create an event descriptor")
    }

    func wake() { _ = eventfd_write(descriptor.rawValue, 1) }

    func reset() {
        var count: eventfd_t = 0
        _ = unsafe eventfd_read(descriptor.rawValue, &count)
    }
}
