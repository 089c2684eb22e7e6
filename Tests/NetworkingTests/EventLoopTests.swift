import Foundation
import Networking
import Telemetry
import Testing
import WebSocketProtocol

/// The loop on real sockets; what stands behind them echoes.
@Suite(.serialized) struct EventLoopTests {
    @Test func bytesComeBackInOrderHoweverMany() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let client = try Client(port: server.port)
        let sent = (0..<12_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 24) }
        client.send(sent)
        #expect(client.receive(sent.count) == sent)
        #expect(server.handler.unblockedCount > 0, "a socket buffer holds less than that, so it was full in between")
    }

    @Test func oneClientThatDoesNotReadDoesNotStopAnother() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let (deaf, client) = (try Client(port: server.port), try Client(port: server.port))
        deaf.send(Array(repeating: 7, count: 6_000_000), mayFill: true)
        client.send(Array("hello".utf8))
        #expect(client.receive(5) == Array("hello".utf8))
    }

    @Test func manyClientsAtOnceAreAllServed() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let clients = try (0..<200).map { _ in try Client(port: server.port) }
        for (index, client) in clients.enumerated() { client.send([UInt8(index)]) }
        for (index, client) in clients.enumerated() { #expect(client.receive(1) == [UInt8(index)]) }
    }

    @Test func aCrowdIsTakenInParts() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let first = try Client(port: server.port)
        first.send(Array("pause".utf8))
        let clients = try (0..<200).map { _ in try Client(port: server.port) }
        for client in clients + [first] {
            client.send([1])
            #expect(!client.receive(1).isEmpty)
        }
        #expect(server.handler.opened.total == 201)
        #expect(server.handler.opened.most == 64, "the loop paused meanwhile, and then took as many as it may")
    }

    @Test func aFinishedConnectionSendsItsLastBytesThenEnds() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send(Array("finish".utf8))
        #expect(client.receiveToEnd() == Array("finish".utf8))
        client.close()
        server.wait { $0.closedCount == 1 }
    }

    @Test func aDroppedConnectionEndsAtOnce() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send(Array("drop".utf8))
        #expect(client.receiveToEnd().isEmpty)
        #expect(server.handler.closedCount == 1)
    }

    @Test func thePlaceOfAClosedConnectionIsUsedAgain() throws {
        let server = try EchoServer()
        defer { server.stop() }
        for round in 1...3 {
            let client = try Client(port: server.port)
            client.send([UInt8(round)])
            #expect(client.receive(1) == [UInt8(round)])
            client.close()
            server.wait { $0.closedCount == round }
            #expect(server.handler.closedCount == round)
        }
    }

    /// The bytes and the end may be announced by one event, which does not come again.
    @Test func theEndIsSeenThatComesWithTheLastBytes() throws {
        let server = try EchoServer()
        defer { server.stop() }
        for round in 1...20 {
            let client = try Client(port: server.port)
            client.cork()
            client.send(Array("last words".utf8))
            client.close()
            server.wait { $0.closedCount == round }
            #expect(server.handler.closedCount == round)
        }
    }

    @Test func theAddressIsTheClientsWithoutItsPort() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send([0])
        _ = client.receive(1)
        #expect(server.handler.addresses == ["127.0.0.1"])
    }

    @Test func ticksComeAtTheirDeadlines() throws {
        let server = try EchoServer(ticks: [1, 3, 3, 10])
        defer { server.stop() }
        server.wait { $0.tickLateness.count == 4 }
        #expect(server.handler.tickLateness.allSatisfy { $0 >= 0 }, "never early")
    }

    @Test func choresAreDoneEverySoOften() throws {
        let loop = try EventLoop(clock: monotonic, signals: [])
        var times: [Instant] = []
        let begin = monotonic()
        loop.every(.milliseconds(5)) { [unowned loop] now in
            times.append(now)
            if times.count == 3 { loop.stop(by: now) }
        }
        loop.every(.seconds(3_600)) { _ in Issue.record("too soon") }
        try loop.run(EchoHandler(greeting: "", ticks: []), onSignal: { _ in }, report: { _ in })
        #expect(times.count == 3)
        for (earlier, later) in zip([begin] + times, times) { #expect(later.seconds(since: earlier) >= 0.005) }
    }

    @Test func signalsAreEvents() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send(Array("signal".utf8))
        _ = client.receive(6)
        server.wait { $0.signals == [SIGUSR1] }
    }

    @Test func aBusyPortIsNamed() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let loop = try EventLoop(clock: monotonic, signals: [])
        #expect {
            _ = try loop.listen(host: "127.0.0.1", port: server.port)
        } throws: { error in
            guard let error = error as? SystemError else { return false }
            return error.isAddressInUse && error.action == "listen on 127.0.0.1 port \(server.port)"
        }
    }

    @Test func anUnknownHostIsNamed() throws {
        let loop = try EventLoop(clock: monotonic, signals: [])
        #expect {
            _ = try loop.listen(host: "no.such.host.invalid", port: 0)
        } throws: { error in
            (error as? SystemError)?.action == "resolve no.such.host.invalid"
        }
    }

    @Test func everyAddressOfANameSharesThePort() throws {
        let server = try EchoServer(host: "localhost")
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send([9])
        #expect(client.receive(1) == [9])
    }

    @Test func stoppingEndsWithTheLastConnectionOrAtTheDeadline() throws {
        let server = try EchoServer()
        let client = try Client(port: server.port)
        client.send([1])
        _ = client.receive(1)
        let begin = monotonic()
        server.stop()
        // The client stays open, so only the deadline ends it.
        #expect(monotonic().seconds(since: begin) >= 0.1)
        #expect(throws: (any Error).self) { try Client(port: server.port) }
    }
}

func monotonic() -> Instant {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
}
