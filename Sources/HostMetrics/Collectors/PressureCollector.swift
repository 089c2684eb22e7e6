internal import Glibc
internal import TelemetrySchema

/// `/pressure`: /proc/pressure (kernel documentation, accounting/psi).
struct PressureCollector: Collector, ~Copyable {
    static let topic = "/pressure"
    static let defaultHertz = 2.0

    private var cpu: PressureResource
    private var memory: PressureResource
    private var io: PressureResource
    private var irq: PressureResource
    private let clock: () -> ClockReading
    /// A row for each line of each resource.
    private var baselines = Baselines(columnCount: 1, rowCapacity: 8)

    init(host: Host) throws(CollectError) {
        let folder = "\(host.procfs)/pressure"
        cpu = PressureResource(path: "\(folder)/cpu", rowID: 0)
        memory = PressureResource(path: "\(folder)/memory", rowID: 2)
        io = PressureResource(path: "\(folder)/io", rowID: 4)
        irq = PressureResource(path: "\(folder)/irq", rowID: 6)
        clock = host.clock
        // Where the kernel was told to measure nothing, the files are there, but fail to be read.
        guard refresh() != nil else { throw .open(errno: EOPNOTSUPP) }
    }

    mutating func sample(_ context: SampleContext, into message: inout PressureMessage) throws(CollectError) -> Sample {
        guard let time = refresh() else { throw .nothingUsable }
        var sample = Sample(time: time)
        baselines.begin(at: time.monotonic, context: context)
        cpu.set(&baselines, &sample)
        memory.set(&baselines, &sample)
        io.set(&baselines, &sample)
        irq.set(&baselines, &sample)
        baselines.end()
        message.setCpu(cpu.rows)
        message.setMemory(memory.rows)
        message.setIo(io.rows)
        message.setIrq(irq.rows)
        guard sample.entryCount > 0 else { throw .nothingUsable }
        sample.intervalSeconds = baselines.intervalSeconds
        sample.resetCount = baselines.resetCount
        return sample
    }

    /// Reads all; returns when the first was read, nil if none could be.
    private mutating func refresh() -> ClockReading? {
        let times = (cpu.read(clock), memory.read(clock), io.read(clock), irq.read(clock))
        return times.0 ?? times.1 ?? times.2 ?? times.3
    }
}

/// One file of /proc/pressure, and its part of the message.
private struct PressureResource: ~Copyable {
    private var file: ProcFile?
    private var stalls = PressureStalls()
    /// Of the row for "some"; that for "full" is the next.
    private let rowID: UInt64
    /// One, or none where the kernel does not report the resource.
    private(set) var rows = RepeatedField<PressureStallMessage>(capacity: 1)

    init(path: String, rowID: UInt64) {
        file = try? ProcFile(path: path, byteCapacity: 512)
        self.rowID = rowID
    }

    mutating func read(_ clock: () -> ClockReading) -> ClockReading? {
        stalls = PressureStalls()
        return try? file?.read(clock, into: &stalls)
    }

    mutating func set(_ baselines: inout Baselines, _ sample: inout Sample) {
        rows.removeAll()
        sample.parseErrorCount += stalls.parseErrorCount
        guard !stalls.isEmpty, rows.append() else { return }
        sample.entryCount += 1
        rows.last.setSome(stalls.some)
        rows.last.setFull(stalls.full)
        rows.last.someRatio = Self.ratio(stalls.some, &baselines, rowID)
        rows.last.fullRatio = Self.ratio(stalls.full, &baselines, rowID + 1)
    }

    /// Share of the span that was lost; the kernel's clock runs a trifle apart from ours.
    private static func ratio(_ line: PressureStalls.Line, _ baselines: inout Baselines, _ rowID: UInt64) -> Double {
        guard let total = line.totalMicroseconds else { return .nan }
        return (baselines.rate(rowID, .bits64, total) / 1e6).limited(to: 1)
    }
}

extension PressureStallMessage {
    fileprivate mutating func setSome(_ line: PressureStalls.Line) {
        someAvg10Ratio = (line.average10 / 100).share
        someAvg60Ratio = (line.average60 / 100).share
        someAvg300Ratio = (line.average300 / 100).share
        someStallSecondsTotal = line.totalMicroseconds.map { Double($0) / 1e6 } ?? .nan
    }

    fileprivate mutating func setFull(_ line: PressureStalls.Line) {
        fullAvg10Ratio = (line.average10 / 100).share
        fullAvg60Ratio = (line.average60 / 100).share
        fullAvg300Ratio = (line.average300 / 100).share
        fullStallSecondsTotal = line.totalMicroseconds.map { Double($0) / 1e6 } ?? .nan
    }
}
