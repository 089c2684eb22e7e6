internal import TelemetrySchema

/// `/net/softnet`: /proc/net/softnet_stat.
struct NetSoftnetCollector: Collector, ~Copyable {
    static let topic = "/net/softnet"
    static let entrySettings = [EntrySetting.maxEntries]
    static let defaultHertz = 2.0

    private var file: ProcFile
    private let clock: () -> ClockReading
    /// Which CPUs are online, for kernels that do not name them; a host may hide it.
    private let stat: StatSource?
    private var lines: [SoftnetStatistics.Row] = []
    private var baselines = Baselines(columnCount: 5, rowCapacity: 16)
    private var rows: RepeatedField<SoftnetCpuMessage>

    init(host: Host) throws(CollectError) {
        file = try ProcFile(path: "\(host.procfs)/net/softnet_stat", byteCapacity: 4_096)
        clock = host.clock
        stat = try? host.statSource()
        rows = RepeatedField(capacity: host.settings(of: Self.topic).entryCountMax)
    }

    mutating func sample(_ context: SampleContext, into message: inout NetSoftnetMessage) throws(CollectError) -> Sample
    {
        lines.removeAll(keepingCapacity: true)
        var parseErrorCount = 0
        let time = try file.read(byLines: true, clock) { text in
            parseErrorCount = SoftnetStatistics.forEach(in: text) { lines.append($0) }
        }
        var sample = Sample(time: time)
        sample.parseErrorCount = parseErrorCount
        guard !lines.isEmpty else { throw .nothingUsable }
        nameCPUs(context)
        baselines.begin(at: sample.time.monotonic, context: context)
        rows.removeAll()
        for place in lines.indices { append(place, &sample) }
        baselines.end()
        message.setCpus(rows)
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = rows.count
        return sample
    }

    /// Kernels before 5.10 print a line for each CPU that is online, but not which one it is.
    private mutating func nameCPUs(_ context: SampleContext) {
        guard lines.contains(where: { $0.cpu == nil }) else { return }
        for place in lines.indices { lines[place].cpu = UInt64(place) }
        // A CPU that comes or goes between the two reads leaves the lines their own numbers.
        let cores = try? stat?.withStatistics(tick: context.tick) { statistics, _ in statistics.cores }
        guard let cores, cores.count == lines.count else { return }
        for place in lines.indices { lines[place].cpu = UInt64(cores[place].id) }
    }

    private mutating func append(_ place: Int, _ sample: inout Sample) {
        let line = lines[place]
        let id = line.cpu ?? UInt64(place)
        for other in 0..<place where lines[other].cpu == id {
            sample.parseErrorCount += 1
            return
        }
        let columns: [5 of UInt64] = [
            line.processed, line.dropped, line.squeezed, line.receivedRPS ?? 0, line.flowLimit ?? 0,
        ]
        // unsigned int in the kernel, whatever the machine.
        let row = baselines.addCounters(id: id, isNarrow: true, columns.span)
        if row.wasReset { sample.resetCount += 1 }
        guard rows.append() else {
            sample.suppressedCount += 1
            return
        }
        rows.last.id = UInt32(clamping: id)
        rows.last.set(line)
        rows.last.setRates(row, baselines, line)
    }
}

extension SoftnetCpuMessage {
    fileprivate mutating func set(_ line: SoftnetStatistics.Row) {
        backlogPackets = line.backlog.map { Double($0) } ?? .nan
        processedTotal = line.processed
        droppedTotal = line.dropped
        squeezedTotal = line.squeezed
        receivedRpsTotal = line.receivedRPS ?? 0
        flowLimitTotal = line.flowLimit ?? 0
    }

    fileprivate mutating func setRates(
        _ row: Baselines.Row, _ baselines: borrowing Baselines, _ line: SoftnetStatistics.Row
    ) {
        processedPerSecond = baselines.rate(row, column: 0)
        droppedPerSecond = baselines.rate(row, column: 1)
        squeezedPerSecond = baselines.rate(row, column: 2)
        receivedRpsPerSecond = line.receivedRPS == nil ? .nan : baselines.rate(row, column: 3)
        flowLimitPerSecond = line.flowLimit == nil ? .nan : baselines.rate(row, column: 4)
    }
}
