internal import CLinux
internal import Glibc

/// sem_overview(7).
@safe
final class Semaphore: Sendable {
    private nonisolated(unsafe) let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe semaphore.initialize(to: sem_t())
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    func post() { unsafe sem_post(semaphore) }

    func wait() { while unsafe sem_wait(semaphore) != 0 && errno == EINTR {} }

    /// False: `seconds` went by before anybody posted.
    func wait(seconds: Double) -> Bool {
        guard seconds > 0 else { return unsafe sem_trywait(semaphore) == 0 }
        var deadline = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = deadline.tv_nsec + Int(min(seconds, 1e9) * 1e9)
        deadline.tv_sec += nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        while unsafe sem_clockwait(semaphore, CLOCK_MONOTONIC, &deadline) != 0 {
            guard errno == EINTR else { return false }
        }
        return true
    }
}

private final class ThreadBody {
    let name: String
    let run: @Sendable () -> Void
    init(_ name: String, _ run: @escaping @Sendable () -> Void) {
        self.name = name
        self.run = run
    }
}

/// Starts a detached thread, which nothing waits for, not even the end of the process. It takes no signals: they belong
/// to the loop. The kernel shows 15 bytes of the name. Throws where no thread can be had.
func startThread(named name: String, _ run: @escaping @Sendable () -> Void) throws(CollectError) {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let body = unsafe Unmanaged.passRetained(ThreadBody(name, run))
    let outcome = unsafe pthread_create(
        &thread, &attributes,
        { pointer in
            guard let pointer = unsafe pointer else { return nil }
            let body = unsafe Unmanaged<ThreadBody>.fromOpaque(pointer).takeRetainedValue()
            var signals = sigset_t()
            unsafe sigfillset(&signals)
            unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
            unsafe pthread_setname_np(pthread_self(), String(decoding: body.name.utf8.prefix(15), as: UTF8.self))
            body.run()
            return nil
        }, body.toOpaque())
    unsafe pthread_attr_destroy(&attributes)
    guard outcome != 0 else { return }
    unsafe body.release()
    throw .open(errno: outcome)
}
