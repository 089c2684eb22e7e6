internal import Glibc
internal import Telemetry
internal import TelemetrySchema

/// `/cpu/frequency`: cpufreq in sysfs, else /proc/cpuinfo.
///
/// On a thread of its own, since some kernels sleep while they find out.
struct CPUFrequencyCollector: Collector, ~Copyable {
    static let topic = "/cpu/frequency"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 1.0
    static let resolutionSeconds = 0.02
    static let isBlocking = true

    /// A reading of one CPU that takes longer is one in which the kernel slept.
    private static let slowNanoseconds: UInt64 = 500_000
    /// So often in a row it must be slow before cpufreq is given up: a busy machine delays any reading now and then.
    private static let slowCountMax = 3

    private let clock: () -> ClockReading
    /// Tells which CPUs are online.
    private let stat: StatSource
    private var cpus: NumberedEntries
    private var reader: FileReader
    private var cpuInfo: CPUInfoFile
    private var limits: CPULimits
    private var slowCount = 0
    private var filter: EntryFilter
    private var rows: RepeatedField<CpuFrequencyMessage>
    /// CPUs that are published.
    private var ids: [UInt32] = []

    init(host: Host) throws(CollectError) {
        let stat = try host.statSource()
        var reader = FileReader()
        var cpus = NumberedEntries(directory: "\(host.sysfs)/devices/system/cpu", prefix: "cpu")
        var cpuInfo = CPUInfoFile(path: "\(host.procfs)/cpuinfo")
        cpus.refresh(at: host.clock().monotonic)
        guard Self.offersScaling(&cpus) || cpuInfo.tellsFrequencies(&reader) else { throw .open(errno: ENOENT) }
        self.stat = stat
        self.reader = reader
        self.cpus = cpus
        self.cpuInfo = cpuInfo
        let settings = host.settings(of: Self.topic)
        clock = host.clock
        limits = CPULimits(entryCountMax: settings.entryCountMax)
        filter = EntryFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
    }

    private static func offersScaling(_ cpus: inout NumberedEntries) -> Bool {
        for number in cpus.numbers {
            cpus.select(number)
            if cpus.has("cpufreq/scaling_cur_freq") { return true }
        }
        return false
    }

    mutating func sample(
        _ context: SampleContext, into message: inout CpuFrequenciesMessage
    ) throws(CollectError) -> Sample {
        let before = clock()
        var sample = Sample(time: before)
        try listCPUs(context, &sample)
        cpuInfo.forget()
        limits.refresh(at: before.monotonic, ids, &cpus, &reader)
        var usesScaling = slowCount < Self.slowCountMax
        var sum = CPUFrequencySum()
        rows.removeAll()
        for (index, id) in ids.enumerated() {
            guard rows.append() else { break }
            let start = index == 0 ? clock().monotonic : nil
            var hertz = usesScaling ? scalingHertz(id, &sample) : nil
            if usesScaling, let start { usesScaling = isWorthIt(since: start, &sample) }
            hertz = hertz ?? cpuInfo.hertz(of: id, &reader)
            rows.last.id = id
            rows.last.currentHertz = hertz ?? .nan
            rows.last.set(limits.entries[index])
            if let hertz { sum.add(hertz) }
        }
        guard sum.count > 0 else { throw .nothingUsable }
        message.setCpus(rows)
        message.averageHertz = sum.total / Double(sum.count)
        message.maximumHertz = sum.highest
        sample.time = before.midpoint(to: clock())
        sample.entryCount = rows.count
        sample.parseErrorCount += cpuInfo.parseErrorCount
        return sample
    }

    private mutating func listCPUs(_ context: SampleContext, _ sample: inout Sample) throws(CollectError) {
        ids.removeAll(keepingCapacity: true)
        try stat.withStatistics(tick: context.tick) { statistics, _ throws(CollectError) in
            for core in statistics.cores {
                guard filter.admits(number: core.id) else { continue }
                if ids.count < rows.capacity { ids.append(core.id) } else { sample.suppressedCount += 1 }
            }
        }
    }

    private mutating func scalingHertz(_ id: UInt32, _ sample: inout Sample) -> Double? {
        cpus.select(id)
        guard cpus.read("cpufreq/scaling_cur_freq", with: &reader) else { return nil }
        if let hertz = reader.line.hertz { return hertz }
        // What the kernel prints where the driver cannot tell.
        if !reader.line.equals("<unknown>") { sample.parseErrorCount += 1 }
        return nil
    }

    /// Whether cpufreq is read for the rest of this sample, now that its first CPU was read.
    private mutating func isWorthIt(since start: Instant, _ sample: inout Sample) -> Bool {
        guard clock().monotonic.nanoseconds &- start.nanoseconds > Self.slowNanoseconds else {
            slowCount = 0
            return true
        }
        // Slow is better than nothing.
        guard cpuInfo.tellsFrequencies(&reader) else { return true }
        slowCount += 1
        if slowCount == Self.slowCountMax {
            sample.notes.append(Note(.info, "cpufreq takes long to read: /proc/cpuinfo is read instead"))
        }
        return false
    }
}

/// What is told about all CPUs together.
private struct CPUFrequencySum {
    var count = 0
    var total = 0.0
    var highest = 0.0

    mutating func add(_ hertz: Double) {
        count += 1
        total += hertz
        highest = max(highest, hertz)
    }
}

/// /proc/cpuinfo, read at most once per sample, and only when a CPU needs it.
private struct CPUInfoFile: ~Copyable {
    private let path: FilePath
    private var frequencies = CPUInfoFrequencies()
    private var isCurrent = false

    init(path: String) { self.path = FilePath(path) }

    /// Of the reading in this sample; 0: none.
    var parseErrorCount: Int { isCurrent ? frequencies.parseErrorCount : 0 }

    mutating func forget() { isCurrent = false }

    private mutating func refresh(_ reader: inout FileReader) {
        guard !isCurrent else { return }
        isCurrent = true
        frequencies.removeAll()
        if reader.read(path) { reader.parse(into: &frequencies) }
    }

    mutating func tellsFrequencies(_ reader: inout FileReader) -> Bool {
        refresh(&reader)
        return !frequencies.isEmpty
    }

    mutating func hertz(of id: UInt32, _ reader: inout FileReader) -> Double? {
        refresh(&reader)
        return frequencies.hertz(of: id)
    }
}

/// What a governor may do with a CPU, looked at again every 10 s or when other CPUs are online.
private struct CPULimits: ~Copyable {
    struct Entry {
        var id: UInt32
        var lowest: Double
        var highest: Double
        var governor: Text
    }

    private static let lifetimeNanoseconds: UInt64 = 10_000_000_000
    /// Twice CPUFREQ_NAME_LEN of the kernel.
    private static let governorByteCountMax = 32

    private(set) var entries: [Entry] = []
    private var arena: TextArena
    private var refreshedAt: Instant?

    init(entryCountMax: Int) { arena = TextArena(byteCapacity: entryCountMax * (Self.governorByteCountMax + 1)) }

    mutating func refresh(
        at time: Instant, _ ids: [UInt32], _ cpus: inout NumberedEntries, _ reader: inout FileReader
    ) {
        if let refreshedAt, time >= refreshedAt, time.nanoseconds - refreshedAt.nanoseconds < Self.lifetimeNanoseconds,
            entries.elementsEqual(ids, by: { $0.id == $1 })
        {
            return
        }
        refreshedAt = time
        entries.removeAll(keepingCapacity: true)
        arena.removeAll()
        for id in ids {
            cpus.select(id)
            let lowest = cpus.read("cpufreq/scaling_min_freq", with: &reader) ? reader.line.hertz : nil
            let highest = cpus.read("cpufreq/scaling_max_freq", with: &reader) ? reader.line.hertz : nil
            let hasGovernor = cpus.read("cpufreq/scaling_governor", with: &reader)
            let governor = reader.appendLine(to: &arena, byteCountMax: hasGovernor ? Self.governorByteCountMax : 0)
            entries.append(Entry(id: id, lowest: lowest ?? .nan, highest: highest ?? .nan, governor: governor))
        }
    }
}

extension Span<UInt8> {
    /// A frequency of cpufreq, which counts in kHz; nil: unusable.
    fileprivate var hertz: Double? {
        guard let kilohertz = unsignedValue, kilohertz > 0 else { return nil }
        return Double(kilohertz) * 1_000
    }
}

extension CpuFrequencyMessage {
    fileprivate mutating func set(_ limits: CPULimits.Entry) {
        minLimitHertz = limits.lowest
        maxLimitHertz = limits.highest
        setGovernor(limits.governor)
    }
}
