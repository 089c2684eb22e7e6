import FoxgloveServer
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

/// Every combination of what decides about a client (security.md, sections 2 to 4), on the wire.
@Suite struct AccessMatrixTests {
    enum Login: CaseIterable {
        /// The server has no tokens.
        case unasked
        case missing, viewer, `operator`, wrong
    }

    enum Page: CaseIterable {
        case none, own, local, wellKnown, listed, foreign, null
    }

    enum Name: String, CaseIterable {
        case address = "192.168.7.7:8765"
        case localhost = "localhost:8765"
        case listed = "host.example:8765"
        case other = "evil.example:8765"
    }

    struct Case {
        var isLoopback, isTLS, isReadOnly: Bool
        var login: Login
        var form: TokenForm
        var page: Page
        var name: Name

        /// By the rules of security.md alone.
        var expected: (status: Int, role: Role?) {
            if isLoopback, name == .other { return (403, nil) }
            switch page {
            case .none, .local, .wellKnown, .listed: break
            case .own where name != .other: break
            case .own, .foreign, .null: return (403, nil)
            }
            switch login {
            case .missing, .wrong: return (401, nil)
            case .viewer: return (101, .viewer)
            case .operator, .unasked: return (101, isReadOnly ? .viewer : .operator)
            }
        }

        var origin: String? {
            switch page {
            case .none: nil
            case .own: "\(isTLS ? "https" : "http")://\(name.rawValue)"
            case .local: "http://localhost:8080"
            case .wellKnown: "https://app.foxglove.dev"
            case .listed: "https://lichtblick.example"
            case .foreign: "https://evil.example"
            case .null: "null"
            }
        }

        /// What a server answers, and what it takes its client for.
        func outcome() throws -> (status: Int, role: Role?) {
            let world = World(channelCount: 1)
            var policy = login == .unasked ? AccessPolicy() : try AccessPolicy.withTokens()
            policy.isBoundToLoopback = isLoopback
            policy.isReadOnly = isReadOnly
            policy.names = ["host.example"]
            policy.allowedOrigins += ["https://lichtblick.example"].compactMap(OriginPattern.init)
            world.server.access = policy
            let id = world.open()
            if isTLS { world.server.secured(id, peerNames: []) }
            let fields = origin.map { ["Origin: \($0)"] } ?? []
            let token: String? =
                switch login {
                case .unasked, .missing: nil
                case .viewer: Secrets.viewer
                case .operator: Secrets.operator
                case .wrong: Secrets.wrong
                }
            if let token {
                form.ask(world, id, token, host: name.rawValue, fields: fields)
            } else {
                world.ask(id, host: name.rawValue, fields: fields)
            }
            world.wait(milliseconds: 200)
            world.drain(id)
            let answer = try #require(world.answer(id))
            #expect(!answer.head.contains("bearer.authorization"), "the token is echoed")
            #expect(world.server.clientCount == (answer.status == 101 ? 1 : 0))
            return (answer.status, answer.status == 101 ? world.server.role(of: id) : nil)
        }
    }

    static let cases: [Case] = [true, false].flatMap { isLoopback in
        [true, false].flatMap { isTLS in
            [true, false].flatMap { isReadOnly in
                Login.allCases.flatMap { login in
                    (login == .unasked || login == .missing ? [.query] : TokenForm.allCases).flatMap { form in
                        Page.allCases.flatMap { page in
                            Name.allCases.map { name in
                                Case(
                                    isLoopback: isLoopback, isTLS: isTLS, isReadOnly: isReadOnly, login: login,
                                    form: form, page: page, name: name)
                            }
                        }
                    }
                }
            }
        }
    }

    @Test func everyCombinationHasTheAnswerOfTheRules() throws {
        #expect(Self.cases.count == 2 * 2 * 2 * (2 + 3 * 4) * 7 * 4)
        for row in Self.cases {
            let (outcome, expected) = (try row.outcome(), row.expected)
            #expect(outcome.status == expected.status && outcome.role == expected.role, "\(row): \(outcome)")
        }
    }

    /// Written out, so that a mistake in the rules above does not hide one in the server.
    static let written: [(String, Case, Int, Role?)] = [
        (
            "a native client on this machine", .row(.unasked, .none, .localhost), 101, .operator
        ),
        ("Foxglove in a browser", .row(.unasked, .wellKnown, .localhost), 101, .operator),
        ("any page that the user visits", .row(.unasked, .foreign, .localhost), 403, nil),
        ("a sandboxed frame", .row(.unasked, .null, .localhost), 403, nil),
        ("a name turned to 127.0.0.1", .row(.unasked, .own, .other), 403, nil),
        ("a token does not excuse the origin", .row(.operator, .foreign, .localhost), 403, nil),
        ("a token does not excuse the name", .row(.operator, .none, .other), 403, nil),
        ("a client in the network by any name", .row(.viewer, .none, .other, isLoopback: false), 101, .viewer),
        ("a name turned to a host in the network", .row(.unasked, .own, .other, isLoopback: false), 403, nil),
        ("our page over TLS", .row(.operator, .own, .listed, isLoopback: false, isTLS: true), 101, .operator),
        ("a wrong token", .row(.wrong, .none, .address), 401, nil),
        ("no token", .row(.missing, .listed, .address, isLoopback: false), 401, nil),
        ("an operator on a read-only server", .row(.operator, .none, .address, isReadOnly: true), 101, .viewer),
    ]

    @Test(arguments: written)
    func writtenRowsHold(what: String, row: Case, status: Int, role: Role?) throws {
        let outcome = try row.outcome()
        #expect(outcome.status == status && outcome.role == role, "\(what): \(outcome)")
    }
}

extension AccessMatrixTests.Case {
    fileprivate static func row(
        _ login: AccessMatrixTests.Login, _ page: AccessMatrixTests.Page, _ name: AccessMatrixTests.Name,
        isLoopback: Bool = true, isTLS: Bool = false, isReadOnly: Bool = false
    ) -> Self {
        Self(
            isLoopback: isLoopback, isTLS: isTLS, isReadOnly: isReadOnly, login: login, form: .query, page: page,
            name: name)
    }
}
