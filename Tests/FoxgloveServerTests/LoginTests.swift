import FoxgloveProtocol
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

@testable import FoxgloveServer

/// Failed logins over time, and what a role is good for.
@Suite struct LoginTests {
    private let world: World

    init() throws {
        world = World()
        world.server.access = try .withTokens()
    }

    private func fail(from address: String = "127.0.0.1") -> ConnectionID {
        let id = world.open(from: address)
        world.ask(id, target: "/?token=\(Secrets.wrong)")
        return id
    }

    private func connect(_ token: String) -> ConnectionID {
        let id = world.open()
        world.ask(id, target: "/?token=\(token)")
        return id
    }

    // MARK: Failures

    @Test func aFailedLoginIsAnsweredAfter200Milliseconds() {
        let start = world.now
        let id = fail()
        #expect(world.server.nextDeadline == start + .milliseconds(200))
        world.wait(milliseconds: 199)
        #expect(world.drain(id) == .idle)
        #expect(world.answer(id) == nil)
        world.wait(milliseconds: 1)
        #expect(world.drain(id) == .finished)
        let answer = world.answer(id)
        #expect(answer?.status == 401)
        #expect(answer?.head.contains("\r\nWWW-Authenticate: Bearer\r\n") == true)
        #expect(world.server.limitCounts[.refusedLogins] == 1)
        #expect(world.server.clientCount == 0)
    }

    @Test func whoWaitsForAnAnswerIsNotHeard() {
        let id = fail()
        world.ask(id, target: "/?token=\(Secrets.operator)")
        world.send(raw: [0, 1, 2], from: id)
        world.wait(milliseconds: 200)
        world.drain(id)
        #expect(world.answer(id)?.status == 401)
        #expect(world.server.limitCounts[.refusedLogins] == 1)
    }

    @Test func whatFollowsInTheSameBytesIsNotHeardEither() {
        let id = world.open()
        let wrong = "GET /?token=x HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        let rest =
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + "Sec-WebSocket-Protocol: foxglove.sdk.v1\r\n\r\n"
        world.send(raw: Array((wrong + rest + wrong + rest).utf8), from: id)
        world.wait(milliseconds: 200)
        world.drain(id)
        #expect(world.answer(id)?.status == 401)
        #expect(world.server.limitCounts[.refusedLogins] == 1)
    }

    @Test func whoGoesAwayMeanwhileIsForgotten() {
        let id = fail()
        world.close(id)
        #expect(world.server.nextDeadline == nil)
        let other = world.open()
        #expect(other == id, "the id is used again")
        world.wait(milliseconds: 200)
        #expect(world.drain(other) == .idle)
        #expect(world.answer(other) == nil)
    }

    @Test func theHandshakeTimeDoesNotCutTheAnswerShort() {
        let id = world.open()
        world.advance(milliseconds: 4_900)
        world.ask(id)
        world.wait(milliseconds: 150)
        #expect(world.drain(id) == .idle)
        world.wait(milliseconds: 50)
        world.drain(id)
        #expect(world.answer(id)?.status == 401)
    }

    @Test func stoppingDoesNotWaitForAnswers() {
        let id = fail()
        world.server.close(.goingAway, "")
        #expect(world.drain(id) == .finished)
        world.wait(milliseconds: 200)
        world.drain(id)
        #expect(world.answer(id) == nil)
    }

    @Test func theSixthOfASecondFromOneAddressIsDropped() {
        let ids = (0..<6).map { _ in fail() }
        let other = fail(from: "10.0.0.1")
        #expect(world.drain(ids[5]) == .drop)
        #expect(world.server.limitCounts == [.failedLoginsPerAddress: 1, .refusedLogins: 7])
        world.wait(milliseconds: 200)
        for id in ids[..<5] + [other] {
            world.drain(id)
            #expect(world.answer(id)?.status == 401)
        }
        #expect(world.answer(ids[5]) == nil)
        world.advance(milliseconds: 799)
        #expect(world.drain(fail()) == .drop)
        world.advance(milliseconds: 1)
        #expect(world.drain(fail()) == .idle)
        #expect(world.server.limitCounts[.refusedLogins] == 9)
    }

    @Test func theFiftyFirstOfASecondIsDropped() {
        let ids = (0..<51).map { fail(from: "10.0.0.\($0)") }
        #expect(ids.filter { world.drain($0) == .drop } == [ids[50]])
        #expect(world.server.limitCounts == [.failedLogins: 1, .refusedLogins: 51])
    }

    @Test func aRightTokenIsLetInWhateverOthersTried() {
        for _ in 0..<60 { _ = fail() }
        let id = connect(Secrets.operator)
        #expect(world.answer(id)?.status == 101)
    }

    @Test func aFullServerDoesNotTellStrangersThatItIsFull() throws {
        var limits = ServerLimits()
        limits.clients = 0
        let world = World(limits: limits)
        world.server.access = try .withTokens()
        let id = world.open()
        world.ask(id)
        world.wait(milliseconds: 200)
        world.drain(id)
        #expect(world.answer(id)?.status == 401)
    }

    @Test(arguments: 0..<10)
    func noSecondHasMoreAnswersThanAllowed(round: UInt64) {
        var random = SeededGenerator(round: round)
        var limits = ServerLimits()
        limits.failedLoginsPerSecond = 7
        limits.failedLoginsPerAddressPerSecond = 3
        var throttle = LoginThrottle(limits: limits)
        var now: UInt64 = 5_000_000_000
        var admitted: [(address: String, at: UInt64)] = []
        for attempt in 0..<2_000 {
            now += random.next() % 200_000_000
            let address = "a\(random.next() % 4)"
            let lastSecond = admitted.filter { $0.at + 1_000_000_000 > now }
            let limit: LimitName? =
                lastSecond.count >= 7
                ? .failedLogins
                : lastSecond.count(where: { $0.address == address }) >= 3 ? .failedLoginsPerAddress : nil
            let id = ConnectionID(index: attempt)
            #expect(throttle.admit(id, from: address, now: Instant(nanoseconds: now)) == limit)
            if limit == nil { admitted.append((address, now)) }
            while let due = throttle.popDue(now: Instant(nanoseconds: now)) {
                #expect(admitted.contains { $0.at + 200_000_000 <= now }, "\(due) came too soon")
            }
        }
    }

    // MARK: Notices

    @Test func aFloodIsOneNotice() {
        _ = world.events()
        for _ in 0..<20 { _ = fail() }
        #expect(
            world.events() == [.refused(address: "127.0.0.1", reason: "the token is not in the token file")])
        world.advance(milliseconds: 59_999)
        _ = fail()
        #expect(world.events() == [])
        world.advance(milliseconds: 1)
        _ = fail()
        #expect(world.events().count == 1)
    }

    @Test func everyKindAndAddressHasItsNotice() {
        for index in 0..<3 {
            let id = world.open(from: "10.0.0.1")
            world.ask(id, host: "evil\(index)")
            let other = world.open(from: "10.0.0.1")
            world.ask(other, fields: ["Origin: https://evil\(index)"])
        }
        _ = fail(from: "10.0.0.2")
        #expect(
            world.events() == [
                .refused(
                    address: "10.0.0.1", reason: #"the name "evil0" in Host is not allowed; --server-name allows it"#),
                .refused(
                    address: "10.0.0.1",
                    reason: #"the origin "https://evil0" is not allowed; --allow-origin allows it"#),
                .refused(address: "10.0.0.2", reason: "the token is not in the token file"),
            ])
        #expect(world.server.limitCounts == [.refusedHosts: 3, .refusedOrigins: 3, .refusedLogins: 1])
    }

    @Test func noticesAreNoMoreThanTheyMayBe() {
        for index in 0..<100 { _ = fail(from: "10.0.0.\(index)") }
        #expect(world.events().count == 64)
    }

    @Test func noNoticeShowsATokenOrAQuery() {
        let id = world.open()
        world.ask(id, target: "/secret?token=secret", fields: ["Authorization: Bearer secret"])
        let other = world.open()
        world.ask(other, target: "/secret?token=secret", host: "evil")
        #expect(world.events().count == 2)
        #expect(!"\(world.events())".contains("secret"))
    }

    // MARK: Policies that change

    @Test func aNewListAppliesToNewClientsOnly() throws {
        let id = connect(Secrets.operator)
        _ = world.messages(id)
        world.server.access.tokens = try TokenList(
            parsing: Array("viewer:new:\(Secrets.hexDigest("new"))".utf8))
        world.wait(milliseconds: 200)
        #expect(world.drain(id) == .idle)
        #expect(world.server.role(of: id) == .operator)
        #expect(world.answer(connect("new"))?.status == 101)
        let late = connect(Secrets.operator)
        world.wait(milliseconds: 200)
        world.drain(late)
        #expect(world.answer(late)?.status == 401)
    }

    @Test func theOwnerIsAskedBeforeEachDecision() throws {
        var times: [Instant] = []
        let server = world.server
        server.willDecide = { [unowned server] now in
            times.append(now)
            server.access.tokens = TokenList()
        }
        let id = connect("whatever")
        #expect(world.answer(id)?.status == 101)
        #expect(times == [world.now])
    }

    @Test func refusalsOfTheHandshakeComeFirst() {
        let id = world.open()
        world.ask(id, subprotocol: "unknown")
        #expect(world.answer(id)?.status == 400)
        #expect(world.server.limitCounts.isEmpty)
    }

    @Test func aWarningGreetsEveryClient() {
        world.server.access.greetingWarning = "Anybody may connect"
        let id = connect(Secrets.viewer)
        #expect(world.texts(id).last == status(1, "Anybody may connect"))
        world.server.access.greetingWarning = nil
        #expect(world.texts(connect(Secrets.viewer)).count == 2)
    }

    // MARK: Roles

    private let advertisement =
        #"{"op":"advertise","channels":[{"id":7,"topic":"/config","encoding":"json","schemaName":"x"}]}"#
    private let patch: [UInt8] = [1, 7, 0, 0, 0, 0x7B, 0x7D]

    @Test func aViewerChangesNothingAndIsToldWhy() {
        let (viewer, op) = (connect(Secrets.viewer), connect(Secrets.operator))
        let greeting = world.texts(viewer)
        #expect(greeting == world.texts(op), "a role changes no capability")
        _ = world.events()
        for id in [viewer, op] {
            world.send(text: advertisement, from: id)
            world.send(.binary, patch, from: id)
            world.drain(id)
        }
        #expect(
            world.texts(viewer) == [
                status(2, "Only operators may change the configuration; this connection is a viewer")
            ])
        #expect(world.texts(op) == [])
        #expect(world.events() == [.published(op, topic: "/config", encoding: "json", payload: [0x7B, 0x7D])])
    }

    @Test func aReadOnlyServerLacksTheCapability() {
        let early = connect(Secrets.operator)
        world.send(text: advertisement, from: early)
        world.drain(early)
        _ = world.messages(early)
        world.server.access.isReadOnly = true
        let id = connect(Secrets.operator)
        #expect(world.texts(id).first?.contains(#""capabilities":[]"#) == true)
        #expect([early, id].allSatisfy { world.server.role(of: $0) == .viewer })
        _ = world.events()
        for client in [early, id] {
            world.send(text: advertisement, from: client)
            world.send(.binary, patch, from: client)
            world.send(text: #"{"op":"unadvertise","channelIds":[7]}"#, from: client)
            world.drain(client)
            let text = status(2, "Server does not support clientPublish capability")
            #expect(world.texts(client) == [text, text, text])
        }
        #expect(world.events() == [])
    }

    @Test func whoIsNoClientIsAViewer() {
        #expect(world.server.role(of: ConnectionID(index: 99)) == .viewer)
        #expect(world.server.role(of: fail()) == .viewer)
        #expect(world.server.name(of: ConnectionID(index: 99)) == "")
    }

    @Test func aCertificateMakesAnOperator() {
        let id = world.open()
        world.server.secured(id, peerNames: ["robot.example"])
        world.ask(id)
        #expect(world.answer(id)?.status == 101)
        #expect(world.server.role(of: id) == .operator && world.server.name(of: id) == "robot")
    }
}
