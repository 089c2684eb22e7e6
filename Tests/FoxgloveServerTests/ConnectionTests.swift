import FoxgloveServer
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

/// How connections begin and end, and what clients publish (protocol.md, sections 4.4 and 4.13).
@Suite struct ConnectionTests {
    @Test func aCloseIsEchoedThenTheSocketEnds() {
        let world = World()
        let id = world.connect(subscribedTo: [0])
        _ = (world.messages(id), world.events())
        world.send(.close, [0x03, 0xE8], from: id)
        #expect(world.events() == [.idle(ChannelID(index: 0)), .disconnected(address: "127.0.0.1")])
        world.tick([0])
        #expect(world.drain(id) == .finished)
        #expect(world.messages(id) == [.close(1000, "")])
        for _ in 0..<3 { world.wait(milliseconds: 1_000) }
        #expect(world.drain(id) == .drop, "a peer that does not close its side is not waited for")
    }

    @Test func stoppingSaysGoingAwayToEveryClient() {
        let world = World()
        let ids = [world.connect(subscribedTo: [0]), world.connect()]
        for id in ids { _ = world.messages(id) }
        world.server.close(.goingAway, "server shutdown")
        for id in ids {
            #expect(world.drain(id) == .finished)
            #expect(world.messages(id) == [.close(1001, "")])
        }
        #expect(world.server.clientCount == 0)
    }

    @Test func aCloseWaitsForTheFrameThatHasBegun() {
        let world = World()
        let id = world.connect(subscribedTo: [0])
        _ = world.messages(id)
        world.tick([0, 0], size: 100)
        world.drain(id, limit: 10)
        world.server.close(.goingAway, "")
        #expect(world.drain(id) == .finished)
        let messages = world.messages(id)
        #expect(messages.count == 2)
        #expect(messages.last == .close(1001, ""))
    }

    @Test func pingsAreAnsweredWithTheirPayload() {
        let world = World()
        let id = world.connect()
        _ = world.messages(id)
        world.send(.ping, Array("abc".utf8), from: id)
        world.drain(id)
        #expect(world.messages(id) == [.pong])
    }

    @Test func publishedMessagesReachTheOwner() {
        let world = World()
        let id = world.connect()
        world.send(
            text: #"{"op":"advertise","channels":[{"id":7,"topic":"/config","encoding":"json","schemaName":"x"}]}"#,
            from: id)
        _ = (world.messages(id), world.events())
        world.send(.binary, [1, 7, 0, 0, 0] + Array("{}".utf8), from: id)
        #expect(world.events() == [.published(id, topic: "/config", encoding: "json", payload: Array("{}".utf8))])
    }

    static let binaryMistakes: [([UInt8], String?)] = [
        ([], nil),
        ([0xFF, 1, 2], "Invalid message: Unknown binary opcode 255"),
        ([1, 0], "Invalid message: Buffer too short"),
        ([1, 9, 0, 0, 0], "Unknown channel ID: 9"),
        ([2, 0, 0, 0, 0, 1], "Invalid message: Buffer too short"),
        ([2, 1, 0, 0, 0, 1, 0, 0, 0, 255, 255, 255, 255, 1, 2, 3, 4], "Invalid message: Buffer too short"),
        (
            [3, 1] + Array(repeating: 0, count: 17), "Server does not support playback control capability"
        ),
    ]

    @Test(arguments: binaryMistakes)
    func binaryMistakesAreTold(bytes: [UInt8], text: String?) {
        let world = World()
        let id = world.connect()
        _ = world.messages(id)
        world.send(.binary, bytes, from: id)
        #expect(world.drain(id) == .idle)
        #expect(world.texts(id) == (text.map { [status(2, #"\#($0)"#)] } ?? []))
    }

    @Test func aServiceCallFailsWithItsIds() {
        let world = World()
        let id = world.connect()
        _ = world.messages(id)
        world.send(.binary, [2, 10, 0, 0, 0, 12, 0, 0, 0, 4, 0, 0, 0] + Array("json{}".utf8), from: id)
        world.drain(id)
        let failure =
            #"{"callId":12,"message":"Server does not support services","op":"serviceCallFailure","serviceId":10}"#
        #expect(world.texts(id).first == failure)
    }

    static let clientChannels: [(String, [String])] = [
        (#"{"id":1,"topic":"/config","encoding":"json","schemaName":""}"#, []),
        (
            #"{"id":1,"topic":"/other","encoding":"json","schemaName":""}"#,
            [status(1, "Messages on \\\"/other\\\" are ignored; this server listens on /config")]
        ),
        (
            #"{"id":1,"topic":"/config","encoding":"xml","schemaName":""}"#,
            [status(1, "Messages in \\\"xml\\\" are not understood on /config; use json")]
        ),
    ]

    @Test(arguments: clientChannels)
    func advertisementsAreAcceptedWithAWarningWhereUseless(channel: String, answers: [String]) {
        let world = World()
        let id = world.connect()
        _ = world.messages(id)
        world.send(text: #"{"op":"advertise","channels":[\#(channel)]}"#, from: id)
        world.drain(id)
        #expect(world.texts(id) == answers)
        world.send(text: #"{"op":"advertise","channels":[\#(channel)]}"#, from: id)
        world.send(text: #"{"op":"unadvertise","channelIds":[1]}"#, from: id)
        world.send(text: #"{"op":"unadvertise","channelIds":[1]}"#, from: id)
        world.drain(id)
        #expect(
            world.texts(id) == [
                status(1, "Client is already advertising channel: 1; ignoring advertisement"),
                status(1, "Client is not advertising channel: 1; ignoring unadvertisement"),
            ])
    }
}
