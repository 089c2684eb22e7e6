import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

private let key = "dGhlIHNhbXBsZSBub25jZQ=="
private let start = Instant(nanoseconds: 1_000_000_000)

private let goodHead =
    "GET / HTTP/1.1\r\nHost: box\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    + "Sec-WebSocket-Key: \(key)\r\nSec-WebSocket-Protocol: chat\r\n\r\n"

extension WebSocketConnection {
    /// Feeds bytes, answers requests for "chat", and returns all events.
    fileprivate mutating func events(_ bytes: some Collection<UInt8>, now: Instant = start) -> [Event] {
        let bytes = Array(bytes)
        var events: [Event] = []
        var offset = 0
        while let event = next(bytes.span, &offset, now: now) {
            events.append(event)
            guard case .request(let request) = event else { continue }
            switch Upgrade(request, subprotocols: ["chat"]) {
            case .accept(let subprotocol, let key): accept(subprotocol: subprotocol, key: key)
            case .refuse(let response): respond(with: response)
            }
        }
        return events
    }

    fileprivate mutating func events(_ frames: ClientFrame..., now: Instant = start) -> [Event] {
        events(frames.flatMap(\.bytes), now: now)
    }

    /// What waits to be sent, which is taken.
    fileprivate mutating func sent() -> [UInt8] {
        defer { outbox.consume(outbox.byteCount) }
        return outbox.unsentBytes
    }

    fileprivate mutating func sentText() -> String { String(decoding: sent(), as: UTF8.self) }

    /// A connection whose handshake is done.
    fileprivate static func open() -> Self {
        var connection = Self(limits: Limits())
        _ = connection.events(goodHead.utf8)
        _ = connection.sent()
        return connection
    }
}

/// A close frame as the server sends it.
private func close(_ code: UInt16, _ reason: String = "") -> [UInt8] {
    var frame = ClientFrame.close(code, Array(reason.utf8))
    frame.mask = []
    return frame.bytes
}

private func head(byteCount: Int) -> String {
    let start = "GET / HTTP/1.1\r\nX: "
    return start + String(repeating: "x", count: byteCount - start.utf8.count - 4) + "\r\n\r\n"
}

@Suite("WebSocket connection")
struct WebSocketConnectionTests {
    // MARK: Request

    @Test(arguments: [1, 7, 10_000])
    func requestMayComeInPieces(pieceByteCount: Int) {
        var connection = WebSocketConnection(limits: .init())
        let bytes = Array(goodHead.utf8)
        var events: [WebSocketConnection.Event] = []
        for start in stride(from: 0, to: bytes.count, by: pieceByteCount) {
            events += connection.events(bytes[start..<min(bytes.count, start + pieceByteCount)])
        }
        #expect(events.count == 1)
        #expect(connection.phase == .open)
        #expect(connection.sentText().hasPrefix("HTTP/1.1 101 "))
    }

    @Test func framesMayFollowTheRequestAtOnce() {
        var connection = WebSocketConnection(limits: .init())
        let events = connection.events(Array(goodHead.utf8) + ClientFrame.text("a").bytes + ClientFrame.ping().bytes)
        #expect(events.dropFirst() == [.text])
        #expect(connection.sent().suffix(2) == [0x8A, 0])
    }

    @Test func headOfTheLimitIsRead() {
        var connection = WebSocketConnection(limits: .init())
        let events = connection.events(head(byteCount: 8 * 1_024).utf8)
        guard case .request(let request)? = events.first else {
            Issue.record("no request: \(events)")
            return
        }
        #expect(request.fields.count == 1)
    }

    @Test func headBeyondTheLimitIsRefused() {
        for head in [head(byteCount: 8 * 1_024 + 1), String(repeating: "x", count: 150_000)] {
            var connection = WebSocketConnection(limits: .init())
            #expect(connection.events(head.utf8) == [.ended(.requestHead)])
            #expect(connection.phase == .closing)
            #expect(connection.sentText().hasPrefix("HTTP/1.1 431 "))
            #expect(connection.byteCount <= 4_096, "of the request nothing is kept")
            // Whatever follows is not even looked at.
            #expect(connection.events(goodHead.utf8) == [])
            #expect(connection.sent() == [])
        }
    }

    @Test func headIsNotRefusedBeforeItIsTooLong() {
        var connection = WebSocketConnection(limits: .init())
        #expect(connection.events(String(repeating: "x", count: 8 * 1_024).utf8) == [])
        #expect(connection.byteCount == 8 * 1_024)
        #expect(connection.events("x".utf8) == [.ended(.requestHead)])
    }

    @Test func fieldsAreLimited() {
        for (count, breach) in [(64, nil), (65, .requestHead)] as [(Int, WebSocketConnection.Breach?)] {
            var connection = WebSocketConnection(limits: .init())
            let events = connection.events(
                ("GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: count) + "\r\n").utf8)
            if let breach {
                #expect(events == [.ended(breach)])
                #expect(connection.sentText().hasPrefix("HTTP/1.1 431 "))
            } else if case .request = events.first {
                #expect(connection.sentText().hasPrefix("HTTP/1.1 400 "))
            } else {
                Issue.record("no request")
            }
        }
    }

    @Test(arguments: [
        "\r\n\r\n", "hello\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost\r\n\r\n",
        // A TLS hello, and a control character wherever it stands, are told before the head ends.
        "\u{16}\u{3}\u{1}", "GET / HTTP/1.1\r\nA: \u{0}", "\u{1B}",
    ])
    func whatIsNoHTTPIsRefused(text: String) {
        var connection = WebSocketConnection(limits: .init())
        #expect(connection.events(text.utf8) == [.ended(nil)])
        #expect(connection.phase == .closing)
        #expect(connection.sentText().hasPrefix("HTTP/1.1 400 "))
    }

    @Test func refusedConnectionReadsNoMore() {
        var connection = WebSocketConnection(limits: .init())
        #expect(connection.events("GET / HTTP/1.1\r\nHost: box\r\n\r\n".utf8).count == 1)
        #expect(connection.phase == .closing)
        #expect(connection.sentText().hasPrefix("HTTP/1.1 426 "))
        #expect(connection.events(goodHead.utf8) == [])
        connection.respond(with: .tooManyClients)
        connection.close(.normal)
        #expect(connection.sent() == [])
    }

    // MARK: Control frames

    @Test(arguments: [[], Array("abc123".utf8), Array(repeating: 0xFF, count: 125)] as [[UInt8]])
    func pingIsAnsweredWithItsPayload(payload: [UInt8]) {
        var connection = WebSocketConnection.open()
        #expect(connection.events(.ping(payload)) == [])
        #expect(connection.sent() == [0x8A, UInt8(payload.count)] + payload)
    }

    @Test func fragmentedTextSurvivesAPing() {
        var connection = WebSocketConnection.open()
        let frames: [ClientFrame] = [
            .text("a", isFinal: false), .ping([7]), .continuation([0x62], isFinal: false), .continuation([0x63]),
        ]
        let bytes = frames.flatMap(\.bytes)
        var offset = 0
        let event = connection.next(bytes.span, &offset, now: start)
        #expect(event == .text)
        #expect(connection.payload == Array("abc".utf8))
        #expect(connection.sent() == [0x8A, 1, 7])
    }

    @Test func pongIsTimed() {
        var connection = WebSocketConnection.open()
        #expect(connection.lastPong == nil)
        connection.ping()
        #expect(connection.sent() == [0x89, 0])
        let now = start + .seconds(3)
        #expect(connection.events(.pong(), now: now) == [])
        #expect(connection.lastPong == now)
        #expect(connection.sent() == [])
    }

    @Test func controlFramesAreLimitedToTwentyAtOnce() {
        var connection = WebSocketConnection.open()
        for _ in 0..<20 { #expect(connection.events(.ping()) == []) }
        #expect(connection.sent().count == 40)
        #expect(connection.events(.pong()) == [.ended(.controlFrames)])
        #expect(connection.sent() == close(1008))
        #expect(connection.phase == .closing)
    }

    @Test func twentyControlFramesASecondMayGoOnForEver() {
        var connection = WebSocketConnection.open()
        var now = start
        for _ in 0..<2_000 {
            now = now + .milliseconds(50)
            #expect(connection.events(.ping(), now: now) == [])
        }
        #expect(connection.phase == .open)
        // Ten a second more use up the burst in two seconds.
        var count = 0
        while connection.phase == .open, count < 1_000 {
            now = now + Period(hertz: 30)
            _ = connection.events(.ping(), now: now)
            count += 1
        }
        #expect((56...60).contains(count))
    }

    // MARK: End

    @Test(
        arguments: [
            (.close(1000), 1000), (.close(1001, Array("bye".utf8)), 1001), (.close(4999), 4999),
            // A close without a code is answered with the normal one.
            (ClientFrame(opcode: 8), 1000),
            (ClientFrame(opcode: 8, payload: [3]), 1002), (.close(1005), 1002), (.close(1000, [0xC3, 0x28]), 1007),
        ] as [(ClientFrame, UInt16)])
    func closeIsAnswered(frame: ClientFrame, code: UInt16) {
        var connection = WebSocketConnection.open()
        #expect(connection.events(frame, .ping(), .text("a")) == [.ended(nil)])
        #expect(connection.sent() == close(code))
        #expect(connection.phase == .closing)
        connection.close(.normal)
        connection.ping()
        #expect(connection.sent() == [])
    }

    /// ML-12, ML-15 to ML-17, ML-20.
    @Test(
        arguments: [
            (ClientFrame(opcode: 1, payload: [0xC3, 0x28]), 1007, nil), (ClientFrame(opcode: 1, mask: []), 1002, nil),
            (ClientFrame(opcode: 3), 1002, nil), (ClientFrame(opcode: 1, reserved: 4), 1002, nil),
            (ClientFrame(opcode: 2, length: 1_048_577), 1009, .message),
        ] as [(ClientFrame, UInt16, WebSocketConnection.Breach?)])
    func brokenRuleEndsTheConnection(frame: ClientFrame, code: UInt16, breach: WebSocketConnection.Breach?) {
        var connection = WebSocketConnection.open()
        #expect(connection.events(frame, .text("a")) == [.ended(breach)])
        #expect(connection.sent() == close(code))
        #expect(connection.phase == .closing)
    }

    @Test func tooManyFragmentsEndTheConnection() {
        var connection = WebSocketConnection.open()
        #expect(connection.events(.text("", isFinal: false)) == [])
        for _ in 0..<1_023 { #expect(connection.events(.continuation([], isFinal: false)) == []) }
        #expect(connection.events(.continuation([])) == [.ended(.message)])
        #expect(connection.sent() == close(1009))
    }

    @Test func ownerClosesOnce() {
        var connection = WebSocketConnection.open()
        connection.close(.goingAway, "server shutdown")
        connection.close(.normal)
        #expect(connection.sent() == close(1001, "server shutdown"))
        #expect(connection.events(.close(1001), .text("a")) == [])
        #expect(connection.sent() == [])
    }

    @Test func closeBeforeTheHandshakeSendsNothing() {
        var connection = WebSocketConnection(limits: .init())
        #expect(connection.events("GET /".utf8) == [])
        connection.ping()
        connection.close(.goingAway)
        #expect(connection.phase == .closing)
        #expect(connection.sent() == [])
        #expect(connection.events(goodHead.utf8) == [])
    }

    @Test func memoryOfALargeMessageIsGivenBack() {
        var connection = WebSocketConnection.open()
        #expect(connection.events(.binary(Array(repeating: 1, count: 1_024 * 1_024))) == [.binary])
        #expect(connection.byteCount <= 64 * 1_024)
    }

    @Test func memoryOfAClientIsCounted() {
        var connection = WebSocketConnection.open()
        _ = connection.events(ClientFrame.binary(Array(repeating: 1, count: 100_000)).bytes.dropLast())
        #expect(connection.byteCount >= 99_999)
        connection.outbox.append(text: String(repeating: "x", count: 10_000))
        #expect(connection.byteCount >= 109_999)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func randomBytesNeverTrap(round: UInt64) {
        var generator = SeededGenerator(round: round)
        for _ in 0..<100 {
            var connection = generator.isOne(in: 2) ? WebSocketConnection.open() : WebSocketConnection(limits: .init())
            var stream = Array(goodHead.utf8) + ClientFrame.text("abc").bytes + ClientFrame.ping([1]).bytes
            for _ in 0..<3 { stream[.random(in: stream.indices, using: &generator)] = generator.bytes(1)[0] }
            for piece in generator.pieces(of: stream) { _ = connection.events(piece) }
        }
    }
}
