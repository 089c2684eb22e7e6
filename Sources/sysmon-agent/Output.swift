import Glibc

/// What a command tells, on stdout: a line or more at once, so that a reader behind a pipe sees them when they come.
enum Output {
    /// A reader that is gone ends the program by SIGPIPE, or, where that is ignored, quietly.
    static func write(_ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(STDOUT_FILENO, buffer.baseAddress.map { unsafe $0 + start }, bytes.count - start)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EPIPE { exit(0) }
            guard count > 0 else {
                writeError("cannot write to stdout: \(unsafe String(cString: strerror(errno)))")
                exit(1)
            }
            start += count
        }
    }

    static func write(_ text: String) { write(Array(text.utf8)) }

    /// The width of the terminal; nil: stdout is none.
    static var terminalSize: (columns: Int, rows: Int)? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0,
            size.ws_row > 0
        else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
