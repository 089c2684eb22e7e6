internal import Glibc

/// /dev/kmsg, of which each `read` returns one record. Never blocks.
struct KernelLogFile: ~Copyable {
    enum Reading {
        case record
        /// Nothing is there, now.
        case nothing
        /// The next record was overwritten, or is longer than any; the one after it comes next.
        case lost
        case failed(errno: Int32)
    }

    /// The kernel's own buffer for a record with all of its keys (CONSOLE_EXT_LOG_MAX), and the largest of old kernels.
    private static let recordByteCountMax = 8_192

    let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: recordByteCountMax)

    /// Opens the file behind its last record. Throws EPERM where kernel.dmesg_restrict demands CAP_SYSLOG.
    init(path: String) throws(CollectError) {
        descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw .open(errno: errno) }
        skipAll()
    }

    deinit { _ = close(descriptor) }

    /// Goes behind the last record. Where that cannot be done, what was logged before is told as well.
    func skipAll() { _ = lseek(descriptor, 0, SEEK_END) }

    /// Reads and parses the next record; whether it is one, it tells itself.
    mutating func read(into record: inout KernelLogRecord) -> Reading {
        while true {
            let result = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe Glibc.read(descriptor, bytes.baseAddress, bytes.count)
            }
            if result > 0 {
                record.parse(buffer.span.extracting(first: result))
                return .record
            }
            // The log has no end.
            guard result < 0 else { return .failed(errno: ENODEV) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .nothing
            case EPIPE, EINVAL: return .lost
            default: return .failed(errno: errno)
            }
        }
    }
}
