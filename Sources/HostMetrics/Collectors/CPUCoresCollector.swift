internal import TelemetrySchema

/// `/cpu/cores`: each CPU that is online, from the `cpuN` lines of /proc/stat.
struct CPUCoresCollector: Collector, ~Copyable {
    static let topic = "/cpu/cores"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 2.0
    static let defaultWindowSeconds = 0.1
    static let resolutionSeconds = 0.01

    private let source: StatSource
    private let userTickHertz: Double
    private var tracker = CPUShareTracker(rowCapacity: 16)
    private var filter: EntryFilter
    private var rows: RepeatedField<CpuCoreMessage>

    init(host: Host) throws(CollectError) {
        source = try host.statSource()
        userTickHertz = host.facts.userTickHertz
        let settings = host.settings(of: Self.topic)
        filter = EntryFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
    }

    mutating func sample(_ context: SampleContext, into message: inout CpuCoresMessage) throws(CollectError) -> Sample {
        try source.withStatistics(tick: context.tick) { statistics, time throws(CollectError) in
            guard !statistics.cores.isEmpty else { throw .nothingUsable }
            var sample = Sample(time: time)
            tracker.begin(at: time.monotonic, context: context)
            rows.removeAll()
            for core in statistics.cores where filter.admits(number: core.id) {
                let shares = tracker.shares(id: UInt64(core.id), core.times)
                guard rows.append() else {
                    sample.suppressedCount += 1
                    continue
                }
                rows.last.id = core.id
                rows.last.set(shares)
                rows.last.set(core.times, userTickHertz: userTickHertz)
            }
            message.setCores(rows)
            sample.intervalSeconds = tracker.end()
            sample.entryCount = rows.count
            sample.parseErrorCount = statistics.coresParseErrorCount
            sample.resetCount = tracker.resetCount
            return sample
        }
    }
}

extension CpuCoreMessage {
    fileprivate mutating func set(_ shares: CPUShares) {
        usageRatio = shares.usage
        userRatio = shares.user
        niceRatio = shares.nice
        systemRatio = shares.system
        irqRatio = shares.irq
        softirqRatio = shares.softirq
        stealRatio = shares.steal
        guestRatio = shares.guest
        guestNiceRatio = shares.guestNice
        idleRatio = shares.idle
        iowaitRatio = shares.iowait
    }

    fileprivate mutating func set(_ times: CPUTimes, userTickHertz: Double) {
        func seconds(_ column: Int) -> Double { Double(times.columns[column]) / userTickHertz }
        userSecondsTotal = seconds(CPUTimes.Column.user)
        niceSecondsTotal = seconds(CPUTimes.Column.nice)
        systemSecondsTotal = seconds(CPUTimes.Column.system)
        idleSecondsTotal = seconds(CPUTimes.Column.idle)
        iowaitSecondsTotal = seconds(CPUTimes.Column.iowait)
        irqSecondsTotal = seconds(CPUTimes.Column.irq)
        softirqSecondsTotal = seconds(CPUTimes.Column.softirq)
        stealSecondsTotal = seconds(CPUTimes.Column.steal)
        guestSecondsTotal = seconds(CPUTimes.Column.guest)
        guestNiceSecondsTotal = seconds(CPUTimes.Column.guestNice)
    }
}
