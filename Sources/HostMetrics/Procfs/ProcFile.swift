internal import Glibc

/// A value that is made from a kernel text again and again, in its own storage.
package protocol KernelText: ~Copyable {
    /// Replaces what was there. Bad tokens and lines are counted; nothing stops it.
    mutating func parse(_ text: Span<UInt8>)
}

/// A kernel text file, kept open and read whole from its start each time.
///
/// Reading again costs a fraction of opening again, and the buffer is kept, so that a sample allocates nothing. A file
/// that fails is opened anew for the next reading: what is behind the descriptor may be gone for good, as with a module
/// that was unloaded, while a new file has the name.
package struct ProcFile: ~Copyable {
    private let path: FilePath
    /// -1: it is to be opened anew.
    private var descriptor: Int32
    private var buffer: [UInt8]
    private var count = 0

    /// No kernel text comes near this; a fixture or a bind mount might.
    private static let byteCountMax = 1 << 26

    package init(path: String, byteCapacity: Int = 4_096) throws(CollectError) {
        let path = FilePath(path)
        descriptor = try Self.open(path)
        self.path = path
        buffer = Array(repeating: 0, count: byteCapacity)
    }

    deinit { if descriptor >= 0 { _ = close(descriptor) } }

    /// A pipe in the file's place is not waited for; the kernel's own files never heed the flag.
    private static func open(_ path: borrowing FilePath) throws(CollectError) -> Int32 {
        let descriptor = unsafe path.withCString { unsafe Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { throw .open(errno: errno) }
        return descriptor
    }

    /// Gives the file up that could not be read.
    private mutating func fail(_ code: Int32) -> CollectError {
        count = 0
        if descriptor >= 0 { _ = close(descriptor) }
        descriptor = -1
        return .read(errno: code)
    }

    /// What was read last.
    package var text: Span<UInt8> {
        @_lifetime(borrow self) get { buffer.span.extracting(first: count) }
    }

    /// Reads a file that the kernel makes in one piece, and tells when that was.
    ///
    /// One `pread` at 0: reading on at another offset would make the kernel write the text anew and mix two instants.
    /// So if the text fills the buffer, a larger one is taken and the reading starts again.
    package mutating func read(_ clock: () -> ClockReading) throws(CollectError) -> ClockReading {
        if descriptor < 0 { descriptor = try Self.open(path) }
        while true {
            let before = clock()
            let result = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe pread(descriptor, bytes.baseAddress, bytes.count, 0)
            }
            let after = clock()
            if result < 0 {
                if errno == EINTR { continue }
                throw fail(errno)
            }
            if result == buffer.count {
                try grow()
                continue
            }
            count = result
            guard result > 0 else { throw .nothingUsable }
            return before.midpoint(to: after)
        }
    }

    /// Reads as ``read(_:)`` does, and parses.
    package mutating func read(
        _ clock: () -> ClockReading, into value: inout some KernelText & ~Copyable
    ) throws(CollectError) -> ClockReading {
        let time = try read(clock)
        value.parse(text)
        return time
    }

    /// Reads a file that the kernel makes line by line (net/dev, cpuinfo, zoneinfo), where one `read` returns a page
    /// at most.
    package mutating func readByLines(_ clock: () -> ClockReading) throws(CollectError) -> ClockReading {
        if descriptor < 0 { descriptor = try Self.open(path) }
        let before = clock()
        count = 0
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw fail(errno) }
        while true {
            if count == buffer.count { try grow() }
            let result = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe Glibc.read(descriptor, bytes.baseAddress.map { unsafe $0 + count }, bytes.count - count)
            }
            if result < 0 {
                if errno == EINTR { continue }
                throw fail(errno)
            }
            if result == 0 { break }
            count += result
        }
        let after = clock()
        guard count > 0 else { throw .nothingUsable }
        return before.midpoint(to: after)
    }

    /// Reads as ``readByLines(_:)`` does, and parses.
    package mutating func readByLines(
        _ clock: () -> ClockReading, into value: inout some KernelText & ~Copyable
    ) throws(CollectError) -> ClockReading {
        let time = try readByLines(clock)
        value.parse(text)
        return time
    }

    /// Whether the kernel reports a change since this was asked last, or since the file was opened: it does for
    /// mountinfo (proc_pid_mounts(5)), and never for a regular file.
    package func hasChanged() -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLPRI), revents: 0)
        return unsafe poll(&request, 1, 0) > 0 && Int32(request.revents) & (POLLERR | POLLPRI) != 0
    }

    private mutating func grow() throws(CollectError) {
        guard buffer.count < Self.byteCountMax else { throw fail(EFBIG) }
        // Twice as long; what is in the new half does not matter.
        buffer += buffer
    }
}
