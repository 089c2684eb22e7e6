import FoxgloveServer
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

/// Each bound of security.md, section 5: at it all is well, one past it the answer is the documented one.
@Suite struct LimitTests {
    @Test func oneClientTooManyGets503() {
        var limits = ServerLimits()
        limits.clients = 3
        let world = World(limits: limits)
        for index in 0..<3 {
            let id = world.connect(from: "10.0.0.\(index)")
            #expect(world.texts(id).count == 2)
        }
        let refused = world.connect(from: "10.0.0.9")
        expectHTTP(503, world.messages(refused))
        #expect(world.drain(refused) == .finished)
        #expect(world.server.limitCounts[.clients] == 1)
        #expect(world.server.clientCount == 3)
    }

    @Test func oneClientTooManyFromAnAddressGets503() {
        let world = World()
        for _ in 0..<ServerLimits().clientsPerAddress { #expect(world.texts(world.connect()).count == 2) }
        expectHTTP(503, world.messages(world.connect()))
        #expect(world.texts(world.connect(from: "10.0.0.1")).count == 2)
        #expect(world.server.limitCounts[.clientsPerAddress] == 1)
    }

    @Test func beyondTheOpenHandshakesTheOldestGoes() {
        var limits = ServerLimits()
        limits.openHandshakes = 4
        let world = World(limits: limits)
        let ids = (0..<4).map { _ in
            world.advance(milliseconds: 1)
            return world.open()
        }
        #expect(ids.allSatisfy { world.drain($0) == .idle })
        let fifth = world.open()
        #expect(ids.map { world.drain($0) } == [.drop, .idle, .idle, .idle])
        #expect(world.drain(fifth) == .idle)
    }

    @Test func theTLSOfOpenHandshakesIsBounded() {
        var limits = ServerLimits()
        limits.openHandshakeByteCount = 100
        let world = World(limits: limits)
        let (client, silent) = (world.connect(), world.open())
        _ = world.messages(client)
        world.server.holds(client, byteCount: 1_000)
        let ids = (0..<4).map { _ in
            world.advance(milliseconds: 1)
            let id = world.open()
            world.server.holds(id, byteCount: 30)
            return id
        }
        #expect(ids.map { world.drain($0) } == [.drop, .idle, .idle, .idle])
        world.server.holds(ids[3], byteCount: 50)
        #expect(ids.map { world.drain($0) } == [.drop, .drop, .idle, .idle])
        #expect(
            [client, silent].map { world.drain($0) } == [.idle, .idle], "one is a client, the other holds nothing")
        #expect(world.server.limitCounts[.openHandshakes] == 2)
    }

    @Test func tlsCountsAsMemoryOfItsClient() {
        let world = World()
        let id = world.connect()
        let before = world.server.heldByteCount
        world.server.holds(id, byteCount: 1_000)
        #expect(world.server.heldByteCount == before + 1_000)
        world.server.holds(id, byteCount: 400)
        #expect(world.server.heldByteCount == before + 400)
    }

    @Test func aBurstBeyondTheOpenHandshakesLeavesNoMoreThanThese() {
        var limits = ServerLimits()
        limits.openHandshakes = 4
        let world = World(limits: limits)
        let ids = (0..<20).map { _ in world.open() }
        #expect(ids.filter { world.drain($0) != .drop }.count == 4)
        let refused = (0..<20).map { _ in
            let id = world.open()
            world.send(raw: Array("X\r\n\r\n".utf8), from: id)
            return id
        }
        #expect((ids + refused).filter { world.drain($0) != .drop }.count == 4, "those that were refused count too")
    }

    @Test func whoIsDroppedIsNotHeardAnyMore() {
        var limits = ServerLimits()
        limits.openHandshakes = 1
        let world = World(limits: limits)
        let first = world.open()
        for _ in 0..<3 {
            _ = world.open()
            world.send(raw: Array("GET / HTTP/1.1\r\n\r\n".utf8), from: first)
        }
        #expect(world.drain(first) == .drop)
        #expect(world.messages(first).isEmpty)
        #expect(world.server.limitCounts[.openHandshakes] == 3)
    }

    @Test func anUnfinishedHandshakeEndsAfterFiveSeconds() {
        let world = World()
        let id = world.open()
        world.send(raw: Array("GET / HT".utf8), from: id)
        for _ in 0..<4 { world.wait(milliseconds: 1_000) }
        #expect(world.drain(id) == .idle)
        world.wait(milliseconds: 1_000)
        #expect(world.drain(id) == .drop)
        #expect(world.server.limitCounts[.handshakeTime] == 1)
    }

    @Test func aHeadTooLargeGets431() {
        let world = World()
        let id = world.open()
        world.send(raw: Array(("GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 9_000)).utf8), from: id)
        world.drain(id)
        expectHTTP(431, world.messages(id))
        #expect(world.server.limitCounts[.requestHead] == 1)
    }

    @Test func operationsBeyondTheBurstAreToldThenClosed() {
        let world = World()
        let id = world.connect()
        _ = world.messages(id)
        for _ in 0..<200 { world.send(text: #"{"op":"unsubscribe","subscriptionIds":[]}"#, from: id) }
        world.drain(id)
        #expect(world.messages(id).isEmpty)
        world.send(text: #"{"op":"unsubscribe","subscriptionIds":[]}"#, from: id)
        #expect(world.drain(id) == .finished)
        let status = status(2, "Too many operations; the limit is 100 per second")
        #expect(world.messages(id) == [.text(status), .close(1008, "")])
        #expect(world.server.limitCounts[.operations] == 1)
    }

    @Test func operationsComeBackWithTime() {
        let world = World()
        let id = world.connect()
        for _ in 0..<50 {
            for _ in 0..<10 { world.send(text: #"{"op":"unsubscribe","subscriptionIds":[]}"#, from: id) }
            world.advance(milliseconds: 100)
        }
        #expect(world.drain(id) == .idle)
    }

    @Test func publishesBeyondTheRateAreDropped() {
        let world = World()
        let id = world.connect()
        world.send(text: configChannel, from: id)
        _ = (world.messages(id), world.events())
        for _ in 0..<51 { world.send(.binary, [1, 7, 0, 0, 0, 0x7B, 0x7D], from: id) }
        world.drain(id)
        #expect(world.events().count == 50)
        #expect(world.texts(id).count == 1)
        #expect(world.server.limitCounts[.publishes] == 1)
    }

    @Test func oneClientChannelTooManyIsAnError() {
        let world = World()
        let id = world.connect()
        _ = world.messages(id)
        for channel in 0...64 {
            world.send(
                text:
                    #"{"op":"advertise","channels":[{"id":\#(channel),"topic":"/config","encoding":"json","#
                    + #""schemaName":""}]}"#,
                from: id)
        }
        world.drain(id)
        #expect(
            world.texts(id) == [status(2, "Too many client channels; the limit is 64")])
    }

    @Test func oneSubscriptionTooManyIsAnError() {
        var limits = ServerLimits()
        limits.subscriptionsPerClient = 2
        let world = World(limits: limits)
        let id = world.connect()
        _ = world.messages(id)
        world.subscribe(id, [0, 1, 2])
        world.drain(id)
        #expect(world.texts(id) == [status(2, "Too many subscriptions; the limit is 2")])
        #expect(world.server.subscriptionCount == 2)
    }

    @Test(arguments: [(unknown: 1_024, isClosed: false), (1_025, true)])
    func aFullControlQueueClosesItsClient(unknown: Int, isClosed: Bool) {
        let world = World()
        let id = world.connect()
        _ = world.messages(id)
        let entries = (0..<unknown).map { #"{"id":\#($0),"channelId":99}"# }.joined(separator: ",")
        world.send(text: #"{"op":"subscribe","subscriptions":[\#(entries)]}"#, from: id)
        #expect(world.drain(id) == (isClosed ? .finished : .idle))
        #expect(world.messages(id).last == (isClosed ? .close(1013, "") : unknownChannel))
        #expect(world.server.limitCounts[.controlQueue] == (isClosed ? 1 : nil))
    }

    @Test func theBytesOfTheControlQueueAreBoundedToo() {
        var limits = ServerLimits()
        limits.queuedControlByteCount = 1_000
        let world = World(limits: limits)
        let id = world.connect()
        _ = world.messages(id)
        let entries = (0..<30).map { #"{"id":\#($0),"channelId":99}"# }.joined(separator: ",")
        world.send(text: #"{"op":"subscribe","subscriptions":[\#(entries)]}"#, from: id)
        #expect(world.drain(id) == .finished)
        #expect(world.messages(id).last == .close(1013, ""))
        #expect(world.server.limitCounts[.controlQueue] == 1)
    }

    @Test func aClientClosedForItsQueueGetsNoMoreData() {
        var limits = ServerLimits()
        limits.queuedControlMessages = 4
        let world = World(limits: limits)
        let id = world.connect(subscribedTo: [0])
        _ = (world.messages(id), world.events())
        world.drain(id, limit: 0)
        world.tick([0])
        world.drain(id, limit: 0)
        for _ in 0..<3 {
            world.server.unadvertise(ChannelID(index: 2))
            world.server.advertise(ChannelID(index: 2))
        }
        #expect(world.server.clientCount == 0)
        #expect(world.server.subscriptionCount == 0)
        #expect(world.events() == [.idle(ChannelID(index: 0)), .disconnected(address: "127.0.0.1")])
        world.tick([0])
        #expect(world.drain(id) == .finished)
        #expect(world.data(id).isEmpty)
    }

    /// A list of ids costs no more than the bound on what is answered.
    @Test func aLongListOfMistakesStopsWhereItClosesItsClient() {
        let world = World()
        let id = world.connect()
        _ = world.messages(id)
        let ids = Array(repeating: "9", count: 400_000).joined(separator: ",")
        world.send(text: #"{"op":"unadvertise","channelIds":[\#(ids)]}"#, from: id)
        #expect(world.drain(id) == .finished)
        #expect(world.messages(id).count == 1_024 + 2)
    }

    @Test func namesOfClientChannelsAreNotKeptAndShownShort() {
        let world = World()
        let id = world.connect()
        _ = world.messages(id)
        let topic = String(repeating: "x", count: 60_000)
        let before = world.server.heldByteCount
        for channel in 0..<5 {
            world.send(
                text: #"{"op":"advertise","channels":[{"id":\#(channel),"topic":"\#(topic)","encoding":"json","#
                    + #""schemaName":"\#(topic)"}]}"#, from: id)
        }
        world.drain(id)
        #expect(world.texts(id).allSatisfy { $0.utf8.count < 200 })
        #expect(world.server.heldByteCount - before < 100_000)
    }

    @Test func largeOperationsCountAsMany() {
        let world = World()
        let id = world.connect()
        let padding = String(repeating: " ", count: 500_000)
        for _ in 0..<6 { world.send(text: #"{"op":"unsubscribe","subscriptionIds":[]}"# + padding, from: id) }
        #expect(world.drain(id) == .idle)
        world.send(text: #"{"op":"unsubscribe","subscriptionIds":[]}"# + padding, from: id)
        world.send(text: #"{"op":"unsubscribe","subscriptionIds":[]}"#, from: id)
        #expect(world.drain(id) == .finished)
        #expect(world.server.limitCounts[.operations] == 1)
    }

    @Test func aMessageTooBigCloses1009() {
        let world = World()
        let (id, other) = (world.connect(), world.connect())
        _ = (world.messages(id), world.messages(other))
        let padding = String(repeating: " ", count: 1_048_576 - 2)
        world.send(text: "{}" + padding, from: id)
        world.drain(id)
        #expect(world.texts(id).count == 1, "an answer, so it was read")
        world.send(text: "{}" + padding + " ", from: other)
        #expect(world.drain(other) == .finished)
        #expect(world.messages(other) == [.close(1009, "")])
        #expect(world.server.limitCounts[.message] == 1)
    }

    @Test func aClientThatDoesNotAnswerPingsIsDropped() {
        let world = World()
        let (deaf, alive) = (world.connect(), world.connect())
        _ = (world.messages(deaf), world.messages(alive))
        for second in 1...60 {
            world.wait(milliseconds: 1_000)
            world.drain(alive)
            if world.messages(alive).contains(.ping) { world.send(.pong, [], from: alive) }
            let outcome = world.drain(deaf)
            #expect((outcome == .drop) == (second >= 45), "ping after 15 s, then 30 s without a pong; second \(second)")
        }
        #expect(world.server.limitCounts[.pong] ?? 0 > 0)
    }

    @Test func aBlockedClientIsDroppedAllTheSame() {
        let world = World()
        let id = world.connect(subscribedTo: [0])
        world.tick([0])
        world.drain(id, limit: 0)
        for _ in 1...46 { world.wait(milliseconds: 1_000) }
        #expect(world.server.send(to: id) { _ in 0 } == .drop)
    }

    @Test func beyondTheMemoryBoundTheNewestAreRefusedAndTheLargestGo() {
        var limits = ServerLimits()
        limits.clientMemoryByteCount = 400_000
        let world = World(limits: limits)
        let large = world.connect()
        // Half a message stays in the decoder.
        var frame = maskedFrame(1, Array(repeating: 0x20, count: 500_000))
        frame.removeLast(1_000)
        world.send(raw: frame, from: large)
        expectHTTP(503, world.messages(world.connect()))
        #expect(world.drain(large) == .idle)
        world.wait(milliseconds: 1_000)
        #expect(world.drain(large) == .drop)
        #expect(world.server.limitCounts[.clientMemory] == 2)
    }

    private let configChannel =
        #"{"op":"advertise","channels":[{"id":7,"topic":"/config","encoding":"json","schemaName":"sysmon.v1.Config"}]}"#
    private let unknownChannel = TestClient.Message.text(
        status(2, "Unknown channel ID: 99"))

    private func expectHTTP(_ status: Int, _ messages: [TestClient.Message]) {
        guard case .http(let head)? = messages.first else {
            Issue.record("no HTTP answer in \(messages)")
            return
        }
        #expect(head.hasPrefix("HTTP/1.1 \(status) "))
        #expect(messages.count == 1)
    }
}
