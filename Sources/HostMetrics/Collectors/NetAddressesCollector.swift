internal import Glibc
internal import TelemetrySchema

/// `/net/addresses`: the addresses of each interface, by rtnetlink.
struct NetAddressesCollector: Collector, ~Copyable {
    static let topic = "/net/addresses"
    static let entrySettings = EntrySetting.common
    /// Has none: see ``isEventDriven``.
    static let defaultHertz = 1.0
    static let isLatched = true
    static let isEventDriven = true

    let eventDescriptor: Int32?
    private var monitor: AddressMonitor<NetlinkSocket>
    private let clock: () -> ClockReading
    private var isPublished = false
    private var filter: EntryFilter
    private var rows: RepeatedField<NetAddressMessage>
    private var arena: TextArena
    private var text: [UInt8] = []
    /// Of this sample, without the numbers that tell equal ones apart.
    private var idCounts: [[UInt8]: Int] = [:]

    /// Bytes of all texts of one row; the longest hardware address takes 96.
    private static let rowByteCountMax = 512
    /// What a notification needs; a longer one is news just as well.
    private static let notificationByteCount = 4_096

    init(host: Host) throws(CollectError) {
        // The kernel tells only of the network namespace that the agent itself is in.
        guard host.procfs == "/proc" else { throw .open(errno: ENOENT) }
        // With links, for changes of their names and hardware addresses.
        let notifications = try NetlinkSocket(
            groups: Netlink.addressGroups | Netlink.linkGroup, byteCapacity: Self.notificationByteCount)
        let requests = try NetlinkSocket(groups: 0)
        eventDescriptor = notifications.descriptor
        monitor = AddressMonitor(requests: requests, notifications: notifications)
        clock = host.clock
        let settings = host.settings(of: Self.topic)
        filter = EntryFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
        arena = TextArena(byteCapacity: settings.entryCountMax * Self.rowByteCountMax)
    }

    mutating func sample(_ context: SampleContext, into message: inout NetAddressesMessage) throws(CollectError)
        -> Sample
    {
        let before = clock()
        let hasNews = try monitor.refresh()
        guard hasNews || context.isFirst || !isPublished else { throw .nothingUsable }
        isPublished = true
        var sample = Sample(time: before.midpoint(to: clock()))
        rows.removeAll()
        arena.removeAll()
        idCounts.removeAll(keepingCapacity: true)
        for place in monitor.addresses.indices { append(place, &sample) }
        message.setAddresses(rows)
        sample.entryCount = rows.count
        return sample
    }

    private mutating func append(_ place: Int, _ sample: inout Sample) {
        setID(place)
        guard filter.admits(text) else { return }
        guard rows.append() else {
            sample.suppressedCount += 1
            return
        }
        rows.last.setId(arena.append(id: text))
        let entry = monitor.addresses[place]
        let link = monitor.links[place]
        setName(of: link)
        rows.last.setInterface(arena.append(id: text))
        rows.last.setFamily(arena.append(entry.address.isIPv6 ? "IPv6" : "IPv4"))
        rows.last.setAddress(append(entry.address))
        rows.last.setNetmask(
            append(IPAddress(maskOf: entry.prefixLength, isIPv6: entry.address.isIPv6)))
        rows.last.prefixLength = UInt32(entry.prefixLength)
        text.removeAll(keepingCapacity: true)
        text.append(hardwareAddress: link.hardwareAddress)
        rows.last.setMac(Self.append(text, to: &arena))
        rows.last.internal = link.isLoopback ? 1 : 0
        rows.last.scopeId = entry.isLinkLocal ? entry.interface : 0
    }

    private mutating func setName(of link: LinkDirectory.Link) {
        text.removeAll(keepingCapacity: true)
        if link.name.isEmpty { text.append(number: Int(link.index)) } else { text.append(contentsOf: link.name) }
    }

    /// The name, the address and the prefix; a number behind them where there are several of the same kind, which
    /// differ in their peers.
    private mutating func setID(_ place: Int) {
        let entry = monitor.addresses[place]
        setName(of: monitor.links[place])
        text.append(UInt8(ascii: " "))
        entry.address.append(to: &text)
        text.append(UInt8(ascii: "/"))
        text.append(number: entry.prefixLength)
        let count = idCounts[text, default: 0] + 1
        idCounts[text] = count
        guard count > 1 else { return }
        text.append(" #")
        text.append(number: count)
    }

    private static func append(_ text: [UInt8], to arena: inout TextArena) -> Text { arena.append(text.span) }

    private mutating func append(_ address: IPAddress) -> Text {
        text.removeAll(keepingCapacity: true)
        address.append(to: &text)
        return Self.append(text, to: &arena)
    }
}
