internal import Glibc

extension CollectError {
    /// Appends what went wrong, in words for a person: "cannot read: EACCES".
    package func describe(into text: inout [UInt8]) {
        switch self {
        case .open(let errno):
            text.append("cannot open: ")
            append(errno: errno, to: &text)
        case .read(let errno):
            text.append("cannot read: ")
            append(errno: errno, to: &text)
        case .nothingUsable: text.append("nothing usable in it")
        }
    }

    /// The same as a string.
    package var text: String {
        var bytes: [UInt8] = []
        describe(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func append(errno: Int32, to text: inout [UInt8]) {
        switch errno {
        case ENOENT: text.append("ENOENT")
        case EACCES: text.append("EACCES")
        case EPERM: text.append("EPERM")
        case EIO: text.append("EIO")
        case ENODEV: text.append("ENODEV")
        case ENXIO: text.append("ENXIO")
        case EINVAL: text.append("EINVAL")
        case EOPNOTSUPP: text.append("EOPNOTSUPP")
        case EMFILE: text.append("EMFILE")
        case ENFILE: text.append("ENFILE")
        case ENOMEM: text.append("ENOMEM")
        case EAGAIN: text.append("EAGAIN")
        case EISDIR: text.append("EISDIR")
        default:
            text.append("errno ")
            var divisor: Int32 = 1_000_000_000
            while divisor > 1, errno / divisor == 0 { divisor /= 10 }
            while divisor > 0 {
                text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: (errno / divisor) % 10))
                divisor /= 10
            }
        }
    }
}
