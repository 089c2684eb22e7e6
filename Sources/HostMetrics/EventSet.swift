internal import CLinux
internal import Glibc

/// Descriptors beside sockets that the loop is to wake for: kernel notifications, and workers that are done.
///
/// An epoll instance of its own, so that the loop watches one descriptor whatever there is: when that is readable,
/// ``next()`` tells what happened.
@safe
package final class EventSet {
    package enum Event: Equatable, Sendable {
        /// A worker is done; which one, whoever has workers looks.
        case woken
        /// The descriptor that was added with this number is ready.
        case ready(Int)
    }

    /// Readable when ``next()`` has something to tell.
    package let descriptor: Int32
    private let waker: Waker

    package init() throws(CollectError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw .open(errno: errno) }
        waker = try Waker()
        guard add(waker.descriptor, tag: .max, interest: EPOLLIN.rawValue) else { throw .open(errno: errno) }
    }

    deinit { close(descriptor) }

    /// May be called on any thread; makes ``next()`` tell ``Event/woken``.
    package var wake: @Sendable () -> Void {
        let waker = waker
        return { waker.wake() }
    }

    /// Watches a descriptor until it is closed or removed. `isUrgent` waits for POLLPRI instead of bytes, as files of
    /// pressure triggers and mount tables want it (proc_pressure(5), proc_pid_mounts(5)). False: it cannot be watched.
    package func add(_ watched: Int32, number: Int, isUrgent: Bool = false) -> Bool {
        add(watched, tag: UInt64(number), interest: isUrgent ? EPOLLPRI.rawValue : EPOLLIN.rawValue)
    }

    package func remove(_ watched: Int32) { _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, nil) }

    private func add(_ watched: Int32, tag: UInt64, interest: UInt32) -> Bool {
        var event = unsafe epoll_event(events: interest, data: epoll_data_t(u64: tag))
        return unsafe epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) == 0
    }

    /// One thing that happened since it was last told; nil: nothing. What is still ready is told again.
    package func next() -> Event? {
        var event = unsafe epoll_event()
        guard unsafe epoll_wait(descriptor, &event, 1, 0) == 1 else { return nil }
        let tag = unsafe event.data.u64
        guard tag == .max else { return .ready(Int(tag)) }
        waker.reset()
        return .woken
    }
}

/// eventfd(2).
private final class Waker: Sendable {
    let descriptor: Int32

    init() throws(CollectError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw .open(errno: errno) }
    }

    deinit { close(descriptor) }

    func wake() { _ = eventfd_write(descriptor, 1) }

    func reset() {
        var count: eventfd_t = 0
        _ = unsafe eventfd_read(descriptor, &count)
    }
}
