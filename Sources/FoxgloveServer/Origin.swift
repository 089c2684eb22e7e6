/// Where a page comes from, as its browser says (RFC 6454).
struct Origin: Hashable, Sendable {
    /// In lower case.
    var scheme: String
    /// Nil where the scheme has no hosts, such as `file`.
    var authority: Authority?

    /// Nil for what is none, such as the `null` of pages that have no origin.
    init?(_ text: some StringProtocol) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
        let scheme = text[..<colon].lowercased()
        let rest = text[colon...].dropFirst(3)
        guard !scheme.isEmpty, scheme.utf8.allSatisfy(Self.isOfScheme) else { return nil }
        self.init(scheme: scheme, authority: Authority(rest))
        guard authority != nil || rest.isEmpty && Self.ports[scheme] == nil else { return nil }
    }

    /// A port that goes without saying is left out, so that equal origins are equal values.
    init(scheme: String, authority: Authority?) {
        self.scheme = scheme
        self.authority = authority
        if let port = authority?.port, port == Self.ports[scheme] { self.authority?.port = nil }
    }

    private static let ports: [String: UInt16] = ["http": 80, "https": 443]

    private static func isOfScheme(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "+-.".utf8.contains(byte)
        }
    }
}

/// An entry of the list of allowed origins: one origin, or one host with any port.
package struct OriginPattern: Hashable, Sendable {
    private var origin: Origin
    private var hasAnyPort: Bool

    /// `SCHEME://HOST`, `SCHEME://HOST:PORT`, `SCHEME://HOST:*`, or a scheme without hosts such as `file://`; nil for
    /// anything else. `null` is no origin: every page in a sandbox has it, whoever wrote that page.
    package init?(_ text: String) {
        hasAnyPort = text.hasSuffix(":*")
        guard let origin = Origin(hasAnyPort ? text.dropLast(2) : text[...]) else { return nil }
        guard !hasAnyPort || origin.authority != nil && origin.authority?.port == nil else { return nil }
        self.origin = origin
    }

    func matches(_ other: Origin) -> Bool {
        var other = other
        if hasAnyPort { other.authority?.port = nil }
        return other == origin
    }

    /// Pages on this machine, and the viewers that people use: security.md, section 3. Desktop applications load
    /// themselves from files.
    package static let defaults = [
        "http://localhost:*", "https://localhost:*", "http://127.0.0.1:*", "https://127.0.0.1:*",
        "https://app.foxglove.dev", "https://embed.foxglove.dev", "file://",
    ].compactMap(OriginPattern.init)
}
