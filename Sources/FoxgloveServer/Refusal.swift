internal import FoxgloveProtocol
package import WebSocketProtocol

/// Why a request was turned away although the server understood it.
package enum Refusal: Equatable, Sendable {
    /// The name that a browser took for ours is none of ours: somebody may have turned it to this machine.
    case host(String)
    /// The page that a browser connects for is not known.
    case origin(String)
    case loginMissing
    case loginWrong
    case loginUnclear

    /// What is told apart by answer and count.
    package enum Kind: Sendable {
        case host, origin, login
    }

    package var kind: Kind {
        switch self {
        case .host: .host
        case .origin: .origin
        case .loginMissing, .loginWrong, .loginUnclear: .login
        }
    }

    /// For the one who asked. It repeats nothing of the request.
    package var response: HTTPResponse {
        switch kind {
        case .host:
            HTTPResponse(
                403, "Forbidden", text: "This server is not known by the name in Host; its log says how to change it.")
        case .origin:
            HTTPResponse(403, "Forbidden", text: "Pages of this origin are not allowed; the server's log says how to.")
        case .login:
            HTTPResponse(
                401, "Unauthorized", fields: ["WWW-Authenticate: Bearer"],
                text: "A valid token is needed. Put it at the end of the address: ?token=...")
        }
    }

    /// For the log: which setting changes it. It shows no token and no query.
    package var reason: String {
        switch self {
        case .host(let host):
            "the name \(quoted(host)) in Host is not allowed; --server-name allows it"
        case .origin(let origin):
            "the origin \(quoted(origin)) is not allowed; --allow-origin allows it"
        case .loginMissing: "no token was given; append ?token=... to the address"
        case .loginWrong: "the token is not in the token file"
        case .loginUnclear: "the token cannot be read, or two of them were given that differ"
        }
    }
}
