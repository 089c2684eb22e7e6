internal import Glibc

extension CollectError {
    /// Appends what went wrong, in words for a person: "cannot read: EACCES".
    package func describe(into text: inout [UInt8]) {
        switch self {
        case .open(let errno):
            append("cannot open: ", to: &text)
            append(errno: errno, to: &text)
        case .read(let errno):
            append("cannot read: ", to: &text)
            append(errno: errno, to: &text)
        case .nothingUsable: append("nothing usable in it", to: &text)
        }
    }

    private func append(_ part: StaticString, to text: inout [UInt8]) {
        for index in 0..<part.utf8CodeUnitCount { unsafe text.append(part.utf8Start[index]) }
    }

    private func append(errno: Int32, to text: inout [UInt8]) {
        switch errno {
        case ENOENT: append("ENOENT", to: &text)
        case EACCES: append("EACCES", to: &text)
        case EPERM: append("EPERM", to: &text)
        case EIO: append("EIO", to: &text)
        case ENODEV: append("ENODEV", to: &text)
        case ENXIO: append("ENXIO", to: &text)
        case EINVAL: append("EINVAL", to: &text)
        case EOPNOTSUPP: append("EOPNOTSUPP", to: &text)
        case EMFILE: append("EMFILE", to: &text)
        case ENFILE: append("ENFILE", to: &text)
        case ENOMEM: append("ENOMEM", to: &text)
        case EAGAIN: append("EAGAIN", to: &text)
        case EISDIR: append("EISDIR", to: &text)
        default:
            append("errno ", to: &text)
            var divisor: Int32 = 1_000_000_000
            while divisor > 1, errno / divisor == 0 { divisor /= 10 }
            while divisor > 0 {
                text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: (errno / divisor) % 10))
                divisor /= 10
            }
        }
    }
}
