/// Neighbours counted by interface and state.
package struct NeighbourTable: Sendable {
    /// NUD_* of linux/neighbour.h: one bit each, in this order.
    package enum State: Int, CaseIterable, Sendable {
        case incomplete, reachable, stale, delay, probe, failed, noARP, permanent
    }

    package struct Row: Sendable {
        package var index: UInt32
        /// Empty: known by its index only.
        package var name: [UInt8] = []
        package var ipv4Count = 0
        package var ipv6Count = 0
        /// Of IPv4, those that /proc/net/arp lists: without NUD_NOARP and without NUD_NONE.
        package var arpCount = 0
        var stateCounts: [8 of Int] = .init(repeating: 0)

        package func count(of state: State) -> Int { stateCounts[state.rawValue] }
    }

    package private(set) var rows: [Row] = []
    private var places: [UInt32: Int] = [:]

    package init() {}

    package mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
    }

    /// Takes a message of an RTM_GETNEIGH dump.
    mutating func add(_ header: Netlink.Header, _ payload: Span<UInt8>) {
        typealias Message = Netlink.NeighbourMessage
        guard header.type == Netlink.MessageType.newNeighbour, payload.count >= Message.byteCount else { return }
        let isIPv6 = payload[0] == Netlink.Family.ipv6
        guard isIPv6 || payload[0] == Netlink.Family.ipv4 else { return }
        let index = payload.uint32(at: Message.indexOffset)
        let bits = payload.uint16(at: Message.stateOffset)
        // 0, NUD_NONE: just made.
        let state = bits.nonzeroBitCount == 1 ? State(rawValue: bits.trailingZeroBitCount) : nil
        let isARP = !isIPv6 && bits != 0 && state != .noARP
        if let place = places[index] { return rows[place].add(state, isIPv6: isIPv6, isARP: isARP) }
        places[index] = rows.count
        var row = Row(index: index)
        row.add(state, isIPv6: isIPv6, isARP: isARP)
        rows.append(row)
    }

    /// Takes a line of /proc/net/arp.
    mutating func add(_ line: ARPTable.Line, interface name: Span<UInt8>) {
        let place = place(of: name)
        let state: State? = line.isPermanent ? .permanent : line.isComplete ? nil : .incomplete
        rows[place].add(state, isIPv6: false, isARP: true)
    }

    private mutating func place(of name: Span<UInt8>) -> Int {
        for place in rows.indices {
            let known = rows[place].name
            if name.equals(known.span) { return place }
        }
        var row = Row(index: 0)
        for index in name.indices { row.name.append(name[index]) }
        rows.append(row)
        return rows.count - 1
    }

    /// Names the interfaces and puts them in order.
    mutating func finish(_ links: LinkDirectory) {
        for place in rows.indices { rows[place].name = links[rows[place].index]?.name ?? [] }
        rows.sort { $0.index < $1.index }
    }
}

extension NeighbourTable.Row {
    fileprivate mutating func add(_ state: NeighbourTable.State?, isIPv6: Bool, isARP: Bool) {
        if isIPv6 { ipv6Count += 1 } else { ipv4Count += 1 }
        if isARP { arpCount += 1 }
        if let state { stateCounts[state.rawValue] += 1 }
    }
}

/// The neighbours of this machine by rtnetlink(7).
package struct NeighbourMonitor<Transport: NetlinkTransport & ~Copyable>: ~Copyable {
    private var requests: NetlinkDumper<Transport>
    private var linkRequest = Netlink.linkRequest(sequence: 0)
    private var neighbourRequest = Netlink.neighbourRequest()
    private var links = LinkDirectory()

    package init(requests: consuming Transport) { self.requests = NetlinkDumper(requests) }

    /// Counts anew.
    package mutating func refresh(_ table: inout NeighbourTable) throws(CollectError) {
        // What is not complete after all attempts is taken as it is.
        _ = try requests.readAll(&linkRequest) {
            links.removeAll()
        } _: { header, payload in
            links.add(header, payload)
        }
        _ = try requests.readAll(&neighbourRequest) {
            table.removeAll()
        } _: { header, payload in
            table.add(header, payload)
        }
        table.finish(links)
    }
}
