import FoxgloveServer
import TestSupport
import Testing
import WebSocketProtocol

/// Who may ask for what over plain HTTP: the rules of a WebSocket, but for what is open or shared.
@Suite struct HTTPAccessTests {
    enum Page: String, CaseIterable {
        case none
        case own = "http://localhost:8765"
        case wellKnown = "https://app.foxglove.dev"
        case foreign = "https://evil.example"
    }

    enum Login: CaseIterable {
        case unasked, missing, wrong, viewer
    }

    enum Form: CaseIterable {
        case path, query, header
    }

    /// By the rules alone: name, then page, then token, which what is open needs none of.
    private static func status(_ path: String, _ isOurs: Bool, _ page: Page, _ login: Login) -> Int {
        if !isOurs || page == .foreign { return 403 }
        return path == "/open" || login == .unasked || login == .viewer ? 200 : 401
    }

    @Test(arguments: ["GET", "HEAD"])
    func everyCombinationHasTheAnswerOfTheRules(method: String) throws {
        for path in ["/open", "/shared/x", "/other"] {
            for (isOurs, page) in [true, false].flatMap({ isOurs in Page.allCases.map { (isOurs, $0) } }) {
                for (login, form) in Login.allCases.flatMap({ login in Form.allCases.map { (login, $0) } }) {
                    let world = World(features: World.complete)
                    if login != .unasked { world.server.access = try .withTokens() }
                    let head = try reply(world, method, path, isOurs, page, login, form)
                    let what = "\(method) \(path) \(isOurs) \(page) \(login) \(form): \(head)"
                    #expect(head.hasPrefix("HTTP/1.1 \(Self.status(path, isOurs, page, login)) "), "\(what)")
                    let isReadable = head.contains("Access-Control-Allow-Origin: \(page.rawValue)\r\n")
                    let isShared = path == "/shared/x" && head.hasPrefix("HTTP/1.1 200 ")
                    #expect(isReadable == (isShared && page != .none), "\(what)")
                    #expect(head.contains("Vary: Origin\r\n") == isShared, "\(what)")
                    #expect(head.contains("Access-Control") == isReadable && !head.contains("-token"), "\(what)")
                }
            }
        }
    }

    private func reply(
        _ world: World, _ method: String, _ path: String, _ isOurs: Bool, _ page: Page, _ login: Login, _ form: Form
    ) throws -> String {
        let token: String? =
            switch login {
            case .unasked, .missing: nil
            case .wrong: Secrets.wrong
            case .viewer: Secrets.viewer
            }
        var (target, fields) = (path, page == .none ? [] : ["Origin: \(page.rawValue)"])
        if let token {
            switch form {
            case .path: target = "/t/\(token)\(path)"
            case .query: target = "\(path)?a=b&token=\(token)"
            case .header: fields.append("Authorization: Bearer \(token)")
            }
        }
        let id = world.send(
            "\(method) \(target) HTTP/1.1", fields, host: isOurs ? "localhost:8765" : "evil.example")
        world.answerAll { request in
            #expect(request.path == path && !request.query.contains("token"))
            return HTTPResponse(200, "OK", text: "answer")
        }
        world.wait(milliseconds: 200)
        world.drain(id)
        return world.received(id)
    }

    @Test func failedLoginsAreThrottledAsThoseOfWebSockets() throws {
        let world = World(features: World.complete)
        world.server.access = try .withTokens()
        let ids = (0..<6).map { _ in world.send("GET /?token=\(Secrets.wrong) HTTP/1.1") }
        world.wait(milliseconds: 199)
        #expect(ids.map { world.drain($0) } == [.idle, .idle, .idle, .idle, .idle, .drop])
        world.wait(milliseconds: 1)
        #expect(ids.dropLast().allSatisfy { world.drain($0) == .finished })
        #expect(world.received(ids[0]).hasPrefix("HTTP/1.1 401 "))
        #expect(world.server.limitCounts[.refusedLogins] == 6)
        #expect(world.events().count == 1, "one notice")
    }

    // MARK: Where a page has to be

    @Test(arguments: [
        ("/?token=the-viewers-token", "t/the-viewers-token/"), ("/?x&token=a%2Fb", "t/a%2Fb/"),
        ("/?token=a/b", "t/a%2Fb/"), ("/t/the-viewers-token", "./the-viewers-token/"),
        ("/t/http:evil.example", "./http:evil.example/"),
    ])
    func aPageIsMovedToWhereItsLinksCarryTheToken(target: String, location: String) {
        let reply = World(features: World.complete).request("GET \(target) HTTP/1.1")
        #expect(reply.hasPrefix("HTTP/1.1 307 Temporary Redirect\r\nLocation: \(location)\r\n"))
    }

    @Test(arguments: ["/t/a/", "/t/a/?token=a", "/page.css?token=a", "/?tokens=a", "/t/a/open", "/open?token=a"])
    func otherRequestsStayWhereTheyAre(target: String) {
        #expect(World(features: World.complete).request("GET \(target) HTTP/1.1").hasPrefix("HTTP/1.1 200 "))
    }

    @Test func nobodyIsMovedWithoutALogin() throws {
        let world = World(features: World.complete)
        world.server.access = try .withTokens()
        let id = world.send("GET /?token=\(Secrets.wrong) HTTP/1.1")
        world.wait(milliseconds: 200)
        world.drain(id)
        #expect(world.received(id).hasPrefix("HTTP/1.1 401 "))
    }

    // MARK: Preflights

    private let privateNetwork = "Access-Control-Request-Private-Network: true"

    @Test func aPreflightOfAnAllowedPageIsAnsweredWithoutALogin() throws {
        let world = World(features: World.complete)
        world.server.access = try .withTokens()
        let reply = world.request("OPTIONS /shared/x HTTP/1.1", "Origin: https://app.foxglove.dev", privateNetwork)
        #expect(
            reply == "HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\nVary: Origin\r\n"
                + "Access-Control-Allow-Origin: https://app.foxglove.dev\r\n"
                + "Access-Control-Allow-Methods: GET, HEAD\r\nAccess-Control-Allow-Private-Network: true\r\n"
                + "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n")
        let other = world.request("OPTIONS /shared/x HTTP/1.1", "Origin: https://app.foxglove.dev")
        #expect(other.hasPrefix("HTTP/1.1 204 ") && !other.contains("Private-Network"))
        #expect(world.events().isEmpty)
    }

    @Test(arguments: ["https://evil.example", "null"])
    func aPreflightOfAnotherPageIsRefused(origin: String) {
        let world = World(features: World.complete)
        let reply = world.request("OPTIONS /shared/x HTTP/1.1", "Origin: \(origin)", privateNetwork)
        #expect(reply.hasPrefix("HTTP/1.1 403 ") && !reply.contains("Access-Control"))
    }
}
