internal import Glibc
internal import TelemetrySchema

/// `/net/wireless`: what drivers tell by nl80211, and /proc/net/wireless.
struct NetWirelessCollector: Collector, ~Copyable {
    static let topic = "/net/wireless"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 1.0
    /// Some drivers ask the card's firmware.
    static let isBlocking = true

    private var file: ProcFile?
    private var drivers: WirelessStations<NetlinkSocket>?
    private let clock: () -> ClockReading
    private var filter: EntryFilter
    private var interfaces = WirelessInterfaces()
    private var extensions = Baselines(columnCount: WirelessStatistics.counterCount, rowCapacity: 4)
    private var links = Baselines(columnCount: 1, rowCapacity: 12)
    private var rows: RepeatedField<WirelessInterfaceMessage>
    private var arena: TextArena

    /// Bytes of a name that is published; the kernel's have at most 15, of which each may become three.
    fileprivate static let nameByteCountMax = 64

    init(host: Host) throws(CollectError) {
        file = try? ProcFile(path: "\(host.procfs)/net/wireless", byteCapacity: 1_024)
        if host.procfs == "/proc" {
            if let socket = try? NetlinkSocket(groups: 0, protocolNumber: GenericNetlink.protocolNumber) {
                drivers = try? WirelessStations(socket)
            }
        }
        clock = host.clock
        let settings = host.settings(of: Self.topic)
        filter = EntryFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
        arena = TextArena(byteCapacity: settings.entryCountMax * Self.nameByteCountMax)
        // The kernel's parts are there on machines without any such interface, too.
        _ = read()
        guard !interfaces.entries.isEmpty else { throw .open(errno: interfaces.isRead ? ENODEV : ENOENT) }
    }

    mutating func sample(_ context: SampleContext, into message: inout NetWirelessMessage) throws(CollectError)
        -> Sample
    {
        let before = clock()
        let parseErrorCount = read()
        guard interfaces.isRead else { throw .nothingUsable }
        var sample = Sample(time: before.midpoint(to: clock()))
        sample.parseErrorCount = parseErrorCount
        rows.removeAll()
        arena.removeAll()
        extensions.begin(at: sample.time.monotonic, context: context)
        links.begin(at: sample.time.monotonic, context: context)
        for entry in interfaces.entries { append(entry, &sample) }
        extensions.end()
        links.end()
        message.setInterfaces(rows)
        sample.intervalSeconds = extensions.intervalSeconds
        sample.entryCount = rows.count
        return sample
    }

    /// Returns how many lines were dropped.
    private mutating func read() -> Int {
        interfaces.begin()
        var parseErrorCount = 0
        if (try? file?.readByLines(clock)) != nil, let text = file?.text {
            interfaces.isRead = true
            var dropped = 0
            parseErrorCount = WirelessStatistics.forEach(in: text) { name, line in
                if !interfaces.set(line, of: name) { dropped += 1 }
            }
            parseErrorCount += dropped
        }
        if (try? drivers?.refresh()) != nil, drivers != nil {
            interfaces.isRead = true
            for station in drivers?.stations ?? [] { interfaces.set(station) }
        }
        interfaces.end()
        return parseErrorCount
    }

    private mutating func append(_ entry: WirelessInterfaces.Entry, _ sample: inout Sample) {
        var row = Baselines.Row(slot: 0, hasBaseline: false, wasReset: false)
        if let line = entry.line {
            row = extensions.addCounters(id: entry.identity, isNarrow: true, line.counters.span)
            if row.wasReset { sample.resetCount += 1 }
        }
        let rates = (
            rate(0, entry.station?.retries, of: entry, &sample), rate(1, entry.station?.failures, of: entry, &sample),
            rate(2, entry.station?.beaconLosses, of: entry, &sample)
        )
        guard filter.admits(entry.name) else { return }
        guard rows.append() else {
            sample.suppressedCount += 1
            return
        }
        rows.last.reset()
        rows.last.setId(arena.append(id: entry.name))
        rows.last.set(entry.line)
        rows.last.setRates(row, extensions)
        rows.last.set(entry.station)
        (rows.last.txRetriesPerSecond, rows.last.txFailuresPerSecond, rows.last.beaconLossesPerSecond) = rates
    }

    /// Of a counter that begins anew with each association.
    private mutating func rate(
        _ column: UInt64, _ counter: UInt32?, of entry: WirelessInterfaces.Entry, _ sample: inout Sample
    ) -> Double {
        guard let counter else { return .nan }
        let row = links.addCounter(id: entry.identity << 2 | column, width: .bits32, UInt64(counter))
        if row.wasReset { sample.resetCount += 1 }
        return links.rate(row, column: 0)
    }
}

/// What both sources tell, by the name of the interface.
private struct WirelessInterfaces {
    struct Entry {
        var name: [UInt8]
        /// Tells an interface from an earlier one of the same name.
        var identity: UInt64
        var line: WirelessStatistics.Row?
        var station: WirelessStations<NetlinkSocket>.Station?
        fileprivate var isPresent = true
    }

    private(set) var entries: [Entry] = []
    /// Whether one of the sources could be read.
    var isRead = false
    private var lastIdentity: UInt64 = 0

    mutating func begin() {
        isRead = false
        for place in entries.indices {
            entries[place].isPresent = false
            entries[place].line = nil
            entries[place].station = nil
        }
    }

    /// False: the line counts for nothing, since its name was there before or is too long.
    mutating func set(_ line: WirelessStatistics.Row, of name: Span<UInt8>) -> Bool {
        guard name.count <= NetWirelessCollector.nameByteCountMax / 3 else { return false }
        let place = place(of: name)
        guard entries[place].line == nil else { return false }
        entries[place].line = line
        return true
    }

    mutating func set(_ station: WirelessStations<NetlinkSocket>.Station) {
        let name = station.name
        guard name.count <= NetWirelessCollector.nameByteCountMax / 3 else { return }
        entries[place(of: name.span)].station = station
    }

    private mutating func place(of name: Span<UInt8>) -> Int {
        for place in entries.indices {
            let known = entries[place].name
            guard name.equals(known.span) else { continue }
            entries[place].isPresent = true
            return place
        }
        lastIdentity += 1
        entries.append(Entry(name: name.indices.map { name[$0] }, identity: lastIdentity))
        return entries.count - 1
    }

    /// Forgets what this reading did not have.
    mutating func end() { entries.removeAll { !$0.isPresent } }
}

extension WirelessInterfaceMessage {
    /// Nil: the kernel was built without wireless extensions.
    fileprivate mutating func set(_ line: WirelessStatistics.Row?) {
        (linkRatio, signalDbm, noiseDbm) = (.nan, .nan, .nan)
        guard let line else { return }
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

    /// Nil: no driver tells anything of it.
    fileprivate mutating func set(_ station: WirelessStations<NetlinkSocket>.Station?) {
        // The driver knows better than what the kernel makes of it for old programs.
        if let signal = station?.signalDBm, !signal.isNaN { signalDbm = signal }
        txBitrateBitsPerSecond = station?.transmitBitsPerSecond ?? .nan
        rxBitrateBitsPerSecond = station?.receiveBitsPerSecond ?? .nan
        txRetriesTotal = UInt64(station?.retries ?? 0)
        txFailuresTotal = UInt64(station?.failures ?? 0)
        beaconLossesTotal = UInt64(station?.beaconLosses ?? 0)
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
