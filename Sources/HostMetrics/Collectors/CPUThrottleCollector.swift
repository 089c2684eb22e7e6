internal import Glibc
internal import Telemetry
internal import TelemetrySchema

/// `/cpu/throttle`: the thermal_throttle counters of each core and package.
///
/// On a thread of its own: there are several files for each core.
struct CPUThrottleCollector: Collector, ~Copyable {
    static let topic = "/cpu/throttle"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 0.2
    static let isBlocking = true

    private let clock: () -> ClockReading
    private var source: ThrottleSource
    private var cores: ThrottleDomains
    private var packages: ThrottleDomains
    private var wasThrottled = false

    init(host: Host) throws(CollectError) {
        let settings = host.settings(of: Self.topic)
        var source = ThrottleSource(host: host, settings)
        var cores = ThrottleDomains(.cores, entryCountMax: settings.entryCountMax)
        var packages = ThrottleDomains(.packages, entryCountMax: settings.entryCountMax)
        source.refresh(at: host.clock().monotonic, &cores, &packages)
        guard !cores.list.isEmpty || !packages.list.isEmpty else { throw .open(errno: ENOENT) }
        self.source = source
        self.cores = cores
        self.packages = packages
        clock = host.clock
    }

    mutating func sample(
        _ context: SampleContext, into message: inout CpuThrottleMessage
    ) throws(CollectError) -> Sample {
        let before = clock()
        var sample = Sample(time: before)
        source.refresh(at: before.monotonic, &cores, &packages)
        source.baselines.begin(at: before.monotonic, context: context)
        source.arena.removeAll()
        cores.fill(from: &source, &sample)
        packages.fill(from: &source, &sample)
        source.baselines.end()
        guard cores.rows.count > 0 || packages.rows.count > 0 else { throw .nothingUsable }
        message.setCores(cores.rows)
        message.setPackages(packages.rows)
        sample.time = before.midpoint(to: clock())
        sample.intervalSeconds = source.baselines.intervalSeconds
        sample.entryCount = cores.rows.count + packages.rows.count
        let isThrottled = cores.areThrottled || packages.areThrottled
        if isThrottled, !wasThrottled { sample.alarm = .throttled }
        wasThrottled = isThrottled
        return sample
    }
}

/// What cores and packages are read from, and what they have in common.
private struct ThrottleSource: ~Copyable {
    let isNarrow: Bool
    var cpus: NumberedEntries
    var reader = FileReader(byteCapacity: 256)
    var baselines = Baselines(columnCount: 1, rowCapacity: 16)
    var filter: EntryFilter
    var arena: TextArena
    /// Of the core or package that is told of.
    var id: [UInt8] = []

    init(host: Host, _ settings: EntrySettings) {
        isNarrow = host.facts.is32Bit
        cpus = NumberedEntries(directory: "\(host.sysfs)/devices/system/cpu", prefix: "cpu")
        filter = EntryFilter(settings)
        arena = TextArena(byteCapacity: 2 * settings.entryCountMax * (ThrottleDomain.idByteCountMax + 1))
    }

    /// Looks which cores and packages there are, if it is time to.
    mutating func refresh(at time: Instant, _ cores: inout ThrottleDomains, _ packages: inout ThrottleDomains) {
        guard cpus.refresh(at: time) else { return }
        cores.removeAll()
        packages.removeAll()
        for cpu in cpus.numbers {
            cpus.select(cpu)
            guard let package = number(in: "topology/physical_package_id") else { continue }
            packages.add(ThrottleDomain(firstCPU: cpu, package: package, core: nil), &cpus)
            guard let core = number(in: "topology/core_id") else { continue }
            cores.add(ThrottleDomain(firstCPU: cpu, package: package, core: core), &cpus)
        }
    }

    private mutating func number(in leaf: StaticString) -> UInt32? {
        guard cpus.read(leaf, with: &reader), let value = reader.line.unsignedValue, value <= Int32.max else {
            return nil
        }
        return UInt32(value)
    }

    /// The counter of the CPU that was selected; nil: it cannot be read.
    mutating func count(in leaf: StaticString, _ sample: inout Sample) -> UInt64? {
        guard cpus.read(leaf, with: &reader) else {
            // The CPU went offline: another one may stand for its core.
            cpus.forget()
            return nil
        }
        let value = reader.line.unsignedValue
        if value == nil { sample.parseErrorCount += 1 }
        return value
    }

    /// NaN: the kernel does not tell.
    mutating func seconds(in leaf: StaticString) -> Double {
        guard cpus.read(leaf, with: &reader), let milliseconds = reader.line.unsignedValue else { return .nan }
        return Double(milliseconds) / 1_000
    }
}

/// All cores, or all packages, and their rows.
private struct ThrottleDomains: ~Copyable {
    /// Names of the files below a CPU.
    struct Files {
        var count: StaticString
        var totalTime: StaticString
        var longestTime: StaticString

        static let cores = Files(
            count: "thermal_throttle/core_throttle_count", totalTime: "thermal_throttle/core_throttle_total_time_ms",
            longestTime: "thermal_throttle/core_throttle_max_time_ms")
        static let packages = Files(
            count: "thermal_throttle/package_throttle_count",
            totalTime: "thermal_throttle/package_throttle_total_time_ms",
            longestTime: "thermal_throttle/package_throttle_max_time_ms")
    }

    private let files: Files
    private(set) var list: [ThrottleDomain] = []
    /// Of those in the list.
    private var keys: Set<UInt64> = []
    private(set) var rows: RepeatedField<CpuThrottleDomainMessage>
    /// Whether one of them was, since the baseline.
    private(set) var areThrottled = false

    init(_ files: Files, entryCountMax: Int) {
        self.files = files
        rows = RepeatedField(capacity: entryCountMax)
    }

    mutating func removeAll() {
        list.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
    }

    /// Adds what the CPU that was selected belongs to, unless it is known or does not count.
    mutating func add(_ domain: ThrottleDomain, _ cpus: inout NumberedEntries) {
        guard !keys.contains(domain.key), cpus.has(files.count) else { return }
        keys.insert(domain.key)
        list.append(domain)
    }

    mutating func fill(from source: inout ThrottleSource, _ sample: inout Sample) {
        areThrottled = false
        rows.removeAll()
        for domain in list {
            domain.writeID(to: &source.id)
            let id = source.id
            guard source.filter.admits(id) else { continue }
            source.cpus.select(domain.firstCPU)
            guard let count = source.count(in: files.count, &sample) else { continue }
            let counters: [1 of UInt64] = [count]
            let row = source.baselines.addCounters(id: domain.key, isNarrow: source.isNarrow, counters.span)
            if row.wasReset { sample.resetCount += 1 }
            if source.baselines.difference(row, column: 0) > 0 { areThrottled = true }
            guard rows.append() else {
                sample.suppressedCount += 1
                continue
            }
            rows.last.setId(source.arena.append(id.span))
            rows.last.firstCpu = domain.firstCPU
            rows.last.throttlesTotal = count
            rows.last.throttlesPerSecond = source.baselines.rate(row, column: 0)
            rows.last.throttledSecondsTotal = source.seconds(in: files.totalTime)
            rows.last.throttledSecondsMax = source.seconds(in: files.longestTime)
        }
    }
}

/// A core or a package. All its CPUs tell the same numbers.
private struct ThrottleDomain {
    /// Two numbers of 31 bits and a colon.
    static let idByteCountMax = 21

    /// The lowest of its CPUs that are online.
    let firstCPU: UInt32
    let package: UInt32
    /// Nil: the package as a whole.
    let core: UInt32?

    /// Tells it apart from all others.
    var key: UInt64 { UInt64(package) << 32 | (core.map { UInt64($0) } ?? 1 << 63) }

    /// The package's number, or that, a colon and the core's.
    func writeID(to id: inout [UInt8]) {
        id.removeAll(keepingCapacity: true)
        id.append(decimal: package)
        guard let core else { return }
        id.append(UInt8(ascii: ":"))
        id.append(decimal: core)
    }
}
