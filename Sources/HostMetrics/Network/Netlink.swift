/// The parts of rtnetlink(7) that are used, by the names of linux/netlink.h, rtnetlink.h and if_link.h.
enum Netlink {
    static let headerByteCount = 16
    static let attributeHeaderByteCount = 4

    enum MessageType {
        static let error: UInt16 = 2
        static let done: UInt16 = 3
        static let newLink: UInt16 = 16
        static let delLink: UInt16 = 17
        static let getLink: UInt16 = 18
        static let newAddress: UInt16 = 20
        static let getAddress: UInt16 = 22
        static let newNeighbour: UInt16 = 28
        static let getNeighbour: UInt16 = 30
        static let newStats: UInt16 = 92
        static let getStats: UInt16 = 94
    }

    enum Flag {
        static let request: UInt16 = 0x1
        /// Something changed while the kernel dumped: entries may be missing or come twice.
        static let dumpInterrupted: UInt16 = 0x10
        /// NLM_F_ROOT | NLM_F_MATCH.
        static let dump: UInt16 = 0x300
    }

    enum Family {
        static let ipv4: UInt8 = 2
        static let ipv6: UInt8 = 10
    }

    /// struct ifinfomsg.
    enum LinkMessage {
        static let byteCount = 16
        static let indexOffset = 4
        static let flagsOffset = 8
        /// IFF_LOOPBACK.
        static let loopbackFlag: UInt32 = 8
    }

    /// struct ifaddrmsg; its first byte is the family.
    enum AddressMessage {
        static let byteCount = 8
        static let prefixLengthOffset = 1
        static let scopeOffset = 3
        static let indexOffset = 4
        /// RT_SCOPE_LINK.
        static let linkScope: UInt8 = 253
    }

    /// struct ndmsg; its first byte is the family.
    enum NeighbourMessage {
        static let byteCount = 12
        static let indexOffset = 4
        static let stateOffset = 8
    }

    /// struct if_stats_msg.
    enum StatsMessage {
        static let byteCount = 12
        static let indexOffset = 4
        static let filterOffset = 8
        /// IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64).
        static let linkFilter: UInt32 = 1
    }

    enum Attribute {
        /// IFLA_STATS_LINK_64: struct rtnl_link_stats64.
        static let statsLink64: UInt16 = 1
        /// IFLA_ADDRESS.
        static let hardwareAddress: UInt16 = 1
        static let interfaceName: UInt16 = 3
        static let mtu: UInt16 = 4
        static let operState: UInt16 = 16
        static let extendedMask: UInt16 = 29
        static let carrierChanges: UInt16 = 35
        /// IFA_ADDRESS: where there is a peer, its address.
        static let address: UInt16 = 1
        /// IFA_LOCAL.
        static let localAddress: UInt16 = 2
        /// The upper two bits are flags.
        static let typeMask: UInt16 = 0x3FFF
    }

    /// RTEXT_FILTER_SKIP_STATS: counters come by the other dump.
    static let skipStatistics: UInt32 = 8
    /// RTMGRP_LINK.
    static let linkGroup: UInt32 = 1
    /// RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR.
    static let addressGroups: UInt32 = 0x10 | 0x100

    struct Header {
        var type: UInt16
        var flags: UInt16
        var sequence: UInt32
    }

    /// Calls `body` with each message of a datagram, until it returns false. What is cut off is left out.
    @inline(__always)
    static func forEachMessage(in bytes: Span<UInt8>, _ body: (Header, Span<UInt8>) -> Bool) {
        var offset = 0
        while bytes.count - offset >= headerByteCount {
            let length = Int(bytes.uint32(at: offset))
            guard length >= headerByteCount, length <= bytes.count - offset else { return }
            let header = Header(
                type: bytes.uint16(at: offset + 4), flags: bytes.uint16(at: offset + 6),
                sequence: bytes.uint32(at: offset + 8))
            guard body(header, bytes.extracting(offset + headerByteCount..<offset + length)) else { return }
            offset += aligned(length)
        }
    }

    /// Calls `body` with each attribute behind the fixed part of a message.
    @inline(__always)
    static func forEachAttribute(in payload: Span<UInt8>, from start: Int, _ body: (UInt16, Span<UInt8>) -> Void) {
        var offset = aligned(start)
        while payload.count - offset >= attributeHeaderByteCount {
            let length = Int(payload.uint16(at: offset))
            guard length >= attributeHeaderByteCount, length <= payload.count - offset else { return }
            let type = payload.uint16(at: offset + 2) & Attribute.typeMask
            body(type, payload.extracting(offset + attributeHeaderByteCount..<offset + length))
            offset += aligned(length)
        }
    }

    /// The errno of a message of type `error` or `done`; 0: none.
    static func errno(in payload: Span<UInt8>) -> Int32 {
        payload.count >= 4 ? 0 &- Int32(bitPattern: payload.uint32(at: 0)) : 0
    }

    static func statisticsRequest(sequence: UInt32) -> [UInt8] {
        var bytes = header(type: MessageType.getStats, byteCount: StatsMessage.byteCount, sequence: sequence)
        bytes.append(contentsOf: repeatElement(0, count: StatsMessage.byteCount))
        put(StatsMessage.linkFilter, into: &bytes, at: headerByteCount + StatsMessage.filterOffset)
        return bytes
    }

    static func linkRequest(sequence: UInt32) -> [UInt8] {
        let attributeByteCount = attributeHeaderByteCount + 4
        var bytes = header(
            type: MessageType.getLink, byteCount: LinkMessage.byteCount + attributeByteCount, sequence: sequence)
        bytes.append(contentsOf: repeatElement(0, count: LinkMessage.byteCount + attributeByteCount))
        let attribute = headerByteCount + LinkMessage.byteCount
        put(UInt16(attributeByteCount), into: &bytes, at: attribute)
        put(Attribute.extendedMask, into: &bytes, at: attribute + 2)
        put(skipStatistics, into: &bytes, at: attribute + attributeHeaderByteCount)
        return bytes
    }

    static func addressRequest() -> [UInt8] {
        request(type: MessageType.getAddress, byteCount: AddressMessage.byteCount)
    }

    static func neighbourRequest() -> [UInt8] {
        request(type: MessageType.getNeighbour, byteCount: NeighbourMessage.byteCount)
    }

    /// A request whose fixed part is zero: for every family and interface.
    private static func request(type: UInt16, byteCount: Int) -> [UInt8] {
        header(type: type, byteCount: byteCount, sequence: 0) + [UInt8](repeating: 0, count: byteCount)
    }

    static func request(type: UInt16, payload: [UInt8]) -> [UInt8] {
        header(type: type, byteCount: payload.count, sequence: 0) + payload
    }

    /// In this machine's own order.
    static func bytes<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Number.bitWidth / 8)
        put(value, into: &bytes, at: 0)
        return bytes
    }

    /// Numbers a request anew.
    static func setSequence(_ sequence: UInt32, in request: inout [UInt8]) { put(sequence, into: &request, at: 8) }

    private static func header(type: UInt16, byteCount: Int, sequence: UInt32) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: headerByteCount)
        put(UInt32(headerByteCount + byteCount), into: &bytes, at: 0)
        put(type, into: &bytes, at: 4)
        put(Flag.request | Flag.dump, into: &bytes, at: 6)
        put(sequence, into: &bytes, at: 8)
        return bytes
    }

    private static func put<Number: FixedWidthInteger>(_ value: Number, into bytes: inout [UInt8], at offset: Int) {
        for index in 0..<Number.bitWidth / 8 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value.littleEndian >> Number(8 * index))
        }
    }

    @inline(__always)
    private static func aligned(_ length: Int) -> Int { (length + 3) & ~3 }
}

/// Numbers as the kernel lays them out in memory: in this machine's own order.
extension Span<UInt8> {
    @inline(__always)
    func uint16(at offset: Int) -> UInt16 { (UInt16(self[offset]) | UInt16(self[offset + 1]) << 8).littleEndian }

    @inline(__always)
    func uint32(at offset: Int) -> UInt32 {
        let low = UInt32(self[offset]) | UInt32(self[offset + 1]) << 8
        return (low | UInt32(self[offset + 2]) << 16 | UInt32(self[offset + 3]) << 24).littleEndian
    }

    @inline(__always)
    func uint64(at offset: Int) -> UInt64 {
        let word = extracting(offset..<offset + 8)
        var value: UInt64 = 0
        for index in 0..<8 { value |= UInt64(word[index]) << (8 * UInt64(index)) }
        return value.littleEndian
    }
}
