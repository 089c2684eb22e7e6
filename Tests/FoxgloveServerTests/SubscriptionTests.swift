import FoxgloveServer
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

/// protocol.md, sections 4.1 to 4.3.
@Suite struct SubscriptionTests {
    @Test(arguments: ["foxglove.sdk.v1", "foxglove.websocket.v1"])
    func greetingIsServerInfoThenChannelsInOrder(subprotocol: String) throws {
        let world = World()
        let id = world.connect(subprotocol: subprotocol)
        let messages = world.messages(id)
        try #require(messages.count == 3)
        guard case .http(let head) = messages[0] else { throw Unexpected() }
        #expect(head.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(head.hasSuffix("Sec-WebSocket-Protocol: \(subprotocol)"))
        let info =
            #"{"capabilities":["clientPublish"],"metadata":{"k":"v"},"name":"test","op":"serverInfo","#
            + #""sessionId":"s1","supportedEncodings":["json"]}"#
        #expect(messages[1] == .text(info))
        let channels = (0..<3).map {
            #"{"encoding":"protobuf","id":\#($0 + 1),"schema":"AQID","schemaEncoding":"protobuf","#
                + #""schemaName":"test.Message","topic":"/\#($0)"}"#
        }
        #expect(messages[2] == .text(#"{"channels":[\#(channels.joined(separator: ","))],"op":"advertise"}"#))
    }

    @Test func nothingComesBeforeASubscription() {
        let world = World()
        let id = world.connect()
        _ = world.messages(id)
        world.tick([0, 1, 2])
        #expect(world.drain(id) == .idle)
        #expect(world.messages(id).isEmpty)
    }

    @Test func aSubscriptionBeginsAfterFiftyMilliseconds() {
        let world = World()
        let id = world.connect()
        world.subscribe(id, [0])
        #expect(world.server.nextDeadline == world.now + .milliseconds(50))
        #expect(world.events().last == .listening(ChannelID(index: 0), startsAt: world.now + .milliseconds(50)))
        _ = world.messages(id)
        world.advance(milliseconds: 49)
        world.tick([0])
        world.drain(id)
        #expect(world.data(id).isEmpty)
        world.advance(milliseconds: 1)
        world.tick([0, 1])
        world.drain(id)
        #expect(world.data(id).map(\.count) == [2])
        #expect(world.server.counters.droppedMessages == 0)
    }

    @Test func aLatchedChannelComesWithoutWaitingForItsNextMessage() {
        let world = World(latched: [1])
        world.tick([1])
        world.advance(milliseconds: 5_000)
        world.tick([1, 0])
        let id = world.connect()
        world.subscribe(id, [0, 1])
        _ = world.messages(id)
        world.wait(milliseconds: 50)
        world.drain(id)
        let data = world.data(id)
        #expect(data.map(\.channel) == [1])
        #expect(data.map(\.count) == [2])
        #expect(data.map(\.subscription) == [101])
        world.tick([1])
        world.drain(id)
        #expect(world.data(id).map(\.count) == [3])
    }

    @Test func aFreshMessageTakesThePlaceOfTheLatchedOne() {
        let world = World(latched: [1])
        world.tick([1])
        let id = world.connect()
        world.subscribe(id, [1])
        world.advance(milliseconds: 50)
        world.tick([1])
        world.drain(id)
        #expect(world.data(id).map(\.count) == [2])
    }

    static let refusals: [(String, [String])] = [
        (
            #"{"op":"subscribe","subscriptions":[{"id":1,"channelId":9},{"id":2,"channelId":1}]}"#,
            [status(2, "Unknown channel ID: 9")]
        ),
        (
            #"{"op":"subscribe","subscriptions":[{"id":1,"channelId":1},{"id":1,"channelId":2}]}"#,
            [
                status(2, "Subscription ID was already used: 1; ignoring subscription")
            ]
        ),
        (
            #"{"op":"subscribe","subscriptions":[{"id":1,"channelId":1},{"id":1,"channelId":1}]}"#,
            [
                status(1, "Client is already subscribed to channel: 1; ignoring subscription")
            ]
        ),
        (#"{"op":"unsubscribe","subscriptionIds":[77]}"#, []),
        (#"{"op":"subscribe","subscriptions":[]}"#, []),
        (
            #"{"op":"subscribe"}"#,
            [status(2, #"Invalid message: \"subscriptions\" must be an array"#)]
        ),
        (#"{nope"#, [status(2, "Invalid message: not JSON")]),
        (
            #"{"op":"getParameters","parameterNames":[]}"#,
            [status(2, "Server does not support parameters capability")]
        ),
    ]

    @Test(arguments: refusals)
    func mistakesAreToldToTheirClientOnly(message: String, answers: [String]) {
        let world = World()
        let (id, other) = (world.connect(), world.connect())
        _ = (world.messages(id), world.messages(other))
        world.send(text: message, from: id)
        world.drain(id)
        world.drain(other)
        #expect(world.texts(id) == answers)
        #expect(world.texts(other).isEmpty)
    }

    @Test func ownersHearOfTheFirstAndTheLastListener() {
        let world = World()
        let (a, b) = (world.connect(), world.connect())
        _ = world.events()
        world.subscribe(a, [0])
        world.subscribe(b, [0])
        world.send(text: #"{"op":"unsubscribe","subscriptionIds":[100]}"#, from: a)
        #expect(world.events() == [.listening(ChannelID(index: 0), startsAt: world.now + .milliseconds(50))])
        world.close(b)
        #expect(world.events() == [.idle(ChannelID(index: 0)), .disconnected(address: "127.0.0.1")])
    }

    @Test func unsubscribingPurgesWhatIsQueued() {
        let world = World()
        let id = world.connect(subscribedTo: [0, 1])
        _ = world.messages(id)
        world.drain(id, limit: 0)
        world.tick([0, 1, 0, 1])
        world.send(text: #"{"op":"unsubscribe","subscriptionIds":[100]}"#, from: id)
        world.drain(id)
        #expect(world.data(id).map(\.channel) == [1, 1])
    }

    @Test func anIdIsFreeAfterItsSubscriptionEnds() {
        let world = World()
        let id = world.connect(subscribedTo: [0])
        world.send(text: #"{"op":"unsubscribe","subscriptionIds":[100]}"#, from: id)
        world.send(text: #"{"op":"subscribe","subscriptions":[{"id":100,"channelId":2}]}"#, from: id)
        _ = world.messages(id)
        world.advance(milliseconds: 50)
        world.tick([0, 1])
        world.drain(id)
        #expect(world.messages(id).count == 1)
    }

    @Test func aRemovedChannelIsUnadvertisedAndSendsNothingMore() {
        let world = World()
        let id = world.connect(subscribedTo: [0, 1])
        _ = world.messages(id)
        _ = world.events()
        world.drain(id, limit: 0)
        world.tick([0, 1])
        world.server.unadvertise(ChannelID(index: 0))
        world.tick([1])
        world.drain(id)
        let messages = world.messages(id)
        #expect(messages.first == .text(#"{"channelIds":[1],"op":"unadvertise"}"#))
        #expect(messages.count == 3)
        #expect(world.events() == [.idle(ChannelID(index: 0))])
        world.send(text: #"{"op":"unsubscribe","subscriptionIds":[100]}"#, from: id)
        world.drain(id)
        #expect(world.messages(id).isEmpty, "Studio unsubscribes after every unadvertise")
    }

    @Test func aChannelThatComesBackHasANewId() {
        let world = World()
        let id = world.connect()
        _ = world.messages(id)
        world.server.unadvertise(ChannelID(index: 0))
        world.server.advertise(ChannelID(index: 0))
        world.drain(id)
        let late = world.connect()
        #expect(world.texts(id).last?.contains(#""id":4,"#) == true)
        let channels = world.texts(late).last ?? ""
        #expect(
            channels.firstRange(of: "\"id\":3").map { $0.lowerBound } ?? channels.endIndex
                < channels.firstRange(of: "\"id\":4").map { $0.lowerBound } ?? channels.startIndex)
    }
}

struct Unexpected: Error {}
