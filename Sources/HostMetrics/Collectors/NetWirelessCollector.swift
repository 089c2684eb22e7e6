internal import Glibc
internal import TelemetrySchema

/// `/net/wireless`: /proc/net/wireless.
struct NetWirelessCollector: Collector, ~Copyable {
    static let topic = "/net/wireless"
    static let defaultHertz = 1.0

    private var file: ProcFile?
    private let clock: () -> ClockReading
    private var filter: EntryFilter
    private var known = KnownNames()
    private var baselines = Baselines(columnCount: WirelessStatistics.counterCount, rowCapacity: 4)
    private var rows: RepeatedField<WirelessInterfaceMessage>
    private var arena: TextArena

    /// Bytes of a name that is published; the kernel's have at most 15, of which each may become three.
    private static let nameByteCountMax = 64

    init(host: Host) throws(CollectError) {
        var file = try ProcFile(path: "\(host.procfs)/net/wireless", byteCapacity: 1_024)
        // The file is there on every machine whose kernel knows of such devices, headings only.
        var interfaceCount = 0
        _ = try? file.read(byLines: true, host.clock) { text in
            _ = WirelessStatistics.forEach(in: text) { _, _ in interfaceCount += 1 }
        }
        guard interfaceCount > 0 else { throw .open(errno: ENODEV) }
        self.file = consume file
        clock = host.clock
        let settings = host.settings(of: Self.topic)
        filter = EntryFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
        arena = TextArena(byteCapacity: settings.entryCountMax * Self.nameByteCountMax)
    }

    mutating func sample(_ context: SampleContext, into message: inout NetWirelessMessage) throws(CollectError)
        -> Sample
    {
        // Taken out, since whatever comes of its text changes the collector.
        guard var file = file.take() else { throw .nothingUsable }
        let result = Result { () throws(CollectError) in Sample(time: try file.readByLines(clock)) }
        var sample: Sample?
        if case .success(var read) = result {
            fillRows(file.text, context, &read)
            sample = read
        }
        self.file = consume file
        guard let sample else { return try result.get() }
        message.setInterfaces(rows)
        return sample
    }

    private mutating func fillRows(_ text: Span<UInt8>, _ context: SampleContext, _ sample: inout Sample) {
        rows.removeAll()
        arena.removeAll()
        baselines.begin(at: sample.time.monotonic, context: context)
        known.begin()
        let parseErrorCount = WirelessStatistics.forEach(in: text) { name, line in append(name, line, &sample) }
        sample.parseErrorCount += parseErrorCount
        known.end()
        baselines.end()
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = rows.count
    }

    private mutating func append(_ name: Span<UInt8>, _ line: WirelessStatistics.Row, _ sample: inout Sample) {
        guard name.count <= Self.nameByteCountMax / 3, let identity = known.add(name) else {
            sample.parseErrorCount += 1
            return
        }
        let row = baselines.addCounters(id: identity, isNarrow: true, line.counters.span)
        if row.wasReset { sample.resetCount += 1 }
        guard filter.admits(name) else { return }
        guard rows.append() else {
            sample.suppressedCount += 1
            return
        }
        rows.last.setId(arena.append(id: known.name(of: identity)))
        rows.last.set(line)
        rows.last.setRates(row, baselines)
    }
}

/// Numbers for names, kept from one reading to the next.
private struct KnownNames {
    private struct Entry {
        var name: [UInt8]
        var identity: UInt64
        var reading: UInt64
    }

    private var entries: [Entry] = []
    private var lastIdentity: UInt64 = 0
    private var reading: UInt64 = 0

    mutating func begin() { reading += 1 }

    /// nil: this reading had the name already.
    mutating func add(_ name: Span<UInt8>) -> UInt64? {
        for place in entries.indices {
            let known = entries[place].name
            guard name.equals(known.span) else { continue }
            guard entries[place].reading != reading else { return nil }
            entries[place].reading = reading
            return entries[place].identity
        }
        var bytes: [UInt8] = []
        for index in name.indices { bytes.append(name[index]) }
        lastIdentity += 1
        entries.append(Entry(name: bytes, identity: lastIdentity, reading: reading))
        return lastIdentity
    }

    func name(of identity: UInt64) -> [UInt8] { entries.first { $0.identity == identity }?.name ?? [] }

    /// Forgets what this reading did not have.
    mutating func end() { entries.removeAll { $0.reading != reading } }
}

extension WirelessInterfaceMessage {
    fileprivate mutating func set(_ line: WirelessStatistics.Row) {
        // cfg80211 counts from -110 to -40 dBm in 70 steps where it knows dBm, and else to 100.
        let best = line.level < 0 ? 70.0 : 100
        linkRatio = line.link >= 0 ? min(1, Double(line.link) / best) : .nan
        signalDbm = line.level < 0 ? Double(line.level) : .nan
        noiseDbm = line.noise < 0 && line.noise > -256 ? Double(line.noise) : .nan
        status = UInt32(clamping: line.status)
        discardedNetworkIdTotal = line.counters[0]
        discardedCryptTotal = line.counters[1]
        discardedFragmentTotal = line.counters[2]
        discardedRetryTotal = line.counters[3]
        discardedMiscTotal = line.counters[4]
        missedBeaconsTotal = line.counters[5]
    }

    fileprivate mutating func setRates(_ row: Baselines.Row, _ baselines: borrowing Baselines) {
        discardedNetworkIdPerSecond = baselines.rate(row, column: 0)
        discardedCryptPerSecond = baselines.rate(row, column: 1)
        discardedFragmentPerSecond = baselines.rate(row, column: 2)
        discardedRetryPerSecond = baselines.rate(row, column: 3)
        discardedMiscPerSecond = baselines.rate(row, column: 4)
        missedBeaconsPerSecond = baselines.rate(row, column: 5)
    }
}
