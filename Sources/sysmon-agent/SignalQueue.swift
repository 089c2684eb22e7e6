import CLinux
import Glibc

/// Signals as events of a descriptor, for commands that poll.
final class SignalQueue {
    let descriptor: Int32

    /// Blocks these signals in the whole process.
    init(_ numbers: [Int32]) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
        unsafe sigprocmask(SIG_BLOCK, &set, nil)
        descriptor = unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
    }

    deinit { close(descriptor) }

    var pollRequest: pollfd { pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0) }

    /// The next one that came; nil: none.
    func next() -> Int32? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return unsafe read(descriptor, &info, size) == size ? Int32(info.ssi_signo) : nil
    }
}
