import COpenSSL
import Foundation
import Networking
import Testing

/// The loop on real sockets that speak TLS; what stands behind them echoes.
@Suite(.serialized) struct TLSTests {
    private let directory: CertificateDirectory
    /// One whose files ask clients for certificates.
    private let asking: CertificateDirectory

    init() throws {
        directory = try CertificateDirectory()
        asking = try CertificateDirectory(asksClients: true)
    }

    // MARK: Bytes

    @Test(arguments: [1, 16_384, 65_536, 65_537, 1_000_000])
    func bytesComeBackInOrder(count: Int) throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let client = try TLSClient(port: server.port)
        let sent = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 24) }
        client.send(sent)
        #expect(client.receive(count) == sent)
        #expect(server.handler.peerNames == [[]])
    }

    @Test func aSlowReaderGetsEverything() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let client = try TLSClient(port: server.port)
        let sent = (0..<12_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 24) }
        client.send(sent)
        server.wait { $0.blockedCount > 0 }
        #expect(client.receive(sent.count) == sent)
        #expect(server.handler.unblockedCount > 0, "a socket buffer holds less than that, so it was full in between")
    }

    @Test func oneClientThatDoesNotReadDoesNotStopAnother() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let (deaf, client) = (try TLSClient(port: server.port), try TLSClient(port: server.port))
        deaf.send(Array(repeating: 7, count: 6_000_000))
        client.send(Array("hello".utf8))
        #expect(client.receive(5) == Array("hello".utf8))
    }

    @Test func manySmallMessagesComeBack() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let client = try TLSClient(port: server.port)
        for round in 0..<2_000 {
            client.send([UInt8(truncatingIfNeeded: round)])
            #expect(client.receive(1) == [UInt8(truncatingIfNeeded: round)])
        }
    }

    /// It is offered when no key is agreed on yet.
    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func aGreetingFollowsTheHandshake(version: Int32) throws {
        let server = try EchoServer(greeting: "welcome", tls: directory.files)
        defer { server.stop() }
        let client = try TLSClient(port: server.port, version: version)
        #expect(client.receive(7) == Array("welcome".utf8))
    }

    // MARK: The end

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func aFinishedConnectionSendsItsLastBytesThenEndsCleanly(version: Int32) throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let client = try TLSClient(port: server.port, version: version)
        client.send(Array("finish".utf8))
        let (bytes, end) = client.receiveToEnd()
        #expect(bytes == Array("finish".utf8))
        #expect(end == .clean)
        client.close()
        server.wait { $0.closedCount == 1 }
        #expect(server.handler.closedCount == 1)
    }

    @Test func theCleanEndWaitsForBytesThatTheSocketDidNotTake() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let client = try TLSClient(port: server.port)
        let sent = Array(repeating: UInt8(7), count: 12_000_000) + Array("finish".utf8)
        client.send(sent)
        server.wait { $0.blockedCount > 0 }
        let (bytes, end) = client.receiveToEnd()
        #expect(bytes == sent)
        #expect(end == .clean)
        #expect(server.handler.unblockedCount > 0)
    }

    @Test func aDroppedConnectionEndsAtOnce() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let client = try TLSClient(port: server.port)
        client.send(Array("drop".utf8))
        let (bytes, end) = client.receiveToEnd()
        #expect(bytes.isEmpty)
        #expect(end == .cut)
        #expect(server.handler.closedCount == 1)
    }

    @Test func aClientThatEndsItsSideIsAnsweredAndClosed() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let client = try TLSClient(port: server.port)
        client.send(Array("last words".utf8))
        client.shutDown()
        let (bytes, end) = client.receiveToEnd()
        #expect(bytes == Array("last words".utf8))
        #expect(end == .clean)
        server.wait { $0.closedCount == 1 }
        #expect(server.handler.closedCount == 1)
    }

    // MARK: Versions and sessions

    @Test func oldVersionsAreRefused() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        #expect {
            _ = try TLSClient(port: server.port, version: TLS1_1_VERSION)
        } throws: { error in
            (error as? TLSClient.Refusal)?.reason == "tlsv1 alert protocol version"
        }
        #expect(server.handler.peerNames.isEmpty)
    }

    @Test(arguments: [nil, TLS1_2_VERSION, TLS1_3_VERSION])
    func newVersionsAreAccepted(version: Int32?) throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let client = try TLSClient(port: server.port, version: version)
        #expect(client.version == version ?? TLS1_3_VERSION)
        client.send([1])
        #expect(client.receive(1) == [1])
    }

    @Test func keysAreRenewedButHandshakesAreNot() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let modern = try TLSClient(port: server.port, version: TLS1_3_VERSION)
        for round in 0..<3 as Range<UInt8> {
            #expect(modern.renew())
            modern.send([round])
            #expect(modern.receive(1) == [round])
        }
        #expect(try !TLSClient(port: server.port, version: TLS1_2_VERSION).renew())
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func aSessionIsResumedWithItsNames(version: Int32) throws {
        let server = try EchoServer(tls: asking.files)
        defer { server.stop() }
        let certificate = try Certificate(serial: 7, names: "DNS:viewer", by: asking.authority)
        let first = try TLSClient(port: server.port, version: version, certificate: certificate)
        first.send([1])
        #expect(first.receive(1) == [1])
        // A client that does not say goodbye may not come back.
        first.shutDown()
        let second = try TLSClient(port: server.port, version: version, session: first.session)
        #expect(!first.isResumed && second.isResumed)
        second.send([2])
        #expect(second.receive(1) == [2])
        #expect(server.handler.peerNames == [["viewer"], ["viewer"]])
    }

    // MARK: Certificates of clients

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func aClientIsKnownByItsCertificate(version: Int32) throws {
        let server = try EchoServer(tls: asking.files)
        defer { server.stop() }
        let names = "DNS:viewer.example,email:ops@example.org,URI:spiffe://example/agent,IP:127.0.0.1"
        let certificate = try Certificate(serial: 7, names: names, by: asking.authority)
        let client = try TLSClient(port: server.port, version: version, certificate: certificate)
        client.send([1])
        #expect(client.receive(1) == [1])
        #expect(server.handler.peerNames == [["viewer.example", "ops@example.org", "spiffe://example/agent"]])
    }

    @Test func aClientNeedsNoCertificate() throws {
        let server = try EchoServer(tls: asking.files)
        defer { server.stop() }
        let nameless = try Certificate(serial: 7, by: asking.authority)
        for certificate in [nil, nameless] {
            let client = try TLSClient(port: server.port, certificate: certificate)
            client.send([1])
            #expect(client.receive(1) == [1])
        }
        #expect(server.handler.peerNames == [[], []])
    }

    @Test func aCertificateOfAnotherAuthorityIsRefused() throws {
        let server = try EchoServer(tls: asking.files)
        defer { server.stop() }
        let certificate = try Certificate(serial: 7, names: "DNS:viewer", by: Certificate(serial: 2_000))
        #expect(throws: TLSClient.Refusal(reason: "tlsv1 alert unknown ca")) {
            try TLSClient(port: server.port, version: TLS1_2_VERSION, certificate: certificate)
        }
        // With TLS 1.3 the client is done before the server has seen its certificate.
        let client = try TLSClient(port: server.port, version: TLS1_3_VERSION, certificate: certificate)
        client.send([1])
        let (bytes, end) = client.receiveToEnd()
        #expect(bytes.isEmpty)
        #expect(end == .alert("tlsv1 alert unknown ca"))
        #expect(server.handler.peerNames.isEmpty)
    }

    /// Flights of the handshake that do not fit in what a session keeps of its memory.
    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func longCertificatesPassBothWays(version: Int32) throws {
        let names = (0..<600).map { "host-\($0).example" }
        let text = names.map { "DNS:" + $0 }.joined(separator: ",")
        try asking.replace(by: Certificate(serial: 5, names: text, by: asking.authority))
        let server = try EchoServer(tls: asking.files)
        defer { server.stop() }
        let certificate = try Certificate(serial: 7, names: text, by: asking.authority)
        let client = try TLSClient(port: server.port, version: version, certificate: certificate)
        client.send([1])
        #expect(client.receive(1) == [1])
        #expect(server.handler.peerNames == [names])
    }

    @Test func aServerThatDoesNotAskKnowsNobody() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let certificate = try Certificate(serial: 7, names: "DNS:viewer", by: directory.authority)
        let client = try TLSClient(port: server.port, certificate: certificate)
        client.send([1])
        #expect(client.receive(1) == [1])
        #expect(server.handler.peerNames == [[]])
    }

    // MARK: What is no TLS

    /// The whole request is read: a socket that is closed before that may take its answer back.
    @Test(arguments: [0, 12_000_000])
    func plainHTTPIsToldWhereItIs(bodyByteCount: Int) throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send(Array("POST / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        #expect(client.send(Array(repeating: 7, count: bodyByteCount)) == bodyByteCount)
        let answer = String(decoding: client.receiveToEnd(), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(answer.contains("\r\nConnection: close\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nThis port speaks TLS: use wss:// or https://.\r\n"))
        client.close()
        server.wait { $0.closedCount == 1 }
        #expect(server.handler.closedCount == 1)
    }

    @Test(
        arguments: [
            [0], [0x16], [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03, 0x42], [0x80, 0x2E, 0x01],
        ] as [[UInt8]])
    func aHandshakeThatStopsHoldsNobodyUp(start: [UInt8]) throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let half = try Client(port: server.port)
        half.send(start)
        let client = try TLSClient(port: server.port)
        client.send([1])
        #expect(client.receive(1) == [1])
        #expect(server.handler.closedCount == 0)
        half.close()
        server.wait { $0.closedCount == 1 }
        #expect(server.handler.closedCount == 1)
    }

    @Test func aGreetingMayComeByteByByte() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let client = try Client(port: server.port)
        let hello = try TLSClient.greeting()
        for byte in hello.dropLast() {
            client.send([byte])
            usleep(100)
        }
        #expect(server.handler.sessions.total == 0)
        client.send([hello[hello.count - 1]])
        #expect(client.receive(1) == [22], "a handshake record answers")
        #expect(server.handler.sessions.total == 1)
    }

    @Test func handshakesThatComeAtOnceTakeTurns() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let first = try TLSClient(port: server.port)
        let clients = try (0..<50).map { _ in try Client(port: server.port) }
        server.wait { $0.opened.total == 51 }
        let hello = try TLSClient.greeting()
        first.send(Array("pause".utf8))
        usleep(50_000)
        for client in clients { client.send(hello) }
        for client in clients { #expect(client.receive(1) == [22]) }
        #expect(server.handler.sessions.total == 51)
        #expect(server.handler.sessions.most == 8, "the loop paused meanwhile, and then went as far as it may")
        #expect(first.receive(5) == Array("pause".utf8))
    }

    @Test(arguments: [0x00, 0x15, 0x16, 0x17, 0x80, 0xFF] as [UInt8])
    func garbageEndsTheConnection(first: UInt8) throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let client = try Client(port: server.port)
        client.send([first] + randomBytes(100_000))
        #expect(client.receiveToEnd().count < 100)
        client.close()
        server.wait { $0.closedCount == 1 }
        #expect(server.handler.closedCount == 1)
        #expect(server.handler.peerNames.isEmpty)
    }

    // MARK: New certificates

    @Test func aNewPairIsForNewConnections() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let old = try TLSClient(port: server.port)
        #expect(old.serial == 1)
        try directory.replace(by: Certificate(serial: 2))
        usleep(1_100_000)
        let new = try TLSClient(port: server.port)
        #expect(new.serial == 2)
        for client in [old, new] {
            client.send([1])
            #expect(client.receive(1) == [1])
        }
        #expect(server.handler.reports == [.certificateReloaded])
    }

    @Test func aBrokenPairLeavesTheOldOne() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        try Certificate(serial: 2).write(to: directory.files.certificate)
        #expect(try TLSClient(port: server.port).serial == 1)
        usleep(1_100_000)
        #expect(try TLSClient(port: server.port).serial == 1)
        let files = directory.files
        let reason =
            "key \(files.key) does not belong to certificate \(files.certificate); give the two files of one pair"
        #expect(server.handler.reports == [.certificateRejected(reason: reason)], "once")
        // The other half of the pair arrives.
        try directory.replace(by: Certificate(serial: 3))
        usleep(1_100_000)
        #expect(try TLSClient(port: server.port).serial == 3)
        #expect(server.handler.reports.last == .certificateReloaded)
    }

    @Test(.timeLimit(.minutes(1))) func aPipeInPlaceOfAKeyHoldsNobodyUp() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let client = try TLSClient(port: server.port)
        try FileManager.default.removeItem(atPath: directory.files.key)
        try #require(unsafe mkfifo(directory.files.key, 0o600) == 0)
        usleep(1_100_000)
        #expect(try TLSClient(port: server.port).serial == 1)
        client.send([1])
        #expect(client.receive(1) == [1])
        let reason = "cannot read key \(directory.files.key): not a regular file"
        #expect(server.handler.reports == [.certificateRejected(reason: reason)])
    }

    @Test func aKeyThatIsClosedAfterAllIsTaken() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let certificate = try Certificate(serial: 2)
        try certificate.write(to: directory.files.certificate)
        try certificate.writeKey(to: directory.files.key, mode: 0o644)
        #expect(try TLSClient(port: server.port).serial == 1)
        unsafe chmod(directory.files.key, 0o600)
        usleep(1_100_000)
        #expect(try TLSClient(port: server.port).serial == 2)
    }

    @Test func filesAreReadWhenAskedFor() throws {
        let server = try EchoServer(tls: directory.files)
        defer { server.stop() }
        let client = try TLSClient(port: server.port)
        try directory.replace(by: Certificate(serial: 2))
        client.send(Array("signal".utf8))
        #expect(client.receive(6) == Array("signal".utf8))
        server.wait { !$0.reports.isEmpty }
        #expect(server.handler.reports == [.certificateReloaded])
        #expect(try TLSClient(port: server.port).serial == 2)
    }
}
