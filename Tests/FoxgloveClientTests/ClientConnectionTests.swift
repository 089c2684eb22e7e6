import FoxgloveClient
import FoxgloveProtocol
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

@Suite struct ClientConnectionTests {
    @Test func theRequestIsAnUpgradeWithTheTokenInAHeader() throws {
        var server = try ScriptedServer("ws://[::1]:8765/a?token=T0&b=1")
        let lines = server.request()
        #expect(lines.first == "GET /a?b=1 HTTP/1.1")
        for field in [
            "Host: [::1]:8765", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: foxglove.sdk.v1, foxglove.websocket.v1", "Authorization: Bearer T0",
        ] {
            #expect(lines.contains(field))
        }
        #expect(lines.suffix(2) == ["", ""])
        let request = try HTTPRequest(
            parsing: Array(lines.dropLast(2).joined(separator: "\r\n").utf8).span, fieldLimit: 64)
        guard case .accept(let subprotocol, _) = Upgrade(request, subprotocols: foxgloveSubprotocols) else {
            Issue.record("our own server refuses the request")
            return
        }
        #expect(subprotocol == "foxglove.sdk.v1")
    }

    @Test func keysDiffer() throws {
        let url = try ServerURL(parsing: "ws://a")
        let now = Instant(nanoseconds: 0)
        var (one, other) = (ClientConnection(to: url, now: now), ClientConnection(to: url, now: now))
        let (first, second) = (one.takeOutput(), other.takeOutput())
        #expect(first != second)
    }

    static let badAnswers: [(String, String?, String)] = [
        ("Upgrade", nil, "change to WebSocket"), ("Upgrade", "h2c", "change to WebSocket"),
        ("Connection", "close", "change to WebSocket"), ("Sec-WebSocket-Accept", nil, "not to our request"),
        ("Sec-WebSocket-Accept", "dGhlIHNhbXBsZSBub25jZQ==", "not to our request"),
        ("Sec-WebSocket-Protocol", nil, "does not speak"), ("Sec-WebSocket-Protocol", "mqtt", "does not speak"),
        ("Sec-WebSocket-Extensions", "permessage-deflate", "extension"),
    ]

    @Test(arguments: badAnswers)
    func anAnswerThatIsNoneOfOursEndsIt(name: String, value: String?, reason: String) throws {
        var server = try ScriptedServer()
        server.send(Array(server.acceptance([name: value]).utf8))
        guard case .ended(.violation(let text))? = server.takeEvents().first else {
            Issue.record("it was taken")
            return
        }
        #expect(text.contains(reason))
        server.send(text: greeting)
        #expect(server.takeEvents() == [])
    }

    @Test func aRefusalIsToldByItsStatus() throws {
        var server = try ScriptedServer()
        server.send(Array("HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nNo.".utf8))
        #expect(server.takeEvents() == [.ended(.refused(status: 401))])
    }

    @Test(arguments: ["SSH-2.0-x\r\n\r\n", "HTTP/1.0 101 A\r\n\r\n", "HTTP/1.1 1x1 A\r\n\r\n", "\0\0\0\u{1}\r\n\r\n"])
    func whatIsNoHTTPEndsIt(answer: String) throws {
        var server = try ScriptedServer()
        server.send(Array(answer.utf8))
        #expect(server.takeEvents() == [.ended(.violation("the answer is not HTTP/1.1"))])
    }

    @Test func answersAreBounded() throws {
        var limits = ClientLimits()
        limits.answerHeadByteCount = 300
        limits.answerFieldCount = 5
        func events(padding: Int, fields: Int) throws -> [ClientConnection.Event] {
            var server = try ScriptedServer(limits: limits)
            var answer = server.acceptance()
            answer.removeLast()
            for _ in 0..<fields { answer += "A: b\r\n" }
            answer += "B: \(String(repeating: "x", count: padding - answer.utf8.count - 7))\r\n\r\n"
            server.send(Array(answer.utf8))
            return server.takeEvents()
        }
        #expect(try events(padding: 300, fields: 0) == [])
        #expect(try events(padding: 301, fields: 0) == [.ended(.violation("the answer is too long"))])
        #expect(try events(padding: 300, fields: 1) == [.ended(.violation("the answer is not HTTP/1.1"))])
    }

    @Test func wantedTopicsAreSubscribedToWheneverTheyAreOffered() throws {
        var server = try ScriptedServer.open()
        server.client.want(["/b", "/c"])
        server.send(text: greeting)
        server.send(text: advertise("/a", "/b"))
        #expect(
            server.takeEvents() == [
                .serverInfo(name: "box", capabilities: ["parameters"]),
                .advertised([channel(1, "/a"), channel(2, "/b")]),
            ])
        #expect(server.takeTexts() == [#"{"op":"subscribe","subscriptions":[{"channelId":2,"id":1}]}"#])
        // The same again, as after a new session, changes nothing.
        server.send(text: advertise("/a", "/b"))
        #expect(server.takeTexts() == [])
        server.client.want(["/a"])
        #expect(server.takeTexts() == [#"{"op":"subscribe","subscriptions":[{"channelId":1,"id":2}]}"#])
        server.send(text: #"{"op":"unadvertise","channelIds":[2,9]}"#)
        #expect(server.takeEvents().last == .unadvertised([channel(2, "/b")]))
        #expect(server.takeTexts() == [#"{"op":"unsubscribe","subscriptionIds":[1]}"#])
        #expect(server.client.offered == [channel(1, "/a")])
        // It is back under another id.
        server.send(
            text: #"{"op":"advertise","channels":[{"id":7,"topic":"/b","encoding":"protobuf","schemaName":"S"}]}"#)
        #expect(server.takeTexts() == [#"{"op":"subscribe","subscriptions":[{"channelId":7,"id":3}]}"#])
    }

    @Test func messagesComeWithTheirChannelHoweverTheyAreCut() throws {
        var generator = SeededGenerator(round: 1)
        for _ in 0..<50 {
            var server = try ScriptedServer.open()
            server.client.want(["/a"])
            let long = generator.bytes(70_000)
            // A fragmented message with a ping between its fragments, and a message of a subscription that is not ours.
            let whole = Array(data(1, long))
            let bytes =
                ScriptedServer.frame(0x81, Array(greeting.utf8))
                + ScriptedServer.frame(0x81, Array(advertise("/a").utf8)) + ScriptedServer.frame(0x82, data(1, [5]))
                + ScriptedServer.frame(0x02, Array(whole[..<20])) + ScriptedServer.frame(0x89, [9])
                + ScriptedServer.frame(0x80, Array(whole[20...])) + ScriptedServer.frame(0x82, data(2, [6]))
                + ScriptedServer.frame(0x82, [2] + [UInt8](repeating: 0, count: 8))
            for piece in generator.pieces(of: bytes) { server.send(Array(piece)) }
            let logTime = Timestamp(unixNanoseconds: 258)
            #expect(
                server.takeEvents().suffix(2) == [
                    .message(channel(1, "/a"), logTime: logTime), .message(channel(1, "/a"), logTime: logTime),
                ])
            #expect(server.payloads == [[5], long])
            #expect(server.takeFrames().last?.opcode == 10)
        }
    }

    @Test func parametersAndStatusesAreRead() throws {
        var server = try ScriptedServer.open()
        server.send(
            text: #"{"op":"parameterValues","parameters":[{"name":"/a.rate_hertz","value":2,"type":"float64"}]}"#)
        server.send(text: #"{"op":"status","level":2,"message":"no","id":null}"#)
        server.send(text: #"{"op":"somethingNew","x":[]}"#)
        #expect(
            server.takeEvents() == [
                .parameters([Parameter(name: "/a.rate_hertz", value: .float(2))]), .status(Status(.error, "no")),
            ])
    }

    @Test func ourServerUnderstandsWhatIsAsked() throws {
        var server = try ScriptedServer.open()
        server.client.getParameters(["a", "b"])
        let set = [Parameter(name: "a", value: .float(2)), Parameter(name: "b", value: .json(.bool(false)))]
        server.client.setParameters(set)
        server.client.subscribeToParameters(["c"])
        let asked = try server.takeTexts().map { try ClientMessage(parsing: Array($0.utf8)) }
        #expect(
            asked == [
                .getParameters(names: ["a", "b"], requestID: nil), .setParameters(set, requestID: nil),
                .subscribeParameterUpdates(names: ["c"]),
            ])
    }

    @Test(arguments: [
        "[]", "{", #"{"op":7}"#, #"{"op":"serverInfo"}"#, #"{"op":"advertise","channels":{}}"#,
        #"{"op":"advertise","channels":[{"id":-1,"topic":"/a","encoding":"json","schemaName":""}]}"#,
        #"{"op":"status","level":3,"message":""}"#, #"{"op":"unadvertise","channelIds":["1"]}"#,
    ])
    func whatCannotBeUnderstoodEndsIt(text: String) throws {
        var server = try ScriptedServer.open()
        server.send(text: text)
        guard case .ended(.violation(let reason))? = server.takeEvents().last else {
            Issue.record("it was taken")
            return
        }
        #expect(reason.hasPrefix("a message cannot be understood: "))
        // 1008: policy violation.
        #expect(server.takeFrames().last?.payload == [0x03, 0xF0])
    }

    /// Masked, reserved bit, unknown opcode, fragmented ping, continuation of nothing, long form of a short length.
    @Test(
        arguments: [
            [0x81, 0x80, 1, 2, 3, 4], [0xC1, 0x00], [0x83, 0x00], [0x09, 0x00], [0x80, 0x00], [0x82, 126, 0, 5],
            [0x88, 0x01, 0x03],
        ] as [[UInt8]])
    func framesThatBreakTheRulesEndIt(bytes: [UInt8]) throws {
        var server = try ScriptedServer.open()
        server.send(bytes)
        #expect(server.takeEvents() == [.ended(.violation("a frame breaks the rules of WebSocket"))])
    }

    @Test func messagesAreBounded() throws {
        var limits = ClientLimits()
        limits.message = FrameDecoder.Limits(messageByteCount: 200, fragmentCount: 2)
        var server = try ScriptedServer.open(limits: limits)
        let padding = String(repeating: " ", count: 200 - 12)
        server.send(text: #"{"op":"new"}"# + padding)
        #expect(server.takeEvents() == [])
        server.send(text: #"{"op":"new"}"# + padding + " ")
        #expect(server.takeEvents() == [.ended(.violation("a message is longer than 200 bytes"))])
    }

    @Test func channelsAndTheirNamesAreBounded() throws {
        var limits = ClientLimits()
        (limits.channelCount, limits.nameByteCount) = (2, 8)
        var server = try ScriptedServer.open(limits: limits)
        server.send(text: advertise("/abcdefg", "/b"))
        #expect(server.takeEvents() == [.advertised([channel(1, "/abcdefg"), channel(2, "/b")])])
        var other = server
        server.send(text: #"{"op":"advertise","channels":[{"id":7,"topic":"/c","encoding":"","schemaName":""}]}"#)
        other.send(text: advertise("/abcdefgh"))
        for events in [server.takeEvents(), other.takeEvents()] {
            guard case .ended(.violation)? = events.last else {
                Issue.record("it was taken: \(events)")
                continue
            }
        }
    }

    @Test func aCloseIsAnsweredAndEndsIt() throws {
        var server = try ScriptedServer.open()
        server.send(0x88, [0x03, 0xE9] + Array("bye".utf8))
        #expect(server.takeEvents() == [.ended(.closed(.goingAway))])
        #expect(server.takeFrames().map(\.opcode) == [8])
        server.send(text: greeting)
        #expect(server.takeEvents() == [] && server.client.nextDeadline == nil)
    }

    @Test func aServerThatFallsSilentIsAskedAndThenGivenUp() throws {
        var server = try ScriptedServer.open()
        server.send(text: greeting)
        _ = server.takeEvents()
        server.wait(seconds: 9)
        #expect(server.takeFrames().isEmpty)
        server.wait(seconds: 1)
        #expect(server.takeFrames().map(\.opcode) == [9])
        server.wait(seconds: 9)
        server.send(0x8A, [])
        server.wait(seconds: 1)
        #expect(server.takeEvents() == [] && server.takeFrames().isEmpty)
        server.wait(seconds: 9)
        #expect(server.takeFrames().map(\.opcode) == [9])
        server.wait(seconds: 10)
        #expect(server.takeEvents() == [.ended(.silent)])
    }

    @Test func aServerThatNeverGreetsIsGivenUp() throws {
        for bytes in [[], Array("HTTP/1.1 1".utf8)] as [[UInt8]] {
            var server = try ScriptedServer()
            server.wait(seconds: 4)
            server.send(bytes)
            #expect(server.takeEvents() == [])
            server.wait(seconds: 1)
            #expect(server.takeEvents() == [.ended(.silent)])
        }
        var server = try ScriptedServer.open()
        server.wait(seconds: 5)
        #expect(server.takeEvents() == [.ended(.silent)])
    }

    @Test func randomBytesNeverTrap() throws {
        for round in 0..<2_000 {
            var generator = SeededGenerator(round: UInt64(round))
            var server = try ScriptedServer.open()
            server.client.want(["/a"])
            let text = Array(advertise("/a").utf8)
            var bytes = ScriptedServer.frame(0x81, text) + ScriptedServer.frame(0x82, data(1, [1, 2, 3]))
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8(truncatingIfNeeded: generator.next())
            }
            for piece in generator.pieces(of: bytes) { server.send(Array(piece)) }
            #expect(server.takeEvents().count <= 3)
        }
    }
}
