/// The interfaces of this machine by rtnetlink(7): counters by RTM_GETSTATS dumps, names and state by an RTM_GETLINK
/// dump at first and by the kernel's notifications from then on.
///
/// A dump of the counters costs a fraction of /proc/net/dev, but tells only indices; hence the table.
package struct LinkMonitor<Transport: NetlinkTransport & ~Copyable>: ~Copyable {
    private var requests: NetlinkDumper<Transport>
    private var notifications: Transport
    private var files: LinkAttributeFiles
    private var statisticsRequest = Netlink.statisticsRequest(sequence: 0)
    private var linkRequest = Netlink.linkRequest(sequence: 0)
    private var isStale = true

    /// Datagrams of notifications that are read for one sample; the rest is for the next.
    package static var notificationCountMax: Int { 4_096 }

    /// The notifications must be open before the requests: what changes during the first dump is then told by them.
    package init(requests: consuming Transport, notifications: consuming Transport, sysfs: String) {
        self.requests = NetlinkDumper(requests)
        self.notifications = notifications
        files = LinkAttributeFiles(sysfs: sysfs)
    }

    /// Makes one reading of all counters.
    package mutating func refresh(
        _ table: inout InterfaceTable, _ clock: () -> ClockReading
    ) throws(CollectError) -> ClockReading {
        followLinks(&table)
        if isStale { try dumpLinks(&table) }
        var attempt = 0
        while true {
            attempt += 1
            table.beginReading()
            var hasUnknownIndex = false
            let before = clock()
            let isComplete = try requests.attempt(&statisticsRequest) { header, payload in
                if !LinkParser.addStatistics(header, payload, to: &table) { hasUnknownIndex = true }
            }
            let after = clock()
            let isUsable = isComplete && !hasUnknownIndex
            if isUsable || attempt == NetlinkDumper<Transport>.attemptCountMax { return before.midpoint(to: after) }
            // An index without a name: its notification is on the way or was lost.
            if hasUnknownIndex { try dumpLinks(&table) }
        }
    }

    private mutating func dumpLinks(_ table: inout InterfaceTable) throws(CollectError) {
        let isComplete = try requests.readAll(&linkRequest) {
            table.beginReading()
        } _: { header, payload in
            LinkParser.addLink(header, payload, to: &table, &files)
        }
        guard isComplete else { return }
        table.removeAbsent()
        isStale = false
    }

    private mutating func followLinks(_ table: inout InterfaceTable) {
        for _ in 1...Self.notificationCountMax {
            switch notifications.receive() {
            case .datagram:
                Netlink.forEachMessage(in: notifications.datagram) { header, payload in
                    LinkParser.addLink(header, payload, to: &table, &files)
                    return true
                }
            case .nothing: return
            case .lost: isStale = true
            case .failed:
                isStale = true
                return
            }
        }
    }
}

extension LinkMonitor where Transport == NetlinkSocket {
    init(sysfs: String) throws(CollectError) {
        let notifications = try NetlinkSocket(groups: Netlink.linkGroup)
        let requests = try NetlinkSocket(groups: 0)
        self.init(requests: requests, notifications: notifications, sysfs: sysfs)
    }
}

/// Reads rtnetlink's messages into the table; bounds are checked, and what is malformed is left out.
enum LinkParser {
    /// Returns false if the table does not know the interface.
    @inline(__always)
    static func addStatistics(
        _ header: Netlink.Header, _ payload: Span<UInt8>, to table: inout InterfaceTable
    ) -> Bool {
        guard header.type == Netlink.MessageType.newStats, payload.count >= Netlink.StatsMessage.byteCount else {
            return true
        }
        let index = payload.uint32(at: Netlink.StatsMessage.indexOffset)
        var isKnown = true
        Netlink.forEachAttribute(in: payload, from: Netlink.StatsMessage.byteCount) { type, value in
            guard type == Netlink.Attribute.statsLink64, let counters = InterfaceCounters(linkStats64: value) else {
                return
            }
            if let place = table.place(index: index) {
                table.setCounters(counters, at: place)
            } else {
                isKnown = false
            }
        }
        return isKnown
    }

    /// Takes a link that came, changed or went.
    static func addLink(
        _ header: Netlink.Header, _ payload: Span<UInt8>, to table: inout InterfaceTable,
        _ files: inout LinkAttributeFiles
    ) {
        // Other families tell that a port joined or left its bridge.
        guard payload.count >= Netlink.LinkMessage.byteCount, payload[0] == 0 else { return }
        switch header.type {
        case Netlink.MessageType.newLink: setLink(payload, in: &table, &files)
        case Netlink.MessageType.delLink:
            if let place = table.place(index: payload.uint32(at: Netlink.LinkMessage.indexOffset)) {
                table.remove(at: place)
            }
        default: break
        }
    }

    private static func setLink(
        _ payload: Span<UInt8>, in table: inout InterfaceTable, _ files: inout LinkAttributeFiles
    ) {
        var attributes = LinkAttributes()
        attributes.index = payload.uint32(at: Netlink.LinkMessage.indexOffset)
        Netlink.forEachAttribute(in: payload, from: Netlink.LinkMessage.byteCount) { type, value in
            switch type {
            case Netlink.Attribute.mtu where value.count >= 4:
                attributes.mtuBytes = Double(value.uint32(at: 0))
            case Netlink.Attribute.operState where value.count >= 1:
                attributes.operState = LinkAttributes.OperState(rawValue: value[0]) ?? .unknown
            case Netlink.Attribute.carrierChanges where value.count >= 4:
                attributes.carrierChanges = UInt64(value.uint32(at: 0))
            default: break
            }
        }
        let (nameStart, nameEnd) = nameRange(in: payload)
        guard 1...Limits.interfaceNameByteCountMax ~= nameEnd - nameStart, attributes.index != 0 else { return }
        let name = payload.extracting(nameStart..<nameEnd)
        files.addSpeed(to: &attributes, of: name)
        let place = table.place(index: attributes.index)
        table.update(name: name, attributes, at: place)
        if let place = table.place(index: attributes.index) { table.markPresent(at: place) }
    }

    /// Where IFLA_IFNAME lies, without its NUL; empty: nowhere.
    private static func nameRange(in payload: Span<UInt8>) -> (Int, Int) {
        var offset = Netlink.LinkMessage.byteCount
        while payload.count - offset >= Netlink.attributeHeaderByteCount {
            let length = Int(payload.uint16(at: offset))
            guard length >= Netlink.attributeHeaderByteCount, length <= payload.count - offset else { break }
            if payload.uint16(at: offset + 2) & Netlink.Attribute.typeMask == Netlink.Attribute.interfaceName {
                let start = offset + Netlink.attributeHeaderByteCount
                var end = start
                while end < offset + length, payload[end] != 0 { end += 1 }
                return (start, end)
            }
            offset += (length + 3) & ~3
        }
        return (0, 0)
    }
}

extension InterfaceCounters {
    /// struct rtnl_link_stats64 (linux/if_link.h): one 64-bit number each, in this order.
    private enum Place {
        static let rxPackets = 0
        static let txPackets = 1
        static let rxBytes = 2
        static let txBytes = 3
        static let rxErrors = 4
        static let txErrors = 5
        static let rxDropped = 6
        static let txDropped = 7
        static let multicast = 8
        static let collisions = 9
        static let rxLengthErrors = 10
        static let rxOverErrors = 11
        static let rxCRCErrors = 12
        static let rxFrameErrors = 13
        static let rxFifoErrors = 14
        static let rxMissedErrors = 15
        static let txAbortedErrors = 16
        static let txCarrierErrors = 17
        static let txFifoErrors = 18
        static let txHeartbeatErrors = 19
        static let txWindowErrors = 20
        static let byteCount = 21 * 8
    }

    /// nil: too short. Sums are those of the kernel's own /proc/net/dev (net/core/net-procfs.c).
    @inline(__always)
    init?(linkStats64 bytes: Span<UInt8>) {
        guard bytes.count >= Place.byteCount else { return nil }
        @inline(__always) func number(_ place: Int) -> UInt64 { bytes.uint64(at: place * 8) }
        self.init()
        columns[Column.rxBytes] = number(Place.rxBytes)
        columns[Column.txBytes] = number(Place.txBytes)
        columns[Column.rxPackets] = number(Place.rxPackets)
        columns[Column.txPackets] = number(Place.txPackets)
        columns[Column.rxErrors] = number(Place.rxErrors)
        columns[Column.txErrors] = number(Place.txErrors)
        columns[Column.rxDropped] = number(Place.rxDropped) &+ number(Place.rxMissedErrors)
        columns[Column.txDropped] = number(Place.txDropped)
        columns[Column.rxFifoErrors] = number(Place.rxFifoErrors)
        columns[Column.rxFrameErrors] =
            number(Place.rxLengthErrors) &+ number(Place.rxOverErrors) &+ number(Place.rxCRCErrors)
            &+ number(Place.rxFrameErrors)
        columns[Column.rxMulticast] = number(Place.multicast)
        columns[Column.txFifoErrors] = number(Place.txFifoErrors)
        columns[Column.txCollisions] = number(Place.collisions)
        columns[Column.txCarrierErrors] =
            number(Place.txCarrierErrors) &+ number(Place.txAbortedErrors) &+ number(Place.txWindowErrors)
            &+ number(Place.txHeartbeatErrors)
    }
}
