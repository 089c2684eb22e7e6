/// What messages about addresses and neighbours tell only an index of: names and hardware addresses of links.
package struct LinkDirectory: Sendable {
    package struct Link: Equatable, Sendable {
        package var index: UInt32
        package var name: [UInt8] = []
        package var hardwareAddress: [UInt8] = []
        package var isLoopback = false
    }

    private var links: [UInt32: Link] = [:]

    package init() {}

    package subscript(index: UInt32) -> Link? { links[index] }

    package mutating func removeAll() { links.removeAll(keepingCapacity: true) }

    /// Takes a message of an RTM_GETLINK dump.
    mutating func add(_ header: Netlink.Header, _ payload: Span<UInt8>) {
        guard header.type == Netlink.MessageType.newLink, payload.count >= Netlink.LinkMessage.byteCount,
            payload[0] == 0
        else { return }
        var link = Link(index: payload.uint32(at: Netlink.LinkMessage.indexOffset))
        let flags = payload.uint32(at: Netlink.LinkMessage.flagsOffset)
        link.isLoopback = flags & Netlink.LinkMessage.loopbackFlag != 0
        Netlink.forEachAttribute(in: payload, from: Netlink.LinkMessage.byteCount) { type, value in
            switch type {
            case Netlink.Attribute.interfaceName:
                link.name.removeAll()
                for offset in value.indices where value[offset] != 0 { link.name.append(value[offset]) }
            case Netlink.Attribute.hardwareAddress:
                link.hardwareAddress.removeAll()
                for offset in value.indices { link.hardwareAddress.append(value[offset]) }
            default: break
            }
        }
        guard !link.name.isEmpty else { return }
        links[link.index] = link
    }
}
