import HostMetrics

/// What a kernel says by netlink, written down.
final class ScriptedKernel {
    enum Piece {
        case datagram([UInt8])
        /// ENOBUFS.
        case lost
        case failed(Int32)
    }

    /// Builds an answer for the sequence number of its request.
    typealias Answer = (UInt32) -> [Piece]

    /// By type of the request, in order; the last one is given again and again.
    var answers: [UInt16: [Answer]] = [:]
    /// What is there without being asked for.
    var pending: [Piece] {
        get { Array(pieces.reversed()) }
        set { pieces = newValue.reversed() }
    }
    /// The last comes first.
    private var pieces: [Piece] = []
    /// How often each type was asked for.
    private(set) var requestCounts: [UInt16: Int] = [:]
    /// What `send` returns.
    var sendErrno: Int32 = 0

    func receive() -> Piece? { pieces.popLast() }

    func take(_ request: [UInt8]) -> Int32 {
        guard sendErrno == 0 else { return sendErrno }
        let type = UInt16(request[4]) | UInt16(request[5]) << 8
        let sequence = (0..<4).reduce(0) { $0 | UInt32(request[8 + $1]) << (8 * $1) }
        requestCounts[type, default: 0] += 1
        // As the kernel does: no dump while another has not come to its end.
        guard pieces.isEmpty else {
            pieces.insert(.datagram(Wire.error(16, sequence)), at: 0)
            return 0
        }
        guard let answer = answers[type]?.first else { return 0 }
        if answers[type, default: []].count > 1 { answers[type]?.removeFirst() }
        pending = answer(sequence)
        return 0
    }
}

struct ScriptedTransport: NetlinkTransport, ~Copyable {
    let kernel: ScriptedKernel
    private var bytes: [UInt8] = []

    init(_ kernel: ScriptedKernel) { self.kernel = kernel }

    mutating func send(_ request: [UInt8]) -> Int32 { kernel.take(request) }

    mutating func receive() -> NetlinkReception {
        switch kernel.receive() {
        case nil: return .nothing
        case .datagram(let bytes):
            self.bytes = bytes
            return .datagram
        case .lost: return .lost
        case .failed(let errno): return .failed(errno: errno)
        }
    }

    var datagram: Span<UInt8> { @_lifetime(borrow self) get { bytes.span } }
}

/// Messages of rtnetlink(7), little-endian.
enum Wire {
    static let interrupted: UInt16 = 0x10
    static let getLink: UInt16 = 18
    static let getAddress: UInt16 = 22
    static let getNeighbour: UInt16 = 30
    static let getStats: UInt16 = 94

    static func bytes<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Number(8 * $0)) }
    }

    static func message(_ type: UInt16, _ sequence: UInt32, flags: UInt16 = 2, _ payload: [UInt8]) -> [UInt8] {
        padded(
            bytes(UInt32(16 + payload.count)) + bytes(type) + bytes(flags) + bytes(sequence) + bytes(UInt32(0))
                + payload)
    }

    static func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
        padded(bytes(UInt16(4 + value.count)) + bytes(type) + value)
    }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    }

    static func done(_ sequence: UInt32, flags: UInt16 = 2) -> [UInt8] {
        message(3, sequence, flags: flags, bytes(Int32(0)))
    }

    static func error(_ errno: Int32, _ sequence: UInt32) -> [UInt8] { message(2, sequence, bytes(-errno)) }

    static func link(
        _ index: UInt32, _ name: String, state: UInt8 = 6, mac: [UInt8] = [2, 0, 0, 0, 0, 1], isLoopback: Bool = false,
        isGone: Bool = false, sequence: UInt32 = 0, flags: UInt16 = 2
    ) -> [UInt8] {
        let header: [UInt8] = [0, 0, 0, 0] + bytes(index) + bytes(UInt32(isLoopback ? 8 : 0)) + bytes(UInt32(0))
        return message(
            isGone ? 17 : 16, sequence, flags: flags,
            header + attribute(3, Array(name.utf8) + [0]) + attribute(16, [state]) + attribute(1, mac))
    }

    /// All counters are `value`.
    static func statistics(_ index: UInt32, _ value: UInt64, sequence: UInt32, flags: UInt16 = 2) -> [UInt8] {
        let counters = [[UInt8]](repeating: bytes(value), count: 24).flatMap { $0 }
        return message(
            92, sequence, flags: flags,
            [0, 0, 0, 0] + bytes(index) + bytes(UInt32(1)) + attribute(1, counters))
    }

    static func address(
        _ index: UInt32, _ address: [UInt8], prefix: UInt8, scope: UInt8 = 0, peer: [UInt8]? = nil, sequence: UInt32,
        flags: UInt16 = 2
    ) -> [UInt8] {
        let family: UInt8 = address.count == 4 ? 2 : 10
        let local = peer == nil && family == 10 ? [] : attribute(2, address)
        return message(
            20, sequence, flags: flags,
            [family, prefix, 0, scope] + bytes(index) + attribute(1, peer ?? address) + local)
    }

    static func neighbour(
        _ family: UInt8, _ index: UInt32, state: UInt16, sequence: UInt32, flags: UInt16 = 2
    ) -> [UInt8] {
        message(28, sequence, flags: flags, [family, 0, 0, 0] + bytes(index) + bytes(state) + [0, 1])
    }
}
