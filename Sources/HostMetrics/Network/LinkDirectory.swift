/// What messages about addresses and neighbours tell only an index of: names and hardware addresses of links.
package struct LinkDirectory: Sendable {
    package struct Link: Equatable, Sendable {
        package var index: UInt32
        package var name: [UInt8] = []
        package var hardwareAddress: [UInt8] = []
        package var isLoopback = false
    }

    private struct Entry {
        var link: Link
        /// The dump that told of it last.
        var dump: UInt64
    }

    private var entries: [UInt32: Entry] = [:]
    private var dump: UInt64 = 0

    package init() {}

    package subscript(index: UInt32) -> Link? {
        guard let entry = entries[index], entry.dump == dump else { return nil }
        return entry.link
    }

    /// Begins anew. What a dump tells as the one before did is kept, so that it costs no allocation.
    package mutating func removeAll() {
        if dump > 0, entries.values.contains(where: { $0.dump != dump }) {
            entries = entries.filter { $0.value.dump == dump }
        }
        dump += 1
    }

    /// Takes a message of an RTM_GETLINK dump.
    mutating func add(_ header: Netlink.Header, _ payload: Span<UInt8>) {
        guard header.type == Netlink.MessageType.newLink, payload.count >= Netlink.LinkMessage.byteCount,
            payload[0] == 0
        else { return }
        let index = payload.uint32(at: Netlink.LinkMessage.indexOffset)
        var link = entries[index]?.link ?? Link(index: index)
        let flags = payload.uint32(at: Netlink.LinkMessage.flagsOffset)
        link.isLoopback = flags & Netlink.LinkMessage.loopbackFlag != 0
        var hasName = false
        var hasAddress = false
        Netlink.forEachAttribute(in: payload, from: Netlink.LinkMessage.byteCount) { type, value in
            switch type {
            case Netlink.Attribute.interfaceName:
                // Ends with a NUL.
                let name = value.extracting(first: Self.index(ofNUL: value))
                Self.replace(&link.name, by: name)
                hasName = !name.isEmpty
            case Netlink.Attribute.hardwareAddress:
                Self.replace(&link.hardwareAddress, by: value)
                hasAddress = true
            default: break
            }
        }
        guard hasName else { return }
        if !hasAddress, !link.hardwareAddress.isEmpty { link.hardwareAddress = [] }
        entries[index] = Entry(link: link, dump: dump)
    }

    private static func index(ofNUL value: Span<UInt8>) -> Int {
        for index in value.indices where value[index] == 0 { return index }
        return value.count
    }

    private static func replace(_ bytes: inout [UInt8], by value: Span<UInt8>) {
        guard !value.equals(bytes.span) else { return }
        bytes.removeAll()
        for index in value.indices { bytes.append(value[index]) }
    }
}
