internal import Glibc

/// Why a system call failed.
package struct ErrnoValue: Error, Equatable, Sendable {
    package var code: Int32

    package init(code: Int32) { self.code = code }

    package static let noSuchFile = ErrnoValue(code: ENOENT)

    /// Appends the name, `ENOENT`, or the number where the name is not known here.
    package func describe(into text: inout [UInt8]) {
        switch code {
        case EPERM: text.append("EPERM")
        case ENOENT: text.append("ENOENT")
        case EINTR: text.append("EINTR")
        case EIO: text.append("EIO")
        case ENXIO: text.append("ENXIO")
        case EBADF: text.append("EBADF")
        case EAGAIN: text.append("EAGAIN")
        case ENOMEM: text.append("ENOMEM")
        case EACCES: text.append("EACCES")
        case EBUSY: text.append("EBUSY")
        case ENODEV: text.append("ENODEV")
        case ENOTDIR: text.append("ENOTDIR")
        case EISDIR: text.append("EISDIR")
        case EINVAL: text.append("EINVAL")
        case ENFILE: text.append("ENFILE")
        case EMFILE: text.append("EMFILE")
        case EFBIG: text.append("EFBIG")
        case ENAMETOOLONG: text.append("ENAMETOOLONG")
        case ENOSYS: text.append("ENOSYS")
        case ELOOP: text.append("ELOOP")
        case ENODATA: text.append("ENODATA")
        case EOVERFLOW: text.append("EOVERFLOW")
        case EOPNOTSUPP: text.append("EOPNOTSUPP")
        case ENETDOWN: text.append("ENETDOWN")
        case ENETUNREACH: text.append("ENETUNREACH")
        case ECONNABORTED: text.append("ECONNABORTED")
        case ECONNRESET: text.append("ECONNRESET")
        case ENOTCONN: text.append("ENOTCONN")
        case ETIMEDOUT: text.append("ETIMEDOUT")
        case ECONNREFUSED: text.append("ECONNREFUSED")
        case EHOSTDOWN: text.append("EHOSTDOWN")
        case EHOSTUNREACH: text.append("EHOSTUNREACH")
        case ESTALE: text.append("ESTALE")
        case EREMOTEIO: text.append("EREMOTEIO")
        default:
            text.append("errno ")
            if code < 0 { text.append("-") }
            text.append(decimal: code.magnitude)
        }
    }
}
