internal import TelemetrySchema

/// `/hung_tasks`: /proc/sys/kernel/hung_task_detect_count (kernel documentation, admin-guide/sysctl/kernel).
struct HungTasksCollector: Collector, ~Copyable {
    static let topic = "/hung_tasks"
    static let defaultHertz = 0.1

    private var file: ProcFile
    private let clock: () -> ClockReading
    private let wordWidth: Baselines.Width
    private var baselines = Baselines(columnCount: 1, rowCapacity: 1)

    init(host: Host) throws(CollectError) {
        file = try ProcFile(path: "\(host.procfs)/sys/kernel/hung_task_detect_count", byteCapacity: 256)
        clock = host.clock
        wordWidth = host.facts.wordWidth
    }

    mutating func sample(
        _ context: SampleContext, into message: inout HungTasksMessage
    ) throws(CollectError) -> Sample {
        var sample = Sample(time: try file.read(clock))
        guard let count = file.text.trimmed.unsignedValue else { throw .nothingUsable }
        baselines.begin(at: sample.time.monotonic, context: context)
        message.detectedPerSecond = baselines.rate(0, wordWidth, count)
        baselines.end()
        message.detectedTotal = count
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = 1
        sample.resetCount = baselines.resetCount
        return sample
    }
}
