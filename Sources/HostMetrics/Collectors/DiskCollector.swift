internal import TelemetrySchema

/// `/disk`: /proc/diskstats (kernel documentation, admin-guide/iostats).
struct DiskCollector: Collector, ~Copyable {
    static let topic = "/disk"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 5.0
    /// The kernel counts the time with requests in ticks of 1 to 10 ms.
    static let defaultWindowSeconds = 0.05

    private var file: ProcFile
    private var table: DiskTable
    private var baselines: DiskBaselines
    private var rows: RepeatedField<DiskMessage>
    /// By row.
    private var names: EntryNames
    /// The table's generation that the names are of.
    private var namedGeneration = UInt64.max
    private let clock: () -> ClockReading

    init(host: Host) throws(CollectError) {
        file = try ProcFile(path: "\(host.procfs)/diskstats", byteCapacity: 8_192)
        let settings = host.settings(of: Self.topic)
        table = DiskTable(DiskSelection(settings))
        baselines = DiskBaselines(wordWidth: host.facts.wordWidth)
        rows = RepeatedField(capacity: settings.entryCountMax)
        // A byte that is not UTF-8 takes three.
        names = EntryNames(byteCapacity: settings.entryCountMax * (3 * Limits.diskNameByteCountMax + 1))
        clock = host.clock
    }

    mutating func sample(_ context: SampleContext, into message: inout DisksMessage) throws(CollectError) -> Sample {
        var sample = Sample(time: try file.readByLines(clock, into: &table))
        sample.parseErrorCount = table.parseErrorCount
        sample.suppressedCount = table.excessCount
        sample.notes = table.notes
        if namedGeneration != table.generation { nameEntries() }
        baselines.begin(at: sample.time.monotonic, context: context)
        rows.removeAll()
        for place in table.entries.indices {
            guard let counters = table.entries[place].counters else { continue }
            guard rows.append() else {
                sample.suppressedCount += 1
                continue
            }
            let growth = baselines.growth(of: table.entries[place].identity, counters)
            rows.last.setId(names[rows.count - 1])
            rows.last.major = table.entries[place].major
            rows.last.minor = table.entries[place].minor
            rows.last.set(counters)
            rows.last.set(growth, overSeconds: baselines.intervalSeconds)
        }
        baselines.end()
        guard rows.count > 0 else { throw .nothingUsable }
        message.setDevices(rows)
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = rows.count
        sample.resetCount = baselines.resetCount
        return sample
    }

    private mutating func nameEntries() {
        namedGeneration = table.generation
        names.removeAll()
        for entry in table.entries.filter(\.isPublished).prefix(rows.capacity) { names.append(entry.name) }
    }
}

extension DiskMessage {
    private static let sectorByteCount: UInt64 = 512

    fileprivate mutating func set(_ counters: DiskCounters) {
        func seconds(_ field: DiskCounters.Field) -> Double { Double(counters[field]) / 1_000 }
        inFlight = UInt32(clamping: counters[.inFlight])
        readsTotal = counters[.reads]
        readsMergedTotal = counters[.readsMerged]
        readBytesTotal = counters[.sectorsRead] &* Self.sectorByteCount
        readSecondsTotal = seconds(.readMilliseconds)
        writesTotal = counters[.writes]
        writesMergedTotal = counters[.writesMerged]
        writeBytesTotal = counters[.sectorsWritten] &* Self.sectorByteCount
        writeSecondsTotal = seconds(.writeMilliseconds)
        ioSecondsTotal = seconds(.ioMilliseconds)
        weightedIoSecondsTotal = seconds(.weightedMilliseconds)
        discardsTotal = counters.hasDiscards ? counters[.discards] : 0
        discardBytesTotal = counters.hasDiscards ? counters[.sectorsDiscarded] &* Self.sectorByteCount : 0
        discardsMergedTotal = counters.hasDiscards ? counters[.discardsMerged] : 0
        discardSecondsTotal = counters.hasDiscards ? seconds(.discardMilliseconds) : 0
        flushesTotal = counters.hasFlushes ? counters[.flushes] : 0
        flushSecondsTotal = counters.hasFlushes ? seconds(.flushMilliseconds) : 0
    }

    fileprivate mutating func set(_ growth: DiskBaselines.Growth, overSeconds seconds: Double) {
        let sectorBytes = Double(Self.sectorByteCount)
        readsPerSecond = growth[.reads] / seconds
        readsMergedPerSecond = growth[.readsMerged] / seconds
        readBytesPerSecond = growth[.sectorsRead] * sectorBytes / seconds
        writesPerSecond = growth[.writes] / seconds
        writesMergedPerSecond = growth[.writesMerged] / seconds
        writeBytesPerSecond = growth[.sectorsWritten] * sectorBytes / seconds
        discardsPerSecond = growth[.discards] / seconds
        discardBytesPerSecond = growth[.sectorsDiscarded] * sectorBytes / seconds
        flushesPerSecond = growth[.flushes] / seconds
        readAwaitSeconds = Self.await(growth[.readMilliseconds], growth[.reads])
        writeAwaitSeconds = Self.await(growth[.writeMilliseconds], growth[.writes])
        discardAwaitSeconds = Self.await(growth[.discardMilliseconds], growth[.discards])
        flushAwaitSeconds = Self.await(growth[.flushMilliseconds], growth[.flushes])
        utilizationRatio = (growth[.ioMilliseconds] / 1_000 / seconds).limited(to: 1)
        queueDepthAverage = growth[.weightedMilliseconds] / 1_000 / seconds
    }

    /// Mean time of an operation; NaN when none completed.
    private static func await(_ milliseconds: Double, _ operationCount: Double) -> Double {
        operationCount > 0 ? milliseconds / 1_000 / operationCount : .nan
    }
}
