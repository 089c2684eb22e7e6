internal import TelemetrySchema

/// `/load`: /proc/loadavg (proc_loadavg(5)).
struct LoadCollector: Collector, ~Copyable {
    static let topic = "/load"
    static let defaultHertz = 0.2
    /// The kernel renews the averages each 5·HZ + 1 ticks.
    static let resolutionSeconds = 5.0

    private var file: ProcFile
    private let clock: () -> ClockReading
    /// For the number of CPUs; a host may hide it.
    private let stat: StatSource?

    init(host: Host) throws(CollectError) {
        file = try ProcFile(path: "\(host.procfs)/loadavg", byteCapacity: 256)
        clock = host.clock
        stat = try? host.statSource()
    }

    mutating func sample(_ context: SampleContext, into message: inout LoadMessage) throws(CollectError) -> Sample {
        var sample = Sample(time: try file.read(clock))
        let averages = LoadAverages(parsing: file.text)
        guard averages.oneMinute != nil || averages.fiveMinutes != nil || averages.fifteenMinutes != nil else {
            throw .nothingUsable
        }
        message.load1 = averages.oneMinute ?? .nan
        message.load5 = averages.fiveMinutes ?? .nan
        message.load15 = averages.fifteenMinutes ?? .nan
        message.load1PerCpu = message.load1 / cpuCount(context)
        message.tasksRunnable = UInt32(clamping: averages.runnable)
        message.tasksTotal = UInt32(clamping: averages.total)
        message.lastPid = UInt32(clamping: averages.lastProcess)
        sample.entryCount = 1
        sample.parseErrorCount = averages.parseErrorCount
        return sample
    }

    /// NaN: not known.
    private func cpuCount(_ context: SampleContext) -> Double {
        let count = try? stat?.withStatistics(tick: context.tick) { statistics, _ in statistics.cores.count }
        guard let count, count > 0 else { return .nan }
        return Double(count)
    }
}
