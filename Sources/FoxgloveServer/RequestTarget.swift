/// The target of a request, told apart into what is asked for and the tokens that may stand in it.
struct RequestTarget: Equatable {
    /// After `/t/`, up to the next slash, as it came; nil: the path does not begin so.
    var pathToken: Substring?
    /// From `?token=`, as they came.
    var queryTokens: [Substring] = []
    /// Without `/t/TOKEN`, and as it came: nothing is decoded. Empty if nothing follows the token.
    var path: Substring
    /// The other members of the query, without the question mark.
    var query: String

    init(_ target: String) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = parts[0]
        if path.hasPrefix(Self.pathPrefix) {
            let rest = path.dropFirst(Self.pathPrefix.count)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            pathToken = rest[..<end]
            path = rest[end...]
        }
        var others: [Substring] = []
        for member in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            if member.hasPrefix(Self.queryPrefix) {
                queryTokens.append(member.dropFirst(Self.queryPrefix.count))
            } else {
                others.append(member)
            }
        }
        query = others.joined(separator: "&")
    }

    /// Where a page has to be for its relative links to carry its token, relative to this target; nil: it is there.
    var pageLocation: String? {
        // A token that looks like the beginning of another site's address does not lead there.
        if let pathToken { return path.isEmpty ? "./\(pathToken)/" : nil }
        guard path == "/", let token = queryTokens.first else { return nil }
        // A slash need not be encoded in a query.
        return "t/\(token.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "%2F"))/"
    }

    private static let pathPrefix = "/t/"
    private static let queryPrefix = "token="
}
