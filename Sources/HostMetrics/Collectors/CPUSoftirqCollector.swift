internal import TelemetrySchema

/// `/cpu/softirq`: /proc/softirqs.
struct CPUSoftirqCollector: Collector, ~Copyable {
    static let topic = "/cpu/softirq"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 1.0

    private var file: ProcFile
    private let clock: () -> ClockReading
    private var counters: PerCPUCounters
    private var rates = PerCPURates()
    private var rows: RepeatedField<CpuSoftirqMessage>
    private var arena: TextArena

    init(host: Host) throws(CollectError) {
        file = try ProcFile(path: "\(host.procfs)/softirqs", byteCapacity: 8_192)
        let settings = host.settings(of: Self.topic)
        clock = host.clock
        counters = PerCPUCounters(lineCountMax: settings.entryCountMax, filter: EntryFilter(settings))
        rows = RepeatedField(capacity: settings.entryCountMax)
        arena = TextArena(byteCapacity: settings.entryCountMax * (PerCPUTable.nameByteCountMax + 1))
    }

    mutating func sample(
        _ context: SampleContext, into message: inout CpuSoftirqsMessage
    ) throws(CollectError) -> Sample {
        var sample = Sample(time: try file.read(clock, into: &counters))
        guard counters.isUsable else { throw .nothingUsable }
        rates.begin(counters, context, &sample)
        rows.removeAll()
        arena.removeAll()
        for index in 0..<counters.count {
            guard rows.append() else { break }
            let line = counters[index]
            let rate = rates.rate(of: line, &sample)
            rows.last.setId(arena.append(line.name.bytes))
            rows.last.total = line.total
            rows.last.perSecond = rate.perSecond
            rows.last.cpuShareMaxRatio = rate.busiestShare
        }
        rates.end(&sample)
        message.setVectors(rows)
        sample.entryCount = rows.count
        return sample
    }
}
