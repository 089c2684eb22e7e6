import Glibc

/// stderr, for lines that nobody waits for: it may be a terminal that is held, a pipe that is not read, or closed.
final class StandardError {
    private let descriptor: Int32
    /// systemd's journal reads it, which adds the time and looks for a priority.
    let isJournal: Bool
    /// The reader took the last line only in part.
    private var isInLine = false

    init() {
        // A reader that went away must not end the agent.
        signal(SIGPIPE, SIG_IGN)
        var status = stat()
        let isOpen = unsafe fstat(STDERR_FILENO, &status) == 0
        let stream = unsafe getenv("JOURNAL_STREAM").map { unsafe String(cString: $0) }
        isJournal = isOpen && stream == "\(status.st_dev):\(status.st_ino)"
        // Not waiting is a matter of the open file, which a shell and other programs share: so it is opened anew. That
        // does not work for sockets, and a regular file would lose its place in it; neither holds anybody up for long.
        let mayHold = [S_IFIFO, S_IFCHR].contains(status.st_mode & S_IFMT)
        let own = mayHold ? unsafe open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1
        descriptor = own >= 0 ? own : STDERR_FILENO
    }

    deinit { if descriptor != STDERR_FILENO { close(descriptor) } }

    /// Writes a line at once, or tells that it is lost.
    func write(_ line: String) -> Bool {
        let bytes = Array((isInLine ? "\n" + line : line).utf8)
        var query = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&query, 1, 0) == 1, Int32(query.revents) & POLLOUT != 0 else { return false }
        let count = unsafe Glibc.write(descriptor, bytes, bytes.count)
        guard count > 0 else { return false }
        isInLine = count < bytes.count
        return !isInLine
    }
}

/// Has 0, 1 and 2 stand for something: else the first files and sockets that are opened would get these numbers, and
/// what is written to stderr.
func fillStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
        _ = unsafe open("/dev/null", O_RDWR)
    }
}
