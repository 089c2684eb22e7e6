internal import Glibc
internal import TelemetrySchema

/// `/memory/compressed`: zram devices and KSM.
struct MemoryCompressedCollector: Collector, ~Copyable {
    static let topic = "/memory/compressed"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 1.0

    private let clock: () -> ClockReading
    private let pageSizeBytes: Double
    private var devices: NumberedEntries
    private var ksm: KSMFiles
    private var reader = FileReader(byteCapacity: 1_024)
    private var statistics = ZRAMStatistics()
    private var filter: EntryFilter
    private var rows: RepeatedField<ZramDeviceMessage>
    private var arena: TextArena

    /// "zram" and five digits, with the terminator.
    private static let idByteCountMax = 10

    init(host: Host) throws(CollectError) {
        var devices = NumberedEntries(directory: "\(host.sysfs)/block", prefix: "zram")
        var ksm = KSMFiles(directory: "\(host.sysfs)/kernel/mm/ksm", pageSizeBytes: host.facts.pageSizeBytes)
        devices.refresh(at: host.clock().monotonic)
        guard !devices.numbers.isEmpty || ksm.exist() else { throw .open(errno: ENOENT) }
        self.devices = devices
        self.ksm = ksm
        let settings = host.settings(of: Self.topic)
        clock = host.clock
        pageSizeBytes = host.facts.pageSizeBytes
        filter = EntryFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
        arena = TextArena(byteCapacity: settings.entryCountMax * Self.idByteCountMax)
    }

    mutating func sample(
        _ context: SampleContext, into message: inout MemoryCompressedMessage
    ) throws(CollectError) -> Sample {
        let before = clock()
        var sample = Sample(time: before)
        devices.refresh(at: before.monotonic)
        rows.removeAll()
        arena.removeAll()
        for number in devices.numbers { append(number, &sample) }
        message.setZram(rows)
        let hasKSM = ksm.read(&reader, into: &message)
        guard rows.count > 0 || hasKSM else { throw .nothingUsable }
        sample.time = before.midpoint(to: clock())
        sample.entryCount = rows.count
        return sample
    }

    private mutating func append(_ number: UInt32, _ sample: inout Sample) {
        devices.select(number)
        guard devices.isAdmitted(by: &filter) else { return }
        guard devices.read("disksize", with: &reader) else { return devices.forget() }
        let diskSize = reader.line.unsignedValue
        // Kernels before 4.1 have no such file.
        _ = devices.read("mm_stat", with: &reader)
        reader.parse(into: &statistics)
        sample.parseErrorCount += statistics.parseErrorCount + (diskSize == nil ? 1 : 0)
        guard rows.append() else {
            sample.suppressedCount += 1
            return
        }
        rows.last.setId(devices.appendName(to: &arena))
        rows.last.diskBytes = diskSize.map { Double($0) } ?? .nan
        rows.last.set(statistics, pageSizeBytes: pageSizeBytes)
    }
}

extension ZramDeviceMessage {
    fileprivate mutating func set(_ statistics: ZRAMStatistics, pageSizeBytes: Double) {
        originalBytes = statistics[.original]
        compressedBytes = statistics[.compressed]
        usedBytes = statistics[.used]
        usedMaxBytes = statistics[.usedMax]
        limitBytes = statistics[.limit] > 0 ? statistics[.limit] : .nan
        // What does not shrink is kept as it is, so there is never more than there was.
        compressedRatio = (compressedBytes / originalBytes).share
        sameFilledBytes = statistics[.samePages] * pageSizeBytes
        incompressibleBytes = statistics[.hugePages] * pageSizeBytes
    }
}

/// The files of KSM (Linux documentation: admin-guide/mm/ksm).
private struct KSMFiles: ~Copyable {
    private var path: FilePath
    private let directoryByteCount: Int
    private let pageSizeBytes: Double

    init(directory: String, pageSizeBytes: Double) {
        path = FilePath("\(directory)/")
        directoryByteCount = path.byteCount
        self.pageSizeBytes = pageSizeBytes
    }

    mutating func exist() -> Bool {
        path.replace(after: directoryByteCount, with: "run")
        return path.exists
    }

    /// Returns whether there is KSM; all is NaN and unknown without.
    mutating func read(_ reader: inout FileReader, into message: inout MemoryCompressedMessage) -> Bool {
        let run = number(in: "run", &reader)
        message.ksmState = Self.state(run)
        message.ksmSharedBytes = bytes(in: "pages_shared", &reader)
        message.ksmSharingBytes = bytes(in: "pages_sharing", &reader)
        message.ksmUnsharedBytes = bytes(in: "pages_unshared", &reader)
        message.ksmVolatileBytes = bytes(in: "pages_volatile", &reader)
        message.ksmZeroBytes = bytes(in: "ksm_zero_pages", &reader)
        message.ksmProfitBytes = signedNumber(in: "general_profit", &reader)
        message.ksmFullScansTotal = number(in: "full_scans", &reader) ?? 0
        return run != nil
    }

    private static func state(_ run: UInt64?) -> Sysmon__V1__KsmState {
        switch run {
        case 0: SYSMON__V1__KSM_STATE__KSM_STOPPED
        case 1: SYSMON__V1__KSM_STATE__KSM_RUNNING
        case 2: SYSMON__V1__KSM_STATE__KSM_UNMERGING
        default: SYSMON__V1__KSM_STATE__KSM_UNKNOWN
        }
    }

    private mutating func number(in leaf: StaticString, _ reader: inout FileReader) -> UInt64? {
        path.replace(after: directoryByteCount, with: leaf)
        return reader.unsigned(path)
    }

    private mutating func bytes(in leaf: StaticString, _ reader: inout FileReader) -> Double {
        number(in: leaf, &reader).map { Double($0) * pageSizeBytes } ?? .nan
    }

    private mutating func signedNumber(in leaf: StaticString, _ reader: inout FileReader) -> Double {
        path.replace(after: directoryByteCount, with: leaf)
        guard reader.read(path) else { return .nan }
        return reader.line.signedValue ?? .nan
    }
}
