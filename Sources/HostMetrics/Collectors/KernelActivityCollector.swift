internal import TelemetrySchema

/// `/kernel`: the lines of /proc/stat that are not about CPUs.
struct KernelActivityCollector: Collector, ~Copyable {
    static let topic = "/kernel"
    static let defaultHertz = 10.0

    private let source: StatSource
    private let isNarrow: Bool
    /// A row for each counter, since each may be missing by itself.
    private var baselines = Baselines(columnCount: 1, rowCapacity: 4)

    init(host: Host) throws(CollectError) {
        source = try host.statSource()
        isNarrow = host.facts.is32Bit
    }

    mutating func sample(
        _ context: SampleContext, into message: inout KernelActivityMessage
    ) throws(CollectError) -> Sample {
        try source.withStatistics(tick: context.tick) { statistics, time throws(CollectError) in
            let activity = statistics.activity
            guard
                activity.contextSwitches != nil || activity.interrupts != nil || activity.softirqs != nil
                    || activity.forks != nil
            else { throw .nothingUsable }
            var sample = Sample(time: time)
            baselines.begin(at: time.monotonic, context: context)
            message.contextSwitchesPerSecond = rate(0, activity.contextSwitches, &sample)
            message.interruptsPerSecond = rate(1, activity.interrupts, &sample)
            message.softirqsPerSecond = rate(2, activity.softirqs, &sample)
            message.forksPerSecond = rate(3, activity.forks, &sample)
            baselines.end()
            message.contextSwitchesTotal = activity.contextSwitches ?? 0
            message.interruptsTotal = activity.interrupts ?? 0
            message.softirqsTotal = activity.softirqs ?? 0
            message.forksTotal = activity.forks ?? 0
            message.tasksRunning = UInt32(clamping: activity.running ?? 0)
            message.tasksBlocked = UInt32(clamping: activity.blocked ?? 0)
            sample.intervalSeconds = baselines.intervalSeconds
            sample.entryCount = 1
            sample.parseErrorCount = statistics.activityParseErrorCount
            return sample
        }
    }

    private mutating func rate(_ id: UInt64, _ counter: UInt64?, _ sample: inout Sample) -> Double {
        guard let counter else { return .nan }
        let counters: [1 of UInt64] = [counter]
        let row = baselines.addCounters(id: id, isNarrow: isNarrow, counters.span)
        if row.wasReset { sample.resetCount += 1 }
        return baselines.rate(row, column: 0)
    }
}
