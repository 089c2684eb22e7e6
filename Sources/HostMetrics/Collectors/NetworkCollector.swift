internal import TelemetrySchema

/// `/net`: each network interface, by rtnetlink on this machine, else by files.
struct NetworkCollector: Collector, ~Copyable {
    static let topic = "/net"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 10.0

    private var monitor: LinkMonitor<NetlinkSocket>?
    private var files: InterfaceFiles?
    private var table = InterfaceTable()
    private let clock: () -> ClockReading
    private let isNarrow: Bool
    private var baselines = Baselines(columnCount: InterfaceCounters.columnCount, rowCapacity: 16)
    private var filter: EntryFilter
    private var rows: RepeatedField<NetInterfaceMessage>
    private var names = EntryNames()
    /// Whether the host's owner wants an interface published.
    private var isAdmitted: [Bool] = []
    /// The table's generation that the names are of.
    private var namedGeneration = UInt64.max
    /// What is there at first did not just appear.
    private var isFirst = true

    init(host: Host) throws(CollectError) {
        clock = host.clock
        isNarrow = host.facts.is32Bit
        let settings = host.settings(of: Self.topic)
        filter = EntryFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
        if host.procfs == "/proc" {
            do throws(CollectError) {
                var monitor = try LinkMonitor<NetlinkSocket>(sysfs: host.sysfs)
                // Kernels before 4.7 refuse the request, some sandboxes the socket.
                _ = try monitor.refresh(&table, clock)
                self.monitor = consume monitor
                return
            } catch { table = InterfaceTable() }
        }
        files = try InterfaceFiles(procfs: host.procfs, sysfs: host.sysfs)
    }

    mutating func sample(_ context: SampleContext, into message: inout NetworkMessage) throws(CollectError) -> Sample {
        var sample = Sample(time: try refresh())
        sample.parseErrorCount = files?.parseErrorCount ?? 0
        if namedGeneration != table.generation { nameEntries() }
        if isFirst || !table.events.isEmpty { reportEvents(&sample) }
        var physicalCount = 0
        var presentCount = 0
        for place in table.entries.indices where table.isPresent(place) && isAdmitted[place] {
            presentCount += 1
            if table.entries[place].attributes.isPhysical { physicalCount += 1 }
        }
        guard !table.entries.isEmpty else { throw .nothingUsable }
        // Where not all fit, virtual ones stay out.
        var virtualRest = rows.capacity - min(physicalCount, rows.capacity)
        baselines.begin(at: sample.time.monotonic, context: context)
        rows.removeAll()
        for place in table.entries.indices where table.isPresent(place) && isAdmitted[place] {
            if !table.entries[place].attributes.isPhysical {
                guard virtualRest > 0 else { continue }
                virtualRest -= 1
            }
            append(place, &sample)
        }
        baselines.end()
        message.setInterfaces(rows)
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = rows.count
        sample.suppressedCount = presentCount - rows.count
        return sample
    }

    private mutating func refresh() throws(CollectError) -> ClockReading {
        if let time = try monitor?.refresh(&table, clock) { return time }
        guard let time = try files?.refresh(&table, clock) else { throw .nothingUsable }
        return time
    }

    private mutating func nameEntries() {
        namedGeneration = table.generation
        // A byte that is not UTF-8 becomes three; and a terminator each.
        let byteCount = table.entries.reduce(0) { $0 + $1.name.count * 3 + 1 }
        if byteCount > names.byteCapacity { names = EntryNames(byteCapacity: byteCount * 2) }
        names.removeAll()
        isAdmitted.removeAll(keepingCapacity: true)
        for entry in table.entries {
            names.append(entry.name)
            isAdmitted.append(filter.admits(entry.name))
        }
    }

    @inline(never)
    private mutating func reportEvents(_ sample: inout Sample) {
        defer { table.removeEvents() }
        guard !isFirst else { return isFirst = false }
        for event in table.events {
            switch event {
            case .appeared(let name): note(.info, name, "appeared", &sample)
            case .vanished(let name): note(.info, name, "vanished", &sample)
            // Whatever goes away goes down before; only a link that is still there was lost.
            case .lost(let name) where table.entries.contains { $0.name == name } && filter.admits(name):
                note(.warning, name, "lost its link", &sample)
                sample.alarm = .linkLost
            case .lost: break
            }
        }
        if table.moreEventCount > 0 {
            sample.notes.append(Note(.info, "\(table.moreEventCount) more changes of interfaces"))
        }
    }

    private mutating func note(_ level: Note.Level, _ name: [UInt8], _ what: String, _ sample: inout Sample) {
        guard filter.admits(name) else { return }
        sample.notes.append(Note(level, "\(String(decoding: name, as: UTF8.self)) \(what)"))
    }

    private mutating func append(_ place: Int, _ sample: inout Sample) {
        let counters = table.entries[place].counters
        var row = Baselines.Row(slot: 0, hasBaseline: false, wasReset: false)
        if table.entries[place].isComplete {
            row = baselines.addCounters(
                id: table.entries[place].identity, isNarrow: isNarrow, counters.columns.span)
            if row.wasReset { sample.resetCount += 1 }
        }
        guard rows.append() else { return }
        let speed = table.entries[place].attributes.speedBitsPerSecond
        rows.last.setId(names[place])
        rows.last.set(table.entries[place].attributes)
        rows.last.set(counters)
        rows.last.setRates(row, baselines, speedBitsPerSecond: speed)
    }
}

extension NetInterfaceMessage {
    fileprivate mutating func set(_ attributes: LinkAttributes) {
        index = attributes.index
        operState = .init(UInt32(attributes.operState.rawValue))
        duplex = .init(UInt32(attributes.duplex.rawValue))
        speedBitsPerSecond = attributes.speedBitsPerSecond
        mtuBytes = attributes.mtuBytes
        carrierChangesTotal = attributes.carrierChanges
    }

    fileprivate mutating func set(_ counters: InterfaceCounters) {
        typealias Column = InterfaceCounters.Column
        rxBytesTotal = counters.columns[Column.rxBytes]
        txBytesTotal = counters.columns[Column.txBytes]
        rxPacketsTotal = counters.columns[Column.rxPackets]
        txPacketsTotal = counters.columns[Column.txPackets]
        rxErrorsTotal = counters.columns[Column.rxErrors]
        txErrorsTotal = counters.columns[Column.txErrors]
        rxDroppedTotal = counters.columns[Column.rxDropped]
        txDroppedTotal = counters.columns[Column.txDropped]
        rxFifoErrorsTotal = counters.columns[Column.rxFifoErrors]
        rxFrameErrorsTotal = counters.columns[Column.rxFrameErrors]
        rxMulticastTotal = counters.columns[Column.rxMulticast]
        txFifoErrorsTotal = counters.columns[Column.txFifoErrors]
        txCollisionsTotal = counters.columns[Column.txCollisions]
        txCarrierErrorsTotal = counters.columns[Column.txCarrierErrors]
    }

    fileprivate mutating func setRates(
        _ row: Baselines.Row, _ baselines: borrowing Baselines, speedBitsPerSecond: Double
    ) {
        typealias Column = InterfaceCounters.Column
        rxBytesPerSecond = baselines.rate(row, column: Column.rxBytes)
        txBytesPerSecond = baselines.rate(row, column: Column.txBytes)
        rxPacketsPerSecond = baselines.rate(row, column: Column.rxPackets)
        txPacketsPerSecond = baselines.rate(row, column: Column.txPackets)
        rxErrorsPerSecond = baselines.rate(row, column: Column.rxErrors)
        txErrorsPerSecond = baselines.rate(row, column: Column.txErrors)
        rxDroppedPerSecond = baselines.rate(row, column: Column.rxDropped)
        txDroppedPerSecond = baselines.rate(row, column: Column.txDropped)
        rxUtilizationRatio = rxBytesPerSecond * 8 / speedBitsPerSecond
        txUtilizationRatio = txBytesPerSecond * 8 / speedBitsPerSecond
    }
}
