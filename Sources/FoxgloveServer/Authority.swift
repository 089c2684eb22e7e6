/// A host and perhaps a port, as the header Host and an origin have them.
struct Authority: Hashable, Sendable {
    /// In lower case; an IPv6 address in its brackets.
    var host: String
    var port: UInt16?

    /// Nil if `text` is neither name nor address, or its port no number.
    init?(_ text: some StringProtocol) {
        let text = text.lowercased()
        let end = text.hasPrefix("[") ? text.firstIndex(of: "]").map(text.index(after:)) : text.firstIndex(of: ":")
        host = String(text[..<(end ?? text.endIndex)])
        let rest = text[(end ?? text.endIndex)...]
        if !rest.isEmpty {
            let digits = rest.dropFirst()
            guard rest.hasPrefix(":"), digits.utf8.allSatisfy(Self.isDigit), let port = UInt16(digits) else {
                return nil
            }
            self.port = port
        }
        guard isIPv6 || !host.isEmpty && host.utf8.allSatisfy(Self.isOfName) else { return nil }
    }

    /// A page that a browser took from this host did not get there through somebody else's name.
    var isLiteral: Bool { isIPv6 || isIPv4 }

    private var isIPv6: Bool {
        host.hasPrefix("[") && host.hasSuffix("]") && host.utf8.count { $0 == UInt8(ascii: ":") } >= 2
            && host.dropFirst().dropLast().utf8.allSatisfy { byte in
                Self.isDigit(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
                    || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
            }
    }

    private var isIPv4: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(Self.isDigit) && UInt8($0) != nil }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private static func isOfName(_ byte: UInt8) -> Bool {
        isDigit(byte) || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || "-._".utf8.contains(byte)
    }
}
