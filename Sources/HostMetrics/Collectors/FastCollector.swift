internal import TelemetrySchema

/// `/fast`: a few sources that move within milliseconds, each read in about a microsecond.
struct FastCollector: Collector, ~Copyable {
    static let topic = "/fast"
    static let defaultHertz = 100.0
    static let defaultWindowSeconds = 0.01

    private enum Row: UInt64 { case usage, stall, received, sent }

    private let clock: () -> ClockReading
    private var parseErrorCount = 0
    private let lateness: WakeupLateness
    private let isNarrow: Bool
    private var usage: ProcFile?
    private var pressure: ProcFile?
    private var stalls = PressureStalls()
    private var interface: DefaultInterface
    private var baselines = Baselines(columnCount: 1, rowCapacity: 4)

    init(host: Host) throws(CollectError) {
        clock = host.clock
        lateness = host.lateness
        isNarrow = host.facts.is32Bit
        let unified = "\(host.sysfs)/fs/cgroup"
        usage =
            (try? ProcFile(path: "\(unified)/cpu.stat", byteCapacity: 512))
            ?? (try? ProcFile(path: "\(unified)/unified/cpu.stat", byteCapacity: 512))
        pressure = try? ProcFile(path: "\(host.procfs)/pressure/cpu", byteCapacity: 256)
        interface = DefaultInterface(procfs: host.procfs, sysfs: host.sysfs)
    }

    mutating func sample(_ context: SampleContext, into message: inout FastMessage) throws(CollectError) -> Sample {
        let before = clock()
        parseErrorCount = 0
        let used = readUsage()
        let stalled = readStall()
        let bytes = interface.read(clock)
        var sample = Sample(time: before.midpoint(to: clock()))
        baselines.begin(at: sample.time.monotonic, context: context)
        message.busyCores = rate(.usage, used, &sample) / 1e6
        message.cpuStallRatio = (rate(.stall, stalled, &sample) / 1e6).limited(to: 1)
        message.rxBytesPerSecond = rate(.received, bytes.received, &sample)
        message.txBytesPerSecond = rate(.sent, bytes.sent, &sample)
        message.wakeupLatenessSeconds = lateness.lastSeconds
        baselines.end()
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = 1
        sample.parseErrorCount = parseErrorCount
        if let note = interface.takeNote() { sample.notes.append(note) }
        return sample
    }

    private mutating func rate(_ id: Row, _ counter: UInt64?, _ sample: inout Sample) -> Double {
        guard let counter else { return .nan }
        let counters: [1 of UInt64] = [counter]
        let row = baselines.addCounters(
            id: id.rawValue, isNarrow: isNarrow && (id == .received || id == .sent), counters.span)
        if row.wasReset { sample.resetCount += 1 }
        return baselines.rate(row, column: 0)
    }

    /// Microseconds: the line usage_usec of cpu.stat (Documentation/admin-guide/cgroup-v2.rst).
    private mutating func readUsage() -> UInt64? {
        guard (try? usage?.read(clock)) != nil, let text = usage?.text else { return nil }
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            if cursor.skip("usage_usec "), case .value(let value) = cursor.unsigned() { return value }
            cursor.skipLine()
        }
        parseErrorCount += 1
        return nil
    }

    /// Microseconds.
    private mutating func readStall() -> UInt64? {
        guard (try? pressure?.read(clock)) != nil, let text = pressure?.text else { return nil }
        stalls.parse(text)
        parseErrorCount += stalls.parseErrorCount
        return stalls.some.totalMicroseconds
    }
}
