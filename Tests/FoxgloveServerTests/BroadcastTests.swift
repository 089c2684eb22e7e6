import FoxgloveProtocol
import FoxgloveServer
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

@Suite struct ConnectionGraphTests {
    private let world = World(channelCount: 2, features: World.complete)

    private func client() -> ConnectionID {
        let id = world.connect()
        _ = world.messages(id)
        return id
    }

    private func update(
        published: String = "", subscribed: String = "", services: String = "", removed: String = "",
        removedServices: String = ""
    ) -> TestClient.Message {
        .text(
            #"{"advertisedServices":[\#(services)],"op":"connectionGraphUpdate","publishedTopics":[\#(published)],"#
                + #""removedServices":[\#(removedServices)],"removedTopics":[\#(removed)],"#
                + #""subscribedTopics":[\#(subscribed)]}"#
        )
    }

    /// Changes are told together, a moment later.
    private func settle() { world.wait(milliseconds: 50) }

    @Test func theFirstUpdateIsEverythingAndTheOthersAreDifferences() {
        let (watcher, other) = (client(), client())
        world.send(text: #"{"op":"subscribeConnectionGraph"}"#, from: watcher)
        #expect(
            world.take(watcher) == [
                update(
                    published: #"{"name":"/0","publisherIds":["test"]},{"name":"/1","publisherIds":["test"]}"#,
                    subscribed: #"{"name":"/config","subscriberIds":["test"]}"#)
            ])
        // Studio subscribes again after every serverInfo.
        world.send(text: #"{"op":"subscribeConnectionGraph"}"#, from: watcher)
        settle()
        #expect(world.take(watcher) == [])

        world.subscribe(other, [0])
        settle()
        #expect(world.take(watcher) == [update(subscribed: #"{"name":"/0","subscriberIds":["client-2"]}"#)])
        world.send(
            text: #"{"op":"advertise","channels":[{"id":1,"topic":"/config","encoding":"json","schemaName":""}]}"#,
            from: other)
        settle()
        #expect(world.take(watcher) == [update(published: #"{"name":"/config","publisherIds":["client-2"]}"#)])
        world.server.add(World.service)
        settle()
        #expect(world.take(watcher).last == update(services: #"{"name":"/do","providerIds":["test"]}"#))
        world.server.removeService("/do")
        settle()
        #expect(world.take(watcher).last == update(removedServices: #""/do""#))
        // Gone with its publisher and its subscriber.
        world.server.unadvertise(ChannelID(index: 0))
        settle()
        #expect(world.take(watcher).last == update(removed: #""/0""#))
        // It lost its publisher, but not its subscriber.
        world.close(other)
        settle()
        #expect(world.take(watcher) == [update(published: #"{"name":"/config","publisherIds":[]}"#)])
    }

    @Test func everySubscriberIsToldAndNobodyElse() {
        let (first, second, third) = (client(), client(), client())
        for id in [first, second, third] { world.send(text: #"{"op":"subscribeConnectionGraph"}"#, from: id) }
        for _ in 0..<2 { world.send(text: #"{"op":"unsubscribeConnectionGraph"}"#, from: third) }
        for id in [first, second, third] { #expect(world.take(id).count == 1) }
        world.subscribe(third, [1])
        settle()
        #expect(world.take(first).count == 1 && world.take(second).count == 1 && world.take(third) == [])
        // A change that is undone before anybody looks is none.
        world.send(text: #"{"op":"unsubscribe","subscriptionIds":[101]}"#, from: third)
        world.subscribe(third, [1])
        settle()
        #expect(world.take(first) == [])
    }

    @Test func theOrderOfClientsIsThatOfTheirArrival() {
        let (watcher, first, second) = (client(), client(), client())
        world.subscribe(second, [0])
        world.subscribe(first, [0])
        world.send(text: #"{"op":"subscribeConnectionGraph"}"#, from: watcher)
        world.drain(watcher)
        #expect(world.texts(watcher)[0].contains(#"{"name":"/0","subscriberIds":["client-2","client-3"]}"#))
    }
}

@Suite struct StatusTests {
    @Test func aStatusHoldsUntilItIsRemoved() {
        let world = World(channelCount: 0)
        let first = world.connect()
        _ = world.messages(first)
        let told = TestClient.Message.text(#"{"id":"x","level":1,"message":"m","op":"status"}"#)
        world.server.setStatus("x", .warning, "m")
        world.server.setStatus("x", .warning, "m")
        #expect(world.take(first) == [told])
        let second = world.connect()
        #expect(world.messages(second).last == told)
        world.server.setStatus("x", .error, "n")
        #expect(world.take(first) == [.text(#"{"id":"x","level":2,"message":"n","op":"status"}"#)])
        world.server.removeStatuses(["y", "x"])
        world.server.removeStatuses(["x"])
        #expect(world.take(first) == [.text(#"{"op":"removeStatus","statusIds":["x"]}"#)])
        #expect(!world.texts(world.connect()).contains { $0.contains("status") && !$0.contains("serverInfo") })
    }
}

@Suite struct SessionTests {
    @Test func aNewSessionIsAnnouncedWithAllThatViewersForget() {
        let world = World(channelCount: 2, features: World.complete)
        world.server.add(World.service)
        world.server.setStatus("x", .warning, "m")
        let id = world.connect()
        let greeting = world.texts(id)
        world.subscribe(id, [0])
        world.wait(milliseconds: 50)
        world.server.beginSession("s2")
        #expect(world.take(id) == greeting.map { .text($0.replacing("\"s1\"", with: "\"s2\"")) })
        // The subscription goes on.
        world.tick([0])
        world.drain(id)
        #expect(world.data(id).map(\.subscription) == [100])
        #expect(world.texts(world.connect())[0].contains(#""sessionId":"s2""#))
    }
}

extension SessionTests {
    @Test func aClientThatDoesNotReadIsNotGreetedForEver() {
        var limits = ServerLimits()
        limits.queuedControlByteCount = 64 * 1_024
        let world = World(channelCount: 100, features: World.complete, limits: limits)
        let id = world.connect()
        for session in 0..<200 { world.server.beginSession("\(session)") }
        #expect(world.server.queuedByteCount < 2 * limits.queuedControlByteCount)
        #expect(world.server.clientCount == 0 && world.server.limitCounts[.controlQueue] == 1)
        world.drain(id)
        #expect(world.messages(id).last == .close(1013, ""))
    }
}

@Suite struct TimeTests {
    private final class Clock { var time = Timestamp(unixNanoseconds: 5_000) }
    private let clock = Clock()
    private let world: World

    init() {
        var features = World.publishing
        features.capabilities.append(.time)
        let clock = clock
        features.wallClock = { clock.time }
        world = World(channelCount: 1, features: features)
    }

    private func time(_ nanoseconds: UInt8) -> TestClient.Message { .binary([2, nanoseconds, 0x13, 0, 0, 0, 0, 0, 0]) }

    @Test func timeComesWithTheGreetingAndBeforeTheDataOfATick() {
        let id = world.connect(subscribedTo: [])
        let first = world.connect()
        #expect(world.messages(first).last == time(0x88))
        world.subscribe(first, [0])
        world.advance(milliseconds: 50)
        world.tick()
        _ = world.take(first)
        clock.time = Timestamp(unixNanoseconds: 5_001)
        world.advance(milliseconds: 50)
        world.tick([0])
        let messages = world.take(first)
        #expect(messages.first == time(0x89) && messages.count == 2)
        // Nobody needs a subscription for it.
        #expect(world.take(id).last == time(0x89))
    }

    @Test func timeNeverGoesBackAndComesAtMostThirtyTimesASecond() {
        let id = world.connect()
        _ = world.messages(id)
        clock.time = Timestamp(unixNanoseconds: 4_000)
        for _ in 0..<3 {
            world.advance(milliseconds: 20)
            world.tick()
        }
        #expect(world.take(id) == [time(0x88)])
    }

    @Test func whoIsSlowGetsTheNewestOnly() {
        let id = world.connect()
        _ = world.messages(id)
        for step in 1...5 {
            clock.time = Timestamp(unixNanoseconds: 5_000 + UInt64(step))
            world.advance(milliseconds: 100)
            world.tick()
        }
        #expect(world.take(id) == [time(0x8D)])
    }
}

@Suite struct PlaybackTests {
    private let world = World(channelCount: 0, features: World.complete)
    private let state = PlaybackState(
        status: .paused, time: Timestamp(unixNanoseconds: 1), speed: 1, didSeek: false)

    private func client(_ subprotocol: String = "foxglove.sdk.v1") -> ConnectionID {
        let id = world.connect(subprotocol: subprotocol)
        _ = world.messages(id)
        return id
    }

    private func message(_ requestID: String) -> TestClient.Message {
        .binary(ServerBinaryMessage.playbackState(state, requestID: requestID).bytes)
    }

    @Test func aRequestIsAnsweredToEverybodyWhoKnowsPlayback() {
        let (asker, other, old) = (client(), client(), client("foxglove.websocket.v1"))
        world.send(
            .binary, [3, 1, 0, 0, 0x80, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x72], from: asker)
        var requests: [PlaybackRequest] = []
        for case .playbackRequested(_, let request) in world.events() { requests.append(request) }
        #expect(requests == [PlaybackRequest(command: .pause, speed: 1, seekTime: nil, requestID: "r")])
        world.server.publish(state, answering: requests[0])
        #expect(world.take(asker) == [message("r")])
        #expect(world.take(other) == [message("r")])
        #expect(world.take(old) == [])
    }

    @Test func ofStatesWithoutARequestOnlyTheNewestIsKept() {
        let id = client()
        for time in 1...3 {
            var next = state
            next.time = Timestamp(unixNanoseconds: UInt64(4 - time))
            world.server.publish(next)
        }
        #expect(world.take(id) == [message("")])
    }

    @Test(arguments: [
        ([3, 7, 0, 0, 0x80, 0x3F] + [UInt8](repeating: 0, count: 13), "Invalid playback command 7"),
        ([3, 0, 0], "Buffer too short"),
        ([3, 0, 0, 0, 0x80, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0x72], "Buffer too short"),
    ])
    func aBadRequestIsRefused(request: [UInt8], reason: String) {
        let id = client()
        world.send(.binary, request, from: id)
        #expect(world.take(id) == [.text(status(2, "Invalid message: \(reason)"))])
    }
}
