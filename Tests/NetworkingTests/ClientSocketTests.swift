import Foundation
import Networking
import Testing

/// A client's socket against the loop, on real sockets; what stands behind the loop echoes.
@Suite(.serialized) struct ClientSocketTests {
    /// Polls until `isDone`, or the server closes the connection, which returns false.
    private func run(_ socket: ClientSocket, until isDone: (inout [UInt8]) -> Bool) throws -> Bool {
        var received: [UInt8] = []
        for _ in 0..<10_000 {
            var request = pollfd(fd: socket.descriptor, events: socket.interest, revents: 0)
            try #require(unsafe poll(&request, 1, 10_000) > 0, "nothing happened in 10 s")
            let isOpen = try socket.proceed { bytes in
                for index in bytes.indices { received.append(bytes[index]) }
            }
            if isDone(&received) { return true }
            if !isOpen { return false }
        }
        Issue.record("there is no end to it")
        return false
    }

    private func echo(_ socket: ClientSocket, _ bytes: [UInt8]) throws {
        try socket.send(bytes)
        #expect(try run(socket) { $0.count >= bytes.count && $0 == bytes })
    }

    /// What keeps the socket from being used.
    private func fault(_ host: String, _ port: UInt16, _ tls: TLSClientContext? = nil) throws -> SystemError? {
        do {
            let socket = try ClientSocket(host: host, port: port, tls: tls)
            try socket.send([1])
            _ = try run(socket) { !$0.isEmpty }
            return nil
        } catch let error as SystemError { return error }
    }

    private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 131) } }

    @Test(arguments: ["127.0.0.1", "localhost"], [1, 70_000, 1_000_000])
    func bytesComeBackInOrder(host: String, count: Int) throws {
        let server = try EchoServer(host: host == "localhost" ? host : "127.0.0.1")
        defer { server.stop() }
        try echo(try ClientSocket(host: host, port: server.port), bytes(count))
    }

    @Test func aServerWhoseCertificateIsSignedIsTrusted() throws {
        let directory = try CertificateDirectory()
        try directory.replace(by: Certificate(serial: 5, names: "DNS:localhost,IP:127.0.0.1", by: directory.authority))
        let server = try EchoServer(host: "localhost", tls: directory.files)
        defer { server.stop() }
        let tls = try TLSClientContext(authorities: directory.path + "/authority.pem")
        try echo(try ClientSocket(host: "localhost", port: server.port, tls: tls), bytes(300_000))
        try echo(try ClientSocket(host: "127.0.0.1", port: server.port, tls: tls), bytes(10))
    }

    @Test func aServerThatCannotBeTrustedIsNot() throws {
        let directory = try CertificateDirectory()
        func fault(_ names: String, _ authorities: String?) throws -> String? {
            try directory.replace(by: Certificate(serial: 5, names: names, by: directory.authority))
            let server = try EchoServer(tls: directory.files)
            defer { server.stop() }
            return try self.fault("127.0.0.1", server.port, try TLSClientContext(authorities: authorities))?.reason
        }
        try Certificate(serial: 9).write(to: directory.path + "/other.pem")
        #expect(try fault("DNS:elsewhere", directory.path + "/authority.pem")?.contains("mismatch") == true)
        for authorities in [directory.path + "/other.pem", nil] {
            #expect(try fault("IP:127.0.0.1", authorities)?.contains("certificate") == true)
        }
    }

    @Test func aPlainServerIsNoneForTLS() throws {
        let server = try EchoServer(greeting: "hello, this is no TLS")
        defer { server.stop() }
        let fault = try fault("127.0.0.1", server.port, try TLSClientContext(authorities: nil))
        #expect(fault?.action == "speak TLS with 127.0.0.1:\(server.port)")
    }

    @Test func authoritiesThatCannotBeReadAreNamed() throws {
        #expect(throws: TLSError.self) { try TLSClientContext(authorities: "/nowhere.pem") }
        #expect(throws: TLSError.self) { try TLSClientContext(authorities: "/proc/version") }
    }

    @Test func whereNobodyListensTheConnectionIsRefused() throws {
        let server = try EchoServer()
        server.stop()
        let fault = try fault("127.0.0.1", server.port)
        #expect(fault?.code == ECONNREFUSED && fault?.action == "connect to 127.0.0.1:\(server.port)")
        #expect(try self.fault("no such host.invalid", 1)?.action == "resolve no such host.invalid")
    }

    @Test func theEndIsTold() throws {
        let server = try EchoServer()
        defer { server.stop() }
        let socket = try ClientSocket(host: "127.0.0.1", port: server.port)
        try socket.send(Array("drop".utf8))
        #expect(try !run(socket) { _ in false })
    }

    @Test func anAdoptedSocketIsServedLikeAnyOther() throws {
        let server = try EchoServer(adopts: true)
        defer { server.stop() }
        let descriptor = try #require(server.adopted)
        try echo(try ClientSocket(adopting: descriptor), bytes(100_000))
        #expect(server.handler.addresses == ["a pair"])
    }

    /// The socket's own buffer comes on top of the bound.
    @Test func aServerThatDoesNotReadIsGivenUp() throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { close(ends[1]) }
        let socket = try ClientSocket(adopting: ends[0])
        while true {
            let before = socket.interest
            try socket.send(bytes(1_000))
            if before != socket.interest { break }
        }
        // Some of the last thousand bytes wait already.
        try socket.send(bytes(ClientSocket.unsentByteCountMax - 1_000))
        #expect(throws: SystemError.self) { try socket.send(bytes(1_001)) }
    }
}
