internal import Glibc

extension CollectError {
    /// Why a channel is absent, for somebody who asks what a host has.
    package var reasonOfAbsence: String {
        switch self {
        case .open(ENOENT): "this host has none (ENOENT)"
        case .open(EOPNOTSUPP): "the kernel does not offer it (EOPNOTSUPP)"
        case .open(EACCES), .open(EPERM): "no permission (\(text.split(separator: " ").last ?? ""))"
        default: text
        }
    }

    /// Appends what went wrong, in words for a person: "cannot read: EACCES".
    package func describe(into text: inout [UInt8]) {
        switch self {
        case .open(let errno):
            text.append("cannot open: ")
            ErrnoValue(code: errno).describe(into: &text)
        case .read(let errno):
            text.append("cannot read: ")
            ErrnoValue(code: errno).describe(into: &text)
        case .nothingUsable: text.append("nothing usable in it")
        }
    }

    /// The same as a string.
    package var text: String {
        var bytes: [UInt8] = []
        describe(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
