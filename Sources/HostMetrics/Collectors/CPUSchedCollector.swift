internal import TelemetrySchema

/// `/cpu/sched`: /proc/schedstat.
struct CPUSchedCollector: Collector, ~Copyable {
    static let topic = "/cpu/sched"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 2.0

    private var file: ProcFile
    private let clock: () -> ClockReading
    private let isNarrow: Bool
    private var statistics = SchedulerStatistics()
    /// Columns: run and wait, which have 64 bits on every machine.
    private var times = Baselines(columnCount: 2, rowCapacity: 16)
    /// Of the machine's word size.
    private var timeslices = Baselines(columnCount: 1, rowCapacity: 16)
    private var filter: EntryFilter
    private var rows: RepeatedField<CpuSchedCoreMessage>

    init(host: Host) throws(CollectError) {
        file = try ProcFile(path: "\(host.procfs)/schedstat", byteCapacity: 16_384)
        let settings = host.settings(of: Self.topic)
        clock = host.clock
        isNarrow = host.facts.is32Bit
        filter = EntryFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
    }

    mutating func sample(_ context: SampleContext, into message: inout CpuSchedMessage) throws(CollectError) -> Sample {
        var sample = Sample(time: try file.readByLines(clock, into: &statistics))
        guard !statistics.cores.isEmpty else { throw .nothingUsable }
        times.begin(at: sample.time.monotonic, context: context)
        timeslices.begin(at: sample.time.monotonic, context: context)
        rows.removeAll()
        for core in statistics.cores where filter.admits(number: core.id) {
            if rows.append() { set(core, &sample) } else { sample.suppressedCount += 1 }
        }
        times.end()
        timeslices.end()
        message.setCores(rows)
        sample.intervalSeconds = times.intervalSeconds
        sample.entryCount = rows.count
        sample.parseErrorCount = statistics.parseErrorCount
        return sample
    }

    private mutating func set(_ core: SchedulerStatistics.Core, _ sample: inout Sample) {
        let nanoseconds: [2 of UInt64] = [core.runNanoseconds, core.waitNanoseconds]
        let counts: [1 of UInt64] = [core.timeslices]
        let time = times.addCounters(id: UInt64(core.id), isNarrow: false, nanoseconds.span)
        let slices = timeslices.addCounters(id: UInt64(core.id), isNarrow: isNarrow, counts.span)
        if time.wasReset || slices.wasReset { sample.resetCount += 1 }
        rows.last.id = core.id
        rows.last.runRatio = times.rate(time, column: 0) / 1e9
        rows.last.waitRatio = times.rate(time, column: 1) / 1e9
        rows.last.timeslicesPerSecond = timeslices.rate(slices, column: 0)
        rows.last.runSecondsTotal = Double(core.runNanoseconds) / 1e9
        rows.last.waitSecondsTotal = Double(core.waitNanoseconds) / 1e9
        rows.last.timeslicesTotal = core.timeslices
    }
}
