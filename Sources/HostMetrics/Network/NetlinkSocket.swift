internal import Glibc

/// A non-blocking netlink socket and its buffer; NETLINK_ROUTE unless another protocol is asked for.
///
/// Belongs to the network namespace of whoever opened it.
struct NetlinkSocket: NetlinkTransport, ~Copyable {
    /// Readable when a message is there.
    let descriptor: Int32
    private var buffer: [UInt8]
    private var count = 0

    private static let family: Int32 = 16  // AF_NETLINK
    static let route: Int32 = 0  // NETLINK_ROUTE
    /// The kernel makes no larger piece of a dump than 32 KiB.
    static let dumpByteCount = 65_536
    private static let receiveByteCount: Int32 = 1 << 20

    /// Joins the multicast groups `groups`, if any.
    init(
        groups: UInt32, protocolNumber: Int32 = route, byteCapacity: Int = dumpByteCount
    ) throws(CollectError) {
        descriptor = try Self.open(groups: groups, protocolNumber)
        buffer = Array(repeating: 0, count: byteCapacity)
    }

    private static func open(groups: UInt32, _ protocolNumber: Int32) throws(CollectError) -> Int32 {
        let type = Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, type, protocolNumber)
        guard descriptor >= 0 else { throw .open(errno: errno) }
        var size = receiveByteCount
        // Less than asked for will do as well.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        // struct sockaddr_nl: family, padding, port (the kernel chooses), groups.
        var address: (UInt16, UInt16, UInt32, UInt32) = (UInt16(family), 0, 0, groups)
        let length = socklen_t(MemoryLayout.size(ofValue: address))
        let isBound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0
            }
        }
        guard isBound else {
            let error = errno
            _ = close(descriptor)
            throw .open(errno: error)
        }
        return descriptor
    }

    deinit { _ = close(descriptor) }

    var datagram: Span<UInt8> {
        @_lifetime(borrow self) get { buffer.span.extracting(first: count) }
    }

    func send(_ request: [UInt8]) -> Int32 {
        while true {
            let sent = unsafe request.withUnsafeBytes { bytes in
                unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, 0)
            }
            if sent >= 0 { return 0 }
            if errno != EINTR { return errno }
        }
    }

    mutating func receive() -> NetlinkReception {
        count = 0
        while true {
            let received = unsafe buffer.withUnsafeMutableBytes { bytes in
                // MSG_TRUNC: the length as it was sent, so that a cut message is noticed.
                unsafe recv(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_TRUNC))
            }
            if received < 0 {
                switch errno {
                case EINTR: continue
                case EAGAIN: return .nothing
                case ENOBUFS: return .lost
                default: return .failed(errno: errno)
                }
            }
            guard received <= buffer.count else {
                buffer.append(contentsOf: repeatElement(0, count: received))
                return .lost
            }
            count = received
            return .datagram
        }
    }
}
