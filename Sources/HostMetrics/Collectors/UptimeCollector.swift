internal import TelemetrySchema

/// `/system/uptime`: /proc/uptime (proc_uptime(5)), and `btime` of /proc/stat.
struct UptimeCollector: Collector, ~Copyable {
    static let topic = "/system/uptime"
    static let defaultHertz = 1.0
    static let resolutionSeconds = 0.01

    private var file: ProcFile
    private let clock: () -> ClockReading
    private let stat: StatSource?

    init(host: Host) throws(CollectError) {
        file = try ProcFile(path: "\(host.procfs)/uptime", byteCapacity: 256)
        clock = host.clock
        stat = try? host.statSource()
    }

    mutating func sample(_ context: SampleContext, into message: inout UptimeMessage) throws(CollectError) -> Sample {
        var sample = Sample(time: try file.read(clock))
        let text = UptimeText(parsing: file.text)
        guard let uptime = text.uptimeSeconds else { throw .nothingUsable }
        message.uptimeSeconds = uptime
        message.idleCpuSecondsTotal = text.idleSeconds ?? .nan
        let bootTime = try? stat?.withStatistics(tick: context.tick) { statistics, _ in statistics.activity.bootTime }
        message.bootTimeSeconds = bootTime.map { Double($0) } ?? .nan
        sample.entryCount = 1
        sample.parseErrorCount = text.parseErrorCount
        return sample
    }
}
