import Testing
import WebSocketProtocol

@testable import FoxgloveServer

/// What decides about a request, one thing at a time.
@Suite struct AccessTests {
    // MARK: Host

    @Test(arguments: [
        ("localhost", true), ("LOCALHOST:1", true), ("127.0.0.1", true), ("10.1.2.3:65535", true), ("[::1]", true),
        ("[fe80::1]:8765", true), ("[::ffff:1.2.3.4]", true), ("agent.example", true), ("Agent.Example:80", true),
        ("", false), ("localhost.", false), ("localhost.evil.example", false), ("agent.example.evil", false),
        ("1.2.3", false), ("1.2.3.256", false), ("1.2.3.+4", false), ("1.2.3.4.5", false), ("[::1", false),
        ("[]", false), ("[a]", false), ("[::1].evil", false), ("::1", false), ("localhost:", false),
        ("localhost:65536", false), ("localhost:x", false), ("user@localhost", false), ("localhost/", false),
    ])
    func onLoopbackTheHostMustBeOurs(host: String, isAllowed: Bool) throws {
        var policy = AccessPolicy()
        policy.names = ["agent.example"]
        #expect(policy.decide(try request(host: [host])) == (isAllowed ? .operatorForAll : .refuse(.host(host))))
    }

    @Test func thereMustBeOneHost() throws {
        #expect(AccessPolicy().decide(try request(host: [])) == .refuse(.host("")))
        #expect(
            AccessPolicy().decide(try request(host: ["localhost", "localhost"]))
                == .refuse(.host("localhost, localhost")))
    }

    // MARK: Origin

    @Test(arguments: [
        ("http://localhost", true), ("https://localhost:1", true), ("HTTP://LocalHost:8080", true),
        ("http://127.0.0.1:3000", true), ("https://127.0.0.1", true), ("https://app.foxglove.dev", true),
        ("https://app.foxglove.dev:443", true), ("https://embed.foxglove.dev", true), ("file://", true),
        ("http://box:8765", true), ("https://one.example", true), ("https://any.example:99", true),
        ("https://any.example", true), ("http://port.example:81", true),
        ("http://app.foxglove.dev", false), ("https://app.foxglove.dev:444", false), ("https://foxglove.dev", false),
        ("https://app.foxglove.dev.evil.example", false), ("https://evil.example", false), ("null", false),
        ("", false), ("file:///x", false), ("ftp://localhost", false), ("https://box:8765", false),
        ("http://box", false), ("http://box:8766", false), ("https://one.example:8080", false),
        ("http://port.example", false), ("http://any.example", false), ("http://localhost:", false),
        ("http://localhost/", false), ("http://localhost@evil.example", false), ("://localhost", false),
        ("http://127.0.0.2", false), ("http://localhost, http://localhost", false),
    ])
    func onlyListedOriginsAndOurOwnPass(origin: String, isAllowed: Bool) throws {
        var policy = AccessPolicy()
        policy.names = ["box"]
        policy.allowedOrigins += ["https://one.example", "https://any.example:*", "http://port.example:81"]
            .compactMap(OriginPattern.init)
        let decision = policy.decide(try request(host: ["box:8765"], fields: [("origin", origin)]))
        #expect(decision == (isAllowed ? .operatorForAll : .refuse(.origin(origin))))
    }

    @Test func ourOwnOriginHasTheSchemeOfTheConnection() throws {
        var policy = AccessPolicy()
        policy.names = ["box"]
        let (plain, secure) = ("http://box", "https://box")
        #expect(policy.decide(try request(host: ["box:80"], fields: [("origin", plain)])) == .operatorForAll)
        #expect(policy.decide(try request(host: ["box"], fields: [("origin", secure)]), isTLS: true) == .operatorForAll)
        #expect(
            policy.decide(try request(host: ["box"], fields: [("origin", plain)]), isTLS: true)
                == .refuse(.origin(plain)))
        #expect(
            policy.decide(try request(host: ["box:443"], fields: [("origin", secure)])) == .refuse(.origin(secure)))
    }

    @Test func twoOriginsAreNone() throws {
        let fields = [("origin", "http://localhost"), ("origin", "http://localhost")]
        #expect(
            AccessPolicy().decide(try request(fields: fields)) == .refuse(.origin("http://localhost, http://localhost"))
        )
    }

    @Test(arguments: [
        "", "*", "null", "example.com", "https://", "https://*", "https://*.example.com", "https://example.com/",
        "https://example.com:*:*", "https://example.com:80:*", "https://example.com:x", "https://:80", "file://:*",
        "https://a b",
    ])
    func whatNamesNoOriginIsNoPattern(text: String) {
        #expect(OriginPattern(text) == nil)
    }

    // MARK: Login

    @Test(arguments: TokenForm.allCases)
    func aTokenOpensInEveryForm(form: TokenForm) throws {
        let world = World()
        world.server.access = try .withTokens()
        let (viewer, op) = (world.open(), world.open())
        form.ask(world, viewer, Secrets.viewer)
        form.ask(world, op, Secrets.operator)
        #expect(world.server.role(of: viewer) == .viewer && world.server.name(of: viewer) == "vera")
        #expect(world.server.role(of: op) == .operator && world.server.name(of: op) == "otto")
        let head = world.answer(op)?.head ?? ""
        #expect(head.contains("Sec-WebSocket-Protocol: foxglove.sdk.v1\r\n") || head.hasSuffix("foxglove.sdk.v1"))
    }

    static let credentials: [(String, [(String, String)], Credentials)] = [
        ("/", [], .none),
        ("/?tokens=x&a", [], .none),
        ("/t", [], .none),
        ("/x/t/abc", [], .none),
        ("/", [("authorization", "Basic abc")], .none),
        ("/", [("sec-websocket-protocol", "base64url.bearer.authorization.other.YWJj")], .none),
        ("/?token=abc", [], .token(Array("abc".utf8))),
        ("/any/path?x=1&token=abc", [], .token(Array("abc".utf8))),
        ("/?token=a%62%63", [], .token(Array("abc".utf8))),
        ("/?token=a+c", [], .token(Array("a+c".utf8))),
        ("/?token=a%3D%3d", [], .token(Array("a==".utf8))),
        ("/?token=%FF%00", [], .token([255, 0])),
        ("/?token=a=b", [], .token(Array("a=b".utf8))),
        ("/t/abc", [], .token(Array("abc".utf8))),
        ("/t/a%62c?x", [], .token(Array("abc".utf8))),
        ("/", [("authorization", "bearer  abc")], .token(Array("abc".utf8))),
        (
            "/", [("sec-websocket-protocol", "a, base64url.bearer.authorization.sysmon.YWJj")],
            .token(Array("abc".utf8))
        ),
        ("/?token=abc&token=abc", [], .token(Array("abc".utf8))),
        ("/t/abc?token=abc", [("authorization", "Bearer abc")], .token(Array("abc".utf8))),
        ("/?token=", [], .unclear),
        ("/t/", [], .unclear),
        ("/?token=%", [], .unclear),
        ("/?token=%4", [], .unclear),
        ("/?token=%4g", [], .unclear),
        ("/", [("sec-websocket-protocol", "base64url.bearer.authorization.sysmon.")], .unclear),
        ("/", [("sec-websocket-protocol", "base64url.bearer.authorization.sysmon.YWJ")], .unclear),
        ("/", [("sec-websocket-protocol", "base64url.bearer.authorization.sysmon.YW*j")], .unclear),
        ("/?token=abc&token=abd", [], .unclear),
        ("/t/abc?token=abd", [], .unclear),
        ("/?token=abc", [("authorization", "Bearer abd")], .unclear),
        ("/?token=abc&token=", [], .unclear),
        ("/?token=abc", [("sec-websocket-protocol", "base64url.bearer.authorization.sysmon.!")], .unclear),
    ]

    @Test(arguments: credentials)
    func allTokensOfARequestAreTheSame(target: String, fields: [(String, String)], expected: Credentials) throws {
        #expect(Credentials(try request(target: target, fields: fields)) == expected)
    }

    @Test func withoutTokensNobodyIsAskedForOne() throws {
        #expect(AccessPolicy().decide(try request(target: "/?token=old")) == .operatorForAll)
        #expect(AccessPolicy().decide(try request(target: "/?token=%")) == .operatorForAll)
    }

    @Test(arguments: [
        (["kiosk.example"], AccessPolicy.Decision.allow(.viewer, name: "kiosk")),
        (["x", "robot.example"], .allow(.operator, name: "robot")),
        (["kiosk.example", "robot.example"], .allow(.operator, name: "robot")),
        (["robot.example.evil", "Robot.example"], .refuse(.loginMissing)),
        ([], .refuse(.loginMissing)),
    ])
    func aCertificateLogsInByItsNames(names: [String], decision: AccessPolicy.Decision) throws {
        #expect(try AccessPolicy.withTokens().decide(request(), isTLS: true, peerNames: names) == decision)
    }

    @Test func aTokenDecidesInsteadOfTheCertificate() throws {
        let policy = try AccessPolicy.withTokens()
        func decide(_ token: String) throws -> AccessPolicy.Decision {
            policy.decide(try request(target: "/?token=\(token)"), isTLS: true, peerNames: ["robot.example"])
        }
        #expect(try decide(Secrets.viewer) == .allow(.viewer, name: "vera"))
        #expect(try decide(Secrets.wrong) == .refuse(.loginWrong))
    }

    @Test func aPolicyWithoutADigestKnowsNoToken() throws {
        var policy = try AccessPolicy.withTokens()
        policy.digest = AccessPolicy().digest
        #expect(policy.decide(try request(target: "/?token=\(Secrets.operator)")) == .refuse(.loginWrong))
    }

    // MARK: Refusals

    @Test func refusalsRepeatNothingOfTheRequestToItsSender() {
        let all: [Refusal] = [.host("evil<"), .origin("evil<"), .loginMissing, .loginWrong, .loginUnclear]
        for refusal in all {
            let text = String(decoding: refusal.response.head + refusal.response.body, as: UTF8.self)
            #expect(!text.contains("evil"))
            #expect(refusal.response.status == (refusal.kind == .login ? 401 : 403))
            #expect(text.contains("\r\nWWW-Authenticate: Bearer\r\n") == (refusal.kind == .login))
        }
    }

    @Test func refusalsNameTheSetting() {
        #expect(Refusal.host("a\nb").reason == #"the name "a?b" in Host is not allowed; --server-name allows it"#)
        #expect(Refusal.origin("x").reason == #"the origin "x" is not allowed; --allow-origin allows it"#)
    }
}

extension AccessPolicy.Decision {
    /// Where nobody is asked to log in.
    fileprivate static let operatorForAll = Self.allow(.operator, name: "")
}

private func request(
    target: String = "/", host: [String] = ["localhost"], fields: [(String, String)] = []
) throws -> HTTPRequest {
    let fields = host.map { ("host", $0) } + fields
    let head = (["GET \(target) HTTP/1.1"] + fields.map { "\($0.0): \($0.1)" }).joined(separator: "\r\n")
    return try HTTPRequest(parsing: Array(head.utf8).span, fieldLimit: 64)
}
