internal import TelemetrySchema

/// `/cpu`: all CPUs together, from the `cpu` line of /proc/stat.
struct CPUUsageCollector: Collector, ~Copyable {
    static let topic = "/cpu"
    static let defaultHertz = 10.0
    /// Ten ticks: below that a share is mostly the kernel's rounding.
    static let defaultWindowSeconds = 0.1
    static let resolutionSeconds = 0.01

    private let source: StatSource
    private let userTickHertz: Double
    private var tracker = CPUShareTracker(rowCapacity: 1)

    init(host: Host) throws(CollectError) {
        source = try host.statSource()
        userTickHertz = host.facts.userTickHertz
    }

    mutating func sample(_ context: SampleContext, into message: inout CpuUsageMessage) throws(CollectError) -> Sample {
        try source.withStatistics(tick: context.tick) { statistics, time throws(CollectError) in
            guard let total = statistics.total else { throw .nothingUsable }
            tracker.begin(at: time.monotonic, context: context)
            let shares = tracker.shares(id: 0, total)
            message.set(shares)
            message.onlineCount = UInt32(statistics.cores.count)
            message.busyCores = shares.usage * Double(statistics.cores.count)
            message.set(total, userTickHertz: userTickHertz)

            var sample = Sample(time: time)
            sample.intervalSeconds = tracker.end()
            sample.entryCount = 1
            sample.parseErrorCount = statistics.totalParseErrorCount
            sample.resetCount = tracker.resetCount
            return sample
        }
    }
}

extension CpuUsageMessage {
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
