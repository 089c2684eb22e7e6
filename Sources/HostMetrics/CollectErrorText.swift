extension CollectError {
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
