internal import TelemetrySchema

/// `/cpu/interrupts`: /proc/interrupts.
///
/// On a thread of its own, since the text has a number for each line and CPU: megabytes where there are many of both.
struct CPUInterruptsCollector: Collector, ~Copyable {
    static let topic = "/cpu/interrupts"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 1.0
    static let isBlocking = true

    /// Of a row's strings in the message; cleaned of what is not UTF-8 a description may take up thrice its bytes.
    private static let textByteCountMax = PerCPUTable.nameByteCountMax + 3 * PerCPUCounters.descriptionByteCountMax + 2

    private var file: ProcFile
    private let clock: () -> ClockReading
    private var counters: PerCPUCounters
    private var rates = PerCPURates()
    private var rows: RepeatedField<CpuInterruptMessage>
    private var arena: TextArena

    init(host: Host) throws(CollectError) {
        file = try ProcFile(path: "\(host.procfs)/interrupts", byteCapacity: 16_384)
        let settings = host.settings(of: Self.topic)
        clock = host.clock
        counters = PerCPUCounters(lineCountMax: settings.entryCountMax, filter: EntryFilter(settings))
        rows = RepeatedField(capacity: settings.entryCountMax)
        arena = TextArena(byteCapacity: settings.entryCountMax * Self.textByteCountMax)
    }

    mutating func sample(
        _ context: SampleContext, into message: inout CpuInterruptsMessage
    ) throws(CollectError) -> Sample {
        var sample = Sample(time: try file.readByLines(clock, into: &counters))
        guard counters.isUsable else { throw .nothingUsable }
        rates.begin(counters, context, &sample)
        rows.removeAll()
        arena.removeAll()
        for index in 0..<counters.count {
            guard rows.append() else { break }
            let line = counters[index]
            let rate = rates.rate(of: line, &sample)
            rows.last.setId(arena.append(line.name.bytes))
            rows.last.setDescription(counters.appendDescription(index, to: &arena))
            rows.last.total = line.total
            rows.last.perSecond = rate.perSecond
            rows.last.cpuShareMaxRatio = rate.busiestShare
        }
        rates.end(&sample)
        message.setLines(rows)
        sample.entryCount = rows.count
        return sample
    }
}
