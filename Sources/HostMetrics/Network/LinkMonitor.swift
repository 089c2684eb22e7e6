/// The interfaces of this machine by rtnetlink(7): counters by RTM_GETSTATS dumps, names and state by an RTM_GETLINK
/// dump at first and by the kernel's notifications from then on.
///
/// A dump of the counters costs a fraction of /proc/net/dev, but tells only indices; hence the table.
struct LinkMonitor: ~Copyable {
    private var requests: NetlinkSocket
    private var notifications: NetlinkSocket
    private var files: LinkAttributeFiles
    private var statisticsRequest = Netlink.statisticsRequest(sequence: 0)
    private var linkRequest = Netlink.linkRequest(sequence: 0)
    private var sequence: UInt32 = 0
    private var isStale = true

    /// A dump that the kernel interrupts is made again this often, and then taken as it is.
    private static let attemptCountMax = 4

    init(sysfs: String) throws(CollectError) {
        // The notifications first: what changes during the first dump is then told by them.
        let notifications = try NetlinkSocket(groups: Netlink.linkGroup)
        let requests = try NetlinkSocket(groups: 0)
        self.notifications = notifications
        self.requests = requests
        files = LinkAttributeFiles(sysfs: sysfs)
    }

    /// Makes one reading of all counters.
    mutating func refresh(
        _ table: inout InterfaceTable, _ clock: () -> ClockReading
    ) throws(CollectError) -> ClockReading {
        followLinks(&table)
        if isStale { try dumpLinks(&table) }
        for attempt in 1...Self.attemptCountMax {
            let before = clock()
            let outcome = try dumpStatistics(&table)
            let after = clock()
            if outcome == .complete || attempt == Self.attemptCountMax { return before.midpoint(to: after) }
            // An index without a name: its notification is on the way or was lost.
            if outcome == .unknownIndex { try dumpLinks(&table) }
        }
        throw .nothingUsable
    }

    private enum Outcome { case complete, interrupted, unknownIndex }

    private mutating func dumpStatistics(_ table: inout InterfaceTable) throws(CollectError) -> Outcome {
        table.beginReading()
        var outcome = Outcome.complete
        sequence &+= 1
        Netlink.setSequence(sequence, in: &statisticsRequest)
        let failure = requests.send(statisticsRequest)
        guard failure == 0 else { throw .read(errno: failure) }
        while true {
            switch requests.receive() {
            case .datagram: break
            case .lost: return .interrupted
            // The kernel answers while it is asked: nothing means that nothing will come.
            case .nothing: throw .nothingUsable
            case .failed(let errno): throw .read(errno: errno)
            }
            let answer = LinkParser.addStatistics(requests.datagram, sequence: sequence, to: &table)
            if answer.wasInterrupted { outcome = .interrupted }
            if answer.hasUnknownIndex, outcome == .complete { outcome = .unknownIndex }
            if answer.errno != 0 { throw .read(errno: answer.errno) }
            if answer.isDone { return outcome }
        }
    }

    private mutating func dumpLinks(_ table: inout InterfaceTable) throws(CollectError) {
        for _ in 1...Self.attemptCountMax {
            table.beginReading()
            var isComplete = true
            sequence &+= 1
            Netlink.setSequence(sequence, in: &linkRequest)
            let failure = requests.send(linkRequest)
            guard failure == 0 else { throw .read(errno: failure) }
            var isDone = false
            while !isDone {
                switch requests.receive() {
                case .datagram: break
                case .lost:
                    isComplete = false
                    isDone = true
                    continue
                case .nothing: throw .nothingUsable
                case .failed(let errno): throw .read(errno: errno)
                }
                let answer = LinkParser.addLinks(from: requests, sequence: sequence, to: &table, &files)
                if answer.errno != 0 { throw .read(errno: answer.errno) }
                if answer.wasInterrupted { isComplete = false }
                isDone = answer.isDone
            }
            guard isComplete else { continue }
            table.removeAbsent()
            isStale = false
            return
        }
    }

    private mutating func followLinks(_ table: inout InterfaceTable) {
        while true {
            switch notifications.receive() {
            case .datagram: _ = LinkParser.addLinks(from: notifications, sequence: nil, to: &table, &files)
            case .nothing: return
            case .lost: isStale = true
            case .failed:
                isStale = true
                return
            }
        }
    }
}

/// Reads rtnetlink's datagrams into the table; bounds are checked, and what is malformed is left out.
enum LinkParser {
    struct Answer {
        var isDone = false
        var wasInterrupted = false
        var hasUnknownIndex = false
        var errno: Int32 = 0
    }

    static func addStatistics(_ bytes: Span<UInt8>, sequence: UInt32, to table: inout InterfaceTable) -> Answer {
        var answer = Answer()
        Netlink.forEachMessage(in: bytes) { header, payload in
            // Left over from a dump that was given up.
            guard header.sequence == sequence else { return true }
            if header.flags & Netlink.Flag.dumpInterrupted != 0 { answer.wasInterrupted = true }
            if header.type == Netlink.MessageType.newStats, payload.count >= Netlink.StatsMessage.byteCount {
                let index = payload.uint32(at: Netlink.StatsMessage.indexOffset)
                Netlink.forEachAttribute(in: payload, from: Netlink.StatsMessage.byteCount) { type, value in
                    guard type == Netlink.Attribute.statsLink64, let counters = InterfaceCounters(linkStats64: value)
                    else { return }
                    if let place = table.place(index: index) {
                        table.setCounters(counters, at: place)
                    } else {
                        answer.hasUnknownIndex = true
                    }
                }
                return true
            }
            return answer.end(header, payload)
        }
        return answer
    }

    static func addLinks(
        from socket: borrowing NetlinkSocket, sequence: UInt32?, to table: inout InterfaceTable,
        _ files: inout LinkAttributeFiles
    ) -> Answer {
        addLinks(socket.datagram, sequence: sequence, to: &table, &files)
    }

    /// `sequence`: of the dump; nil: notifications, which have none.
    static func addLinks(
        _ bytes: Span<UInt8>, sequence: UInt32?, to table: inout InterfaceTable, _ files: inout LinkAttributeFiles
    ) -> Answer {
        var answer = Answer()
        Netlink.forEachMessage(in: bytes) { header, payload in
            if let sequence, header.sequence != sequence { return true }
            if header.flags & Netlink.Flag.dumpInterrupted != 0 { answer.wasInterrupted = true }
            switch header.type {
            case Netlink.MessageType.newLink:
                addLink(payload, to: &table, &files)
                return true
            case Netlink.MessageType.delLink:
                // Other families tell that a port left its bridge.
                if payload.count >= Netlink.LinkMessage.byteCount, payload[0] == 0,
                    let place = table.place(index: payload.uint32(at: Netlink.LinkMessage.indexOffset))
                {
                    table.remove(at: place)
                }
                return true
            default: return sequence == nil || answer.end(header, payload)
            }
        }
        return answer
    }

    private static func addLink(
        _ payload: Span<UInt8>, to table: inout InterfaceTable, _ files: inout LinkAttributeFiles
    ) {
        guard payload.count >= Netlink.LinkMessage.byteCount, payload[0] == 0 else { return }
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
        guard nameStart < nameEnd, attributes.index != 0 else { return }
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

extension LinkParser.Answer {
    /// Takes the end of a dump; returns whether to go on.
    fileprivate mutating func end(_ header: Netlink.Header, _ payload: Span<UInt8>) -> Bool {
        switch header.type {
        case Netlink.MessageType.done, Netlink.MessageType.error:
            errno = Netlink.errno(in: payload)
            isDone = true
            return false
        default: return true
        }
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
