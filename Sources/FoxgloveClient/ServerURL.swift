/// Where a server is: "ws://127.0.0.1:8765", "wss://[::1]:8765/?token=TOKEN".
package struct ServerURL: Equatable, Sendable {
    package var isSecure: Bool
    /// A name or an address; one of IPv6 without its brackets.
    package var host: String
    package var port: UInt16
    /// Path and query of the request, without the token.
    package var target: String
    /// What to log in with: `token` of the query. Goes in a header, so that no proxy writes it into its log.
    package var token: String?

    package static let byteCountMax = 4_096

    /// Why a text is no such address, with the way out.
    package struct Fault: Error, Equatable {
        package var text: String
    }

    package init(parsing text: String) throws(Fault) {
        guard text.utf8.count <= Self.byteCountMax else {
            throw Fault(text: "longer than \(Self.byteCountMax) bytes; write ws://HOST:PORT")
        }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Fault(text: "has blanks or characters that an address cannot have; write ws://HOST:PORT")
        }
        var rest = Substring(text)
        if rest.lowercased().hasPrefix("ws://") {
            isSecure = false
        } else if rest.lowercased().hasPrefix("wss://") {
            isSecure = true
        } else {
            throw Fault(text: "does not begin with ws:// or wss://; write ws://HOST:PORT")
        }
        rest = rest.drop { $0 != "/" }.dropFirst(2)
        rest = rest.prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else {
            throw Fault(text: "has a user; log in with a token: ws://HOST:PORT/?token=TOKEN")
        }
        (host, port) = try Self.parse(authority, defaultPort: isSecure ? 443 : 80)
        (target, token) = Self.parse(target: rest.dropFirst(authority.count))
    }

    private static func parse(
        _ authority: Substring, defaultPort: UInt16
    ) throws(Fault) -> (host: String, port: UInt16) {
        let end =
            authority.hasPrefix("[")
            ? authority.firstIndex(of: "]").map(authority.index(after:)) : authority.firstIndex(of: ":")
        let host = authority[..<(end ?? authority.endIndex)]
        let port = authority[(end ?? authority.endIndex)...]
        let name = host.hasPrefix("[") ? host.dropFirst().dropLast() : host
        guard !name.isEmpty, host.hasPrefix("[") == host.hasSuffix("]") else {
            throw Fault(text: "has no host; write ws://HOST:PORT")
        }
        if port.isEmpty { return (String(name), defaultPort) }
        guard port.hasPrefix(":"), port.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt16(port.dropFirst()), number > 0
        else { throw Fault(text: "has no port from 1 to 65535; write ws://HOST:PORT") }
        return (String(name), number)
    }

    private static func parse(target: Substring) -> (target: String, token: String?) {
        let path = target.prefix { $0 != "?" }
        var token: String?
        let items = target.dropFirst(path.count).dropFirst().split(separator: "&").filter { item in
            guard item.hasPrefix("token=") else { return true }
            token = String(item.dropFirst(6))
            return false
        }
        let query = items.isEmpty ? "" : "?" + items.joined(separator: "&")
        return ((path.isEmpty ? "/" : String(path)) + query, token)
    }

    /// For people and the `Host` header: "127.0.0.1:8765".
    package var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// For people: without path and query, where a token may stand.
    package var text: String { "\(isSecure ? "wss" : "ws")://\(authority)" }
}
