/// An address of an interface, as RTM_GETADDR tells it.
package struct InterfaceAddress: Equatable, Sendable {
    package var interface: UInt32
    package var address: IPAddress
    package var prefixLength: Int
    package var isLinkLocal: Bool

    /// nil: not a whole message about an address of IPv4 or IPv6.
    init?(_ header: Netlink.Header, _ payload: Span<UInt8>) {
        typealias Message = Netlink.AddressMessage
        guard header.type == Netlink.MessageType.newAddress, payload.count >= Message.byteCount else { return nil }
        let isIPv6 = payload[0] == Netlink.Family.ipv6
        guard isIPv6 || payload[0] == Netlink.Family.ipv4 else { return nil }
        var address: IPAddress?
        var local: IPAddress?
        Netlink.forEachAttribute(in: payload, from: Message.byteCount) { type, value in
            switch type {
            case Netlink.Attribute.address: address = IPAddress(value, isIPv6: isIPv6)
            case Netlink.Attribute.localAddress: local = IPAddress(value, isIPv6: isIPv6)
            default: break
            }
        }
        guard let own = local ?? address else { return nil }
        self.address = own
        interface = payload.uint32(at: Message.indexOffset)
        prefixLength = min(Int(payload[Message.prefixLengthOffset]), own.bitCount)
        isLinkLocal = isIPv6 && payload[Message.scopeOffset] == Message.linkScope
    }

    /// By interface, IPv4 first; else the order is the kernel's.
    func precedes(_ other: Self) -> Bool {
        interface != other.interface ? interface < other.interface : !address.isIPv6 && other.address.isIPv6
    }
}
