internal import Glibc

/// A system call that failed.
package struct SystemError: Error, Equatable, Sendable {
    /// What was tried, such as "bind 127.0.0.1 port 8765".
    package var action: String
    package var code: Int32

    /// The system's words for what went wrong.
    package var reason: String

    package init(_ action: String, code: Int32, reason: String? = nil) {
        self.action = action
        self.code = code
        self.reason = unsafe reason ?? String(cString: strerror(code))
    }

    /// The address is none of this machine.
    package var isAddressUnknown: Bool { code == EADDRNOTAVAIL || code == EAFNOSUPPORT }
    package var isAddressInUse: Bool { code == EADDRINUSE }
    package var isPermissionDenied: Bool { code == EACCES }
}

/// Owns a file descriptor and closes it in the end.
struct FileDescriptor: ~Copyable {
    let rawValue: Int32

    /// Takes the result of a call that returns a descriptor, or -1 with `errno` set.
    init(_ result: Int32, _ action: String) throws(SystemError) {
        guard result >= 0 else { throw SystemError(action, code: errno) }
        rawValue = result
    }

    deinit { close(rawValue) }

    func setOption(_ level: Int32, _ name: Int32, to value: Int32) {
        var value = value
        _ = unsafe setsockopt(rawValue, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    func setNonBlocking() { _ = fcntl(rawValue, F_SETFL, fcntl(rawValue, F_GETFL) | O_NONBLOCK) }
}
