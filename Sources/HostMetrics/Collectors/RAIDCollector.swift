internal import Glibc
internal import TelemetrySchema

/// `/md`: /proc/mdstat (md(4)).
struct RAIDCollector: Collector, ~Copyable {
    static let topic = "/md"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 0.2
    /// Older kernels wait for each array's lock, which is held for as long as an array is being changed.
    static let isBlocking = true

    private var file: ProcFile
    private var status = RAIDStatus()
    private let clock: () -> ClockReading
    private var filter: EntryFilter
    private var rows: RepeatedField<MdArrayMessage>
    private var texts: TextArena

    init(host: Host) throws(CollectError) {
        file = try Self.open(host)
        clock = host.clock
        let settings = host.settings(of: Self.topic)
        filter = EntryFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
        // A byte that is not UTF-8 takes three.
        let byteCountMax = 3 * (Limits.diskNameByteCountMax + RAIDStatus.Array.levelByteCountMax) + 2
        texts = TextArena(byteCapacity: settings.entryCountMax * byteCountMax)
    }

    private static func open(_ host: Host) throws(CollectError) -> ProcFile {
        var file = try ProcFile(path: "\(host.procfs)/mdstat")
        var status = RAIDStatus()
        _ = try? file.readByLines(host.clock, into: &status)
        // The file is there as soon as the driver is, on many hosts without any array.
        guard !status.arrays.isEmpty else { throw .open(errno: ENOENT) }
        return file
    }

    mutating func sample(_ context: SampleContext, into message: inout MdArraysMessage) throws(CollectError) -> Sample {
        var sample = Sample(time: try file.readByLines(clock, into: &status))
        sample.parseErrorCount = status.parseErrorCount
        sample.suppressedCount = status.excessCount
        texts.removeAll()
        rows.removeAll()
        for array in status.arrays where filter.admits(array.name.span) {
            guard rows.append() else {
                sample.suppressedCount += 1
                continue
            }
            rows.last.setId(texts.append(id: array.name))
            rows.last.setLevel(texts.append(array.level.span))
            rows.last.set(array)
        }
        message.setArrays(rows)
        sample.entryCount = rows.count
        return sample
    }
}

extension MdArrayMessage {
    fileprivate mutating func set(_ array: RAIDStatus.Array) {
        state = .init(array.activity.rawValue)
        readOnly = array.isReadOnly ? 1 : 0
        // Levels without copies have all their disks or do not run.
        let working = array.activity == .inactive ? 0 : array.disksListed
        disksRequired = array.disksRequired ?? working
        disksActive = array.disksActive ?? working
        disksFailed = array.disksFailed
        disksSpare = array.disksSpare
        disksDown = array.disksDown
        sizeBytes = Self.bytes(array.blocks)
        syncDoneBytes = Self.bytes(array.syncDone)
        syncTargetBytes = Self.bytes(array.syncTarget)
        syncRatio = array.syncDone == 0 ? 0 : (syncDoneBytes / syncTargetBytes).limited(to: 1)
        syncBytesPerSecond = array.syncBlocksPerSecond * 1_024
        syncRemainingSeconds = array.syncMinutesLeft * 60
    }

    /// Blocks are KiB.
    private static func bytes(_ blocks: UInt64?) -> Double { blocks.map { Double($0) * 1_024 } ?? .nan }
}
