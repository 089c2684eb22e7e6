import Foundation
import Networking
import Telemetry
import Testing

@Suite struct PassedSocketTests {
    @Test func aListeningSocketIsTakenOver() throws {
        let descriptor = try boundSocket("127.0.0.1")
        #expect(listen(descriptor, 5) == 0)
        let passed = try PassedSocket(descriptor: descriptor)
        #expect(passed.host == "127.0.0.1")
        let client = try Client(port: passed.port)
        client.send([7])

        let loop = try EventLoop(clock: monotonic, signals: [])
        let handler = EchoHandler(greeting: "", ticks: [])
        try loop.listen(on: passed)
        // By then the byte has come back.
        loop.every(.milliseconds(50)) { [unowned loop] now in
            if handler.opened.total == 1 { loop.stop(by: now) }
        }
        try loop.run(handler, onSignal: { _ in }, report: { _ in })
        #expect(client.receive(1) == [7])
        #expect(handler.addresses == ["127.0.0.1"])
    }

    @Test(arguments: [("::1", "::1"), ("::", "::"), ("127.0.0.2", "127.0.0.2")])
    func theAddressIsTheBoundOne(host: String, expected: String) throws {
        let descriptor = try boundSocket(host)
        defer { close(descriptor) }
        listen(descriptor, 5)
        let passed = try PassedSocket(descriptor: descriptor)
        #expect(passed.host == expected && passed.port > 0)
    }

    @Test func whatIsNoListeningTCPSocketIsRefused() throws {
        let bound = try boundSocket("127.0.0.1")
        let datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        let local = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let file = unsafe open("/dev/null", O_RDONLY)
        defer { for descriptor in [bound, datagrams, local, file] { close(descriptor) } }
        for descriptor in [bound, datagrams, local] {
            #expect {
                _ = try PassedSocket(descriptor: descriptor)
            } throws: { error in
                guard let error = error as? SystemError else { return false }
                return error.action == "use descriptor \(descriptor) of LISTEN_FDS"
                    && error.reason.contains("no listening TCP socket")
            }
        }
        for descriptor in [file, Int32.max] {
            #expect(throws: SystemError.self) { try PassedSocket(descriptor: descriptor) }
        }
    }

    /// A TCP socket on a free port of `host`.
    private func boundSocket(_ host: String) throws -> Int32 {
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        try #require(unsafe getaddrinfo(host, "0", &hints, &found) == 0)
        defer { unsafe freeaddrinfo(found) }
        let info = unsafe try #require(found).pointee
        let descriptor = unsafe socket(info.ai_family, info.ai_socktype, 0)
        try #require(unsafe bind(descriptor, info.ai_addr, info.ai_addrlen) == 0)
        return descriptor
    }
}
