internal import TelemetrySchema

/// `/net/neighbours`: by rtnetlink on this machine, else by /proc/net/arp.
struct NetNeighboursCollector: Collector, ~Copyable {
    static let topic = "/net/neighbours"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 0.1

    private var monitor: NeighbourMonitor<NetlinkSocket>?
    private var file: ProcFile?
    private var table = NeighbourTable()
    private let clock: () -> ClockReading
    private var filter: EntryFilter
    private var rows: RepeatedField<NeighbourCountsMessage>
    private var arena: TextArena
    private var text: [UInt8] = []

    /// Bytes of a name that is published; the kernel's have at most 15, of which each may become three.
    private static let nameByteCountMax = 64

    init(host: Host) throws(CollectError) {
        if host.procfs == "/proc" {
            // Some sandboxes refuse the socket.
            if let socket = try? NetlinkSocket(groups: 0) { monitor = NeighbourMonitor(requests: socket) }
        }
        if monitor == nil { file = try ProcFile(path: "\(host.procfs)/net/arp", byteCapacity: 4_096) }
        clock = host.clock
        let settings = host.settings(of: Self.topic)
        filter = EntryFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
        arena = TextArena(byteCapacity: settings.entryCountMax * Self.nameByteCountMax)
    }

    mutating func sample(_ context: SampleContext, into message: inout NetNeighboursMessage) throws(CollectError)
        -> Sample
    {
        let before = clock()
        let parseErrorCount = try refresh()
        var sample = Sample(time: before.midpoint(to: clock()))
        sample.parseErrorCount = parseErrorCount
        rows.removeAll()
        arena.removeAll()
        for place in table.rows.indices { append(place, &sample) }
        message.setInterfaces(rows)
        sample.entryCount = rows.count
        return sample
    }

    /// Counts anew; returns how many lines were bad.
    private mutating func refresh() throws(CollectError) -> Int {
        table.removeAll()
        if try monitor?.refresh(&table) != nil { return 0 }
        guard var file = file.take() else { throw .nothingUsable }
        let result = Result { () throws(CollectError) in try file.readByLines(clock) }
        var parseErrorCount = 0
        if case .success = result {
            parseErrorCount = ARPTable.forEach(in: file.text) { line, name in table.add(line, interface: name) }
        }
        self.file = consume file
        _ = try result.get()
        return parseErrorCount
    }

    private mutating func append(_ place: Int, _ sample: inout Sample) {
        let row = table.rows[place]
        text.removeAll(keepingCapacity: true)
        if row.name.isEmpty { text.append(number: Int(row.index)) } else { text.append(contentsOf: row.name) }
        guard filter.admits(text) else { return }
        guard rows.append() else {
            sample.suppressedCount += 1
            return
        }
        rows.last.setId(arena.append(id: text))
        rows.last.set(row, knowsStates: monitor != nil)
    }
}

extension NeighbourCountsMessage {
    /// `knowsStates`: /proc/net/arp does not.
    fileprivate mutating func set(_ row: NeighbourTable.Row, knowsStates: Bool) {
        func number(_ state: NeighbourTable.State) -> Double {
            knowsStates ? Double(row.count(of: state)) : .nan
        }
        entries = Double(row.ipv4Count + row.ipv6Count)
        ipv4Entries = Double(row.ipv4Count)
        arpEntries = Double(row.arpCount)
        ipv6Entries = knowsStates ? Double(row.ipv6Count) : .nan
        incomplete = Double(row.count(of: .incomplete))
        permanent = Double(row.count(of: .permanent))
        reachable = number(.reachable)
        stale = number(.stale)
        delay = number(.delay)
        probe = number(.probe)
        failed = number(.failed)
        noArp = number(.noARP)
    }
}
