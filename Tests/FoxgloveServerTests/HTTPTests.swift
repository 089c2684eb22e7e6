import FoxgloveServer
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

/// Requests that ask for no WebSocket (RFC 9110 and 9112), from the bytes that come to those that are sent.
@Suite struct HTTPTests {
    /// Serves `/open` to everybody, and what is below `/shared/` to pages of allowed origins.
    private static func makeWorld(limits: ServerLimits = ServerLimits(), hasTokens: Bool = false) throws -> World {
        let world = World(features: World.complete, limits: limits)
        if hasTokens { world.server.access = try .withTokens() }
        return world
    }

    private let world: World
    init() throws { world = try Self.makeWorld() }

    private static let large = HTTPResponse(
        200, "OK", contentType: "text/plain", body: Array(repeating: UInt8(ascii: "x"), count: 1_000_000))

    // MARK: Answers

    @Test func whatIsAskedForGoesToTheOwnerAndItsAnswerBack() {
        let reply = world.get("/a/b?c=d&e") { request in
            #expect(request.path == "/a/b")
            #expect(request.query == "c=d&e")
            return HTTPResponse(200, "OK", fields: ["X-Own: 1"], contentType: "text/css", body: [65, 66])
        }
        #expect(
            reply == "HTTP/1.1 200 OK\r\nX-Own: 1\r\nCache-Control: no-store\r\nContent-Type: text/css\r\n"
                + "Content-Length: 2\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\nAB")
    }

    @Test func theConnectionIsDoneWithTheAnswer() {
        let id = world.send("GET / HTTP/1.1")
        world.answerAll()
        #expect(world.drain(id) == .finished)
    }

    @Test(arguments: ["/a", "/nothing", "/shared/x"])
    func headGetsTheHeadOfGet(path: String) {
        let (head, whole) = (world.request("HEAD \(path) HTTP/1.1"), world.request("GET \(path) HTTP/1.1"))
        #expect(whole == head + "answer\n")
    }

    @Test func headGetsNoLargeBodyEither() {
        let id = world.send("HEAD / HTTP/1.1")
        world.answerAll { _ in Self.large }
        world.drain(id)
        #expect(world.received(id).hasSuffix("Content-Length: 1000000\r\n\(Self.lastLines)"))
    }

    private static let lastLines = "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"

    @Test func anEmptyAnswerHasNoLength() {
        #expect(
            world.get("/") { _ in .noContent }.hasPrefix("HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\nX-"))
    }

    @Test func anAnswerMayComeLater() {
        let id = world.send("GET / HTTP/1.1")
        let requests = world.resourceRequests()
        world.wait(milliseconds: 9_000)
        #expect(world.drain(id) == .idle)
        world.server.answer(requests[0], with: HTTPResponse(200, "OK", text: "late"))
        #expect(world.drain(id) == .finished)
        #expect(world.received(id).hasSuffix("\r\n\r\nlate\n"))
    }

    @Test func anAnswerThatTakesTooLongIs504() {
        let id = world.send("GET / HTTP/1.1")
        let requests = world.resourceRequests()
        for _ in 0..<9 { world.wait(milliseconds: 1_000) }
        #expect(world.drain(id) == .idle)
        world.wait(milliseconds: 1_001)
        #expect(world.drain(id) == .finished)
        #expect(world.received(id).hasPrefix("HTTP/1.1 504 "))
        #expect(world.server.limitCounts[.httpAnswerTime] == 1)
        world.server.answer(requests[0], with: HTTPResponse(200, "OK", text: "too late"))
        world.drain(id)
        #expect(world.received(id) == "")
    }

    /// The id of a client that went away may be that of another one.
    @Test func anAnswerForWhoIsGoneReachesNobodyElse() {
        let first = world.send("GET /first HTTP/1.1")
        let requests = world.resourceRequests()
        world.close(first)
        let second = world.send("GET /second HTTP/1.1")
        #expect(first == second)
        world.server.answer(requests[0], with: HTTPResponse(200, "OK", text: "first"))
        #expect(world.drain(second) == .idle)
        #expect(world.received(second) == "")
    }

    @Test func whoWaitsWhenTheServerStopsIsToldSo() {
        let id = world.send("GET / HTTP/1.1")
        world.server.close(.goingAway, "server shutdown")
        #expect(world.drain(id) == .finished)
        #expect(world.received(id).hasPrefix("HTTP/1.1 503 "))
    }

    @Test func aServerWithoutResourcesAsksForAWebSocket() {
        let world = World()
        #expect(world.request("GET / HTTP/1.1").hasPrefix("HTTP/1.1 426 "))
        #expect(world.request("HEAD / HTTP/1.1").hasPrefix("HTTP/1.1 405 "))
    }

    /// A proxy may have taken the field that made it one.
    @Test(arguments: ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="])
    func whatWasMeantAsAWebSocketIsNotAnsweredWithAPage(field: String) {
        #expect(world.request("GET / HTTP/1.1", field).hasPrefix("HTTP/1.1 426 "))
        #expect(world.events().isEmpty)
    }

    // MARK: What is no request of ours

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "PRI"])
    func otherMethodsAreNotAllowed(method: String) {
        let reply = world.request("\(method) / HTTP/1.1")
        #expect(reply.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n"))
        #expect(world.events().isEmpty)
    }

    /// Bodies, above all those about whose length two readers may disagree.
    @Test(arguments: [
        ["Content-Length: 5"], ["Content-Length: 00"], ["Content-Length: +0"], ["Content-Length: 0, 0"],
        ["Content-Length:"], ["Content-Length: 0", "Content-Length: 5"], ["Content-Length: -1"],
        ["Content-Length: 99999999999999999999"], ["Transfer-Encoding: chunked"], ["transfer-encoding: identity"],
        ["Content-Length: 0", "Transfer-Encoding: chunked"], ["Transfer-Encoding: xchunked"],
    ])
    func bodiesAreRefused(fields: [String]) {
        let id = world.send("GET / HTTP/1.1", fields, rest: "5\r\nhello\r\n0\r\n\r\nGET /second HTTP/1.1\r\n\r\n")
        world.answerAll()
        #expect(world.drain(id) == .finished)
        let reply = world.received(id)
        #expect(reply.hasPrefix("HTTP/1.1 400 ") && !reply.dropFirst().contains("HTTP/1.1"))
        #expect(world.events().isEmpty)
    }

    @Test func anUpgradeHasNoBodyEither() {
        let id = world.open()
        world.ask(id, fields: ["Content-Length: 5"])
        #expect(world.answer(id)?.status == 400)
    }

    @Test(arguments: [
        "GET / HTTP/1.0", "GET / HTTP/2", "GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1\r\n x: folded",
        "GET / HTTP/1.1\r\nX : y", "GET / HTTP/1.1\r\nContent-Length\t: 5", "GET / HTTP/1.1\nX: y",
        "GET /\u{80} HTTP/1.1",
        "GET / HTTP/1.1\r\n: y", "GET / HTTP/1.1\r\nX: a\rb",
    ])
    func malformedHeadsAreRefused(start: String) {
        #expect(world.request(start).hasPrefix("HTTP/1.1 400 "))
        #expect(world.events().isEmpty)
    }

    @Test func aRequestWithoutOneHostIsRefused() {
        let id = world.open()
        world.send(raw: Array("GET / HTTP/1.1\r\n\r\n".utf8), from: id)
        world.drain(id)
        #expect(world.received(id).hasPrefix("HTTP/1.1 400 "))
        #expect(world.request("GET / HTTP/1.1", "Host: localhost").hasPrefix("HTTP/1.1 400 "))
    }

    @Test func ofPipelinedRequestsOnlyTheFirstIsAnswered() {
        let one = Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        let flood = Array(repeatElement(one, count: 30_000).joined())
        let held = world.server.heldByteCount
        let id = world.open()
        for start in stride(from: 0, to: flood.count, by: 65_536) {
            world.send(raw: Array(flood[start..<min(flood.count, start + 65_536)]), from: id)
        }
        #expect(world.resourceRequests().count == 1)
        #expect(world.server.heldByteCount < held + 16_384)
    }

    // MARK: Slow readers

    /// The body waits in one piece for all who are sent it, and goes out as the socket takes it.
    @Test func aLargeAnswerIsSentInPieces() {
        let id = world.send("GET / HTTP/1.1")
        world.answerAll { _ in Self.large }
        var pieces = 0
        while world.drain(id, limit: 60_000) != .finished { pieces += 1 }
        #expect(pieces == 16)
        let reply = world.received(id)
        #expect(reply.hasSuffix("\r\n\r\n" + String(repeating: "x", count: 1_000_000)))
    }

    @Test func aSlowReaderIsEndedAfterThirtySeconds() {
        let id = world.send("GET / HTTP/1.1")
        world.answerAll { _ in Self.large }
        world.drain(id, limit: 1_000)
        for _ in 0..<30 {
            world.wait(milliseconds: 1_000)
            #expect(world.drain(id, limit: 1_000) == .blocked)
        }
        world.wait(milliseconds: 1_001)
        #expect(world.drain(id) == .drop)
        #expect(world.server.limitCounts[.httpBodyTime] == 1)
    }

    @Test func whoDoesNotCloseIsEndedAfterTwoSeconds() {
        let id = world.send("GET / HTTP/1.1")
        world.answerAll()
        #expect(world.drain(id) == .finished)
        for _ in 0..<3 { world.wait(milliseconds: 1_001) }
        #expect(world.drain(id) == .drop)
    }

    @Test func nobodyIsHeldUpByASlowReader() {
        let slow = world.send("GET / HTTP/1.1")
        world.answerAll { _ in Self.large }
        world.drain(slow, limit: 1)
        let client = world.connect(subscribedTo: [0])
        world.tick([0])
        world.drain(client)
        #expect(world.data(client).count == 1)
        #expect(world.get("/") { _ in HTTPResponse(200, "OK", text: "ok") }.hasSuffix("ok\n"))
    }

    // MARK: Limits

    @Test func requestsOfOneAddressAreBounded() throws {
        var limits = ServerLimits()
        limits.httpRequestsPerAddress = 3
        let world = try Self.makeWorld(limits: limits)
        let waiting = (0..<3).map { _ in world.send("GET / HTTP/1.1") }
        #expect(world.resourceRequests().count == 3)
        #expect(world.request("GET / HTTP/1.1").hasPrefix("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"))
        #expect(world.server.limitCounts[.httpRequestsPerAddress] == 1)
        // Others are not concerned, and whether the server lives can be asked all the same.
        #expect(world.get("/open") { _ in HTTPResponse(200, "OK", text: "ok") }.hasSuffix("ok\n"))
        _ = world.send("GET / HTTP/1.1", from: "10.0.0.9")
        #expect(world.resourceRequests().count == 1)
        world.close(waiting[0])
        _ = world.send("GET / HTTP/1.1")
        #expect(world.resourceRequests().count == 1)
    }

    @Test func requestsOfAllAreBounded() throws {
        var limits = ServerLimits()
        limits.httpRequests = 3
        let world = try Self.makeWorld(limits: limits)
        let ids = (0..<3).map { world.send("GET / HTTP/1.1", from: "10.0.0.\($0)") }
        // Answered, but not taken: it counts until it is.
        world.answerAll { _ in Self.large }
        world.drain(ids[0], limit: 1)
        #expect(world.request("GET / HTTP/1.1").hasPrefix("HTTP/1.1 503 "))
        #expect(world.server.limitCounts[.httpRequests] == 1)
        world.drain(ids[0])
        _ = world.send("GET / HTTP/1.1")
        #expect(world.resourceRequests().count == 1)
    }

    @Test func memoryOfAnswersIsBounded() throws {
        var limits = ServerLimits()
        limits.clientMemoryByteCount = 3_000_000
        let world = try Self.makeWorld(limits: limits)
        for _ in 0..<4 { _ = world.send("GET / HTTP/1.1") }
        world.answerAll { _ in Self.large }
        #expect(world.request("GET / HTTP/1.1").hasPrefix("HTTP/1.1 503 "))
        world.wait(milliseconds: 1_000)
        #expect(world.server.heldByteCount < 3_000_000)
    }
}

extension World {
    /// The reply to a request, which an owner answers with one line of text.
    func request(_ start: String, _ fields: String...) -> String {
        let id = send(start, fields)
        answerAll()
        drain(id)
        return received(id)
    }

    func get(_ target: String, answer: (ResourceRequest) -> HTTPResponse) -> String {
        let id = send("GET \(target) HTTP/1.1")
        answerAll(with: answer)
        drain(id)
        return received(id)
    }

    /// Opens a connection and sends a head with a Host.
    func send(
        _ start: String, _ fields: [String] = [], rest: String = "", from address: String = "127.0.0.1",
        host: String = "localhost"
    ) -> ConnectionID {
        let id = open(from: address)
        let head = ([start, "Host: \(host)"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
        send(raw: Array((head + rest).unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }), from: id)
        return id
    }

    func resourceRequests() -> [ResourceRequest] {
        events().compactMap { if case .resourceRequested(let request) = $0 { request } else { nil } }
    }

    func answerAll(
        with response: (ResourceRequest) -> HTTPResponse = { _ in HTTPResponse(200, "OK", text: "answer") }
    ) {
        for request in resourceRequests() { server.answer(request, with: response(request)) }
    }
}
