internal import TelemetrySchema

/// `/jitter`: how late the agent's timer wakes it.
struct JitterCollector: Collector, ~Copyable {
    static let topic = "/jitter"
    static let defaultHertz = 2.0

    private let lateness: WakeupLateness
    private let clock: () -> ClockReading
    private var baselines = Baselines(columnCount: 1, rowCapacity: 1)

    init(host: Host) throws(CollectError) {
        lateness = host.lateness
        clock = host.clock
    }

    mutating func sample(_ context: SampleContext, into message: inout JitterMessage) throws(CollectError) -> Sample {
        var sample = Sample(time: clock())
        let counters: [1 of UInt64] = [lateness.wakeupCount]
        baselines.begin(at: sample.time.monotonic, context: context)
        let row = baselines.addCounters(id: 0, isNarrow: false, counters.span)
        let isKnown = row.hasBaseline
        let percentiles = lateness.percentiles
        message.lastSeconds = lateness.lastSeconds
        message.p50Seconds = isKnown ? percentiles.p50 : .nan
        message.p99Seconds = isKnown ? percentiles.p99 : .nan
        message.maxSeconds = isKnown ? percentiles.max : .nan
        message.wakeupsTotal = lateness.wakeupCount
        message.wakeupsPerSecond = baselines.rate(row, column: 0)
        baselines.end()
        lateness.reset()
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = 1
        return sample
    }
}
