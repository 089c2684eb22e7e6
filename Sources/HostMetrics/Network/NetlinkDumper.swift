/// What carries netlink messages: a socket, or in tests a script of what a kernel would say.
package protocol NetlinkTransport: ~Copyable {
    /// The errno, or 0.
    mutating func send(_ request: [UInt8]) -> Int32
    mutating func receive() -> NetlinkReception
    /// What was received last.
    var datagram: Span<UInt8> { @_lifetime(borrow self) get }
}

package enum NetlinkReception: Equatable, Sendable {
    case datagram
    /// Nothing is there, now.
    case nothing
    /// The kernel had to drop messages (ENOBUFS), or one was longer than the buffer.
    case lost
    case failed(errno: Int32)
}

/// Asks for dumps, whose answers come in many messages and several datagrams.
struct NetlinkDumper<Transport: NetlinkTransport & ~Copyable>: ~Copyable {
    private var transport: Transport
    private var sequence: UInt32 = 0

    /// A dump that the kernel interrupts is made again this often, and then taken as it is.
    static var attemptCountMax: Int { 4 }

    init(_ transport: consuming Transport) { self.transport = transport }

    /// Dumps until it is done without interruption; `begin` is called before each attempt, and `body` with each message
    /// of its answer. Returns false if none was complete, and `body` knows only a part.
    mutating func readAll(
        _ request: inout [UInt8], begin: () -> Void, _ body: (Netlink.Header, Span<UInt8>) -> Void
    ) throws(CollectError) -> Bool {
        for _ in 1...Self.attemptCountMax {
            begin()
            if try attempt(&request, body) { return true }
        }
        return false
    }

    /// Dumps once; returns whether the answer is complete.
    @inline(__always)
    mutating func attempt(
        _ request: inout [UInt8], _ body: (Netlink.Header, Span<UInt8>) -> Void
    ) throws(CollectError) -> Bool {
        sequence &+= 1
        Netlink.setSequence(sequence, in: &request)
        let failure = transport.send(request)
        guard failure == 0 else { throw .read(errno: failure) }
        var isComplete = true
        for _ in 1...Limits.dumpDatagramCountMax {
            switch transport.receive() {
            case .datagram: break
            // The dump goes on, and no other can begin before its end (EBUSY).
            case .lost:
                isComplete = false
                continue
            // The kernel answers while it is asked: nothing means that nothing will come.
            case .nothing:
                guard isComplete else { return false }
                throw .nothingUsable
            case .failed(let errno): throw .read(errno: errno)
            }
            var end: Int32?
            let sequence = sequence
            Netlink.forEachMessage(in: transport.datagram) { header, payload in
                // Left over from a dump that was given up.
                guard header.sequence == sequence else { return true }
                if header.flags & Netlink.Flag.dumpInterrupted != 0 { isComplete = false }
                guard header.type != Netlink.MessageType.done, header.type != Netlink.MessageType.error else {
                    end = Netlink.errno(in: payload)
                    return false
                }
                body(header, payload)
                return true
            }
            guard let end else { continue }
            guard end == 0 else { throw .read(errno: end) }
            return isComplete
        }
        return false
    }
}
