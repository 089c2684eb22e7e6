package import WebSocketProtocol

/// Who may connect, and as what (security.md, sections 2 and 3): a value, made by the server's owner, that asks neither
/// sockets nor files.
package struct AccessPolicy: Sendable {
    /// Pages that may connect, besides our own.
    package var allowedOrigins = OriginPattern.defaults
    /// Only this machine reaches the server. Then its name is checked: no login stands in the way of a page whose
    /// author turned a name of theirs to 127.0.0.1.
    package var isBoundToLoopback = true
    /// Names by which the server is known, besides its addresses and `localhost`; in lower case, without port.
    package var names: Set<String> = []
    /// Makes every client a viewer, and takes what would change something from the announced capabilities.
    package var isReadOnly = false
    /// Empty: nobody is asked to log in, and whoever passes the other checks is an operator.
    package var tokens = TokenList()
    /// What every client is warned of when it connects.
    package var greetingWarning: String?
    /// SHA-256. The default knows no token.
    package var digest: @Sendable ([UInt8]) -> [UInt8] = { _ in [] }

    package init() {}

    /// `text` as one of ``names``; nil if it is no name, or has more to it.
    package static func name(_ text: String) -> String? {
        Authority(text).flatMap { $0.port == nil && !$0.isLiteral ? $0.host : nil }
    }

    package enum Decision: Equatable, Sendable {
        /// `name` is that of the token or certificate; empty if nobody was asked for one.
        case allow(Role, name: String)
        case refuse(Refusal)
    }

    /// Host, then origin, then login: a page that is not allowed must not learn whether a token is.
    ///
    /// `peerNames` are those of a certificate that was checked. A token, if one is given, decides instead of it.
    /// `isOpen`: nobody is asked to log in for what is asked for.
    package func decide(
        _ request: HTTPRequest, isTLS: Bool = false, peerNames: [String] = [], isOpen: Bool = false
    ) -> Decision {
        let hosts = request.values(of: "host")
        let host = hosts.count == 1 ? Authority(hosts[0]) : nil
        let isOurs = host.map { $0.isLiteral || $0.host == "localhost" || names.contains($0.host) } ?? false
        if isBoundToLoopback, !isOurs { return .refuse(.host(hosts.joined(separator: ", "))) }

        let origins = request.values(of: "origin")
        if !origins.isEmpty {
            // Under a name that is not ours, a page is ours only as far as its author turned that name to us.
            let own = isOurs ? Origin(scheme: isTLS ? "https" : "http", authority: host) : nil
            guard origins.count == 1, let origin = Origin(origins[0]),
                origin == own || allowedOrigins.contains(where: { $0.matches(origin) })
            else { return .refuse(.origin(origins.joined(separator: ", "))) }
        }
        return isOpen ? .allow(.viewer, name: "") : logIn(Credentials(request), peerNames)
    }

    private func logIn(_ credentials: Credentials, _ peerNames: [String]) -> Decision {
        let entry: TokenList.Entry?
        switch credentials {
        case _ where tokens.isEmpty: entry = TokenList.Entry(role: .operator, name: "")
        case .unclear: return .refuse(.loginUnclear)
        case .token(let token):
            entry = tokens.entry(withDigest: digest(token))
            if entry == nil { return .refuse(.loginWrong) }
        case .none: entry = tokens.entry(withSubjects: peerNames)
        }
        guard let entry else { return .refuse(.loginMissing) }
        return .allow(isReadOnly ? .viewer : entry.role, name: entry.name)
    }
}
