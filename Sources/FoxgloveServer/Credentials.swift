internal import WebSocketProtocol

/// What a request brings along to log in.
enum Credentials: Equatable {
    case none
    case token([UInt8])
    /// Tokens that differ, or one that cannot be read: which of them was meant is not guessed.
    case unclear

    /// A token comes in the query (`?token=T`), at the beginning of the path (`/t/T`), in the header
    /// `Authorization: Bearer T`, or as an offered subprotocol. The first two are all that a browser's user can choose,
    /// the others keep it out of logs.
    init(_ request: HTTPRequest) {
        let target = RequestTarget(request.target)
        var tokens: [[UInt8]?] = []
        if let token = target.pathToken { tokens.append(percentDecoded(token)) }
        tokens += target.queryTokens.map(percentDecoded)
        for value in request.values(of: "authorization") where value.lowercased().hasPrefix(Self.schemePrefix) {
            tokens.append(Array(value.utf8.dropFirst(Self.schemePrefix.utf8.count).drop { $0 == UInt8(ascii: " ") }))
        }
        for name in request.list(of: "sec-websocket-protocol") where name.hasPrefix(Self.subprotocolPrefix) {
            tokens.append(Base64URL.decode(name.dropFirst(Self.subprotocolPrefix.count)))
        }
        guard let first = tokens.first else {
            self = .none
            return
        }
        if let token = first, !token.isEmpty, tokens.allSatisfy({ $0 == token }) {
            self = .token(token)
        } else {
            self = .unclear
        }
    }

    private static let schemePrefix = "bearer "
    /// Kubernetes brought this form up; the name after it says whose token it is.
    private static let subprotocolPrefix = "base64url.bearer.authorization.sysmon."
}

/// The bytes behind a text with `%XX` in it (RFC 3986, section 2.1); nil if a percent sign begins nothing.
private func percentDecoded(_ text: Substring) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = text.utf8
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
            return nil
        }
        bytes.append(high << 4 | low)
    }
    return bytes
}

/// The value of one hexadecimal digit in either case.
func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
