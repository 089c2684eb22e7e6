internal import TelemetrySchema

/// `/filesystem`: the sizes of mounted filesystems, by mountinfo and statfs(2).
struct FilesystemCollector: Collector, ~Copyable {
    static let topic = "/filesystem"
    static let entrySettings = EntrySetting.common + [.includeType, .excludeType]
    static let defaultHertz = 0.1
    static let isBlocking = true

    private let clock: () -> ClockReading
    private let entryCountMax: Int
    private var filter: EntryFilter
    private var typeFilter: EntryFilter
    private var mountInfo: MountInfoFile
    private var pool: StatisticsPool
    private var mounted: MountedFilesystems
    /// For the filesystems that are shown.
    private var questions: [StatisticsPool.Question] = []
    /// Of the filesystems that are shown, as of this sample.
    private var answers: [StatisticsPool.Answer] = []
    private var files: [Int] = []
    private var states: [FilesystemHistory.State] = []
    private var history = FilesystemHistory()
    private var rows: RepeatedField<FilesystemMessage>
    private var texts = TextArena(byteCapacity: 1)
    private var errorName: [UInt8] = []

    init(host: Host) throws(CollectError) {
        let settings = host.settings(of: Self.topic)
        clock = host.clock
        entryCountMax = settings.entryCountMax
        filter = EntryFilter(settings)
        typeFilter = EntryFilter(include: settings.includeType, exclude: settings.excludeType)
        mountInfo = try MountInfoFile(host: host)
        pool = StatisticsPool(timeoutSeconds: host.system.fileSystemTimeoutSeconds, host.system.fileSystemStatistics)
        mounted = MountedFilesystems(MountTable(), filter: &filter, typeFilter: &typeFilter)
        rows = RepeatedField(capacity: settings.entryCountMax)
    }

    mutating func sample(
        _ context: SampleContext, into message: inout FilesystemsMessage
    ) throws(CollectError) -> Sample {
        let before = clock()
        if try mountInfo.refresh() {
            mounted = MountedFilesystems(mountInfo.table, filter: &filter, typeFilter: &typeFilter)
            prepare()
        }
        while true {
            askAll()
            if files.isEmpty { break }
            mounted.removeShownMounts(of: files)
            prepare()
        }
        var sample = Sample(time: before.midpoint(to: clock()))
        guard !mounted.filesystems.isEmpty else { throw .nothingUsable }
        fillRows()
        message.setFilesystems(rows)
        sample.entryCount = rows.count
        sample.suppressedCount = mounted.filesystems.count - rows.count + mountInfo.table.suppressedCount
        sample.parseErrorCount = mountInfo.table.parseErrorCount
        sample.notes = notes()
        return sample
    }

    /// Prepares for the filesystems that are shown from now on.
    private mutating func prepare() {
        let shown = mounted.filesystems.prefix(entryCountMax)
        questions = shown.map { StatisticsPool.Question(path: $0.mount.path, isEssential: !$0.mount.isNetwork) }
        // Room for all: a text that is cut would not be unique.
        let byteCount = shown.reduce(1) { $0 + $1.mount.textByteCount }
        texts = TextArena(byteCapacity: byteCount + shown.count * FilesystemMessage.errorByteCountMax)
    }

    /// Asks the filesystems that are shown, and finds those whose mount is a single file.
    private mutating func askAll() {
        // Taken out, since the pool is the collector's, too.
        var (answers, files): ([StatisticsPool.Answer], [Int]) = ([], [])
        swap(&answers, &self.answers)
        swap(&files, &self.files)
        answers.removeAll(keepingCapacity: true)
        files.removeAll(keepingCapacity: true)
        for _ in questions { answers.append(.notAsked) }
        pool.ask(questions) { place, answer in
            answers[place] = answer
            if case .statistics(let statistics, _) = answer, !statistics.isDirectory { files.append(place) }
        }
        swap(&answers, &self.answers)
        swap(&files, &self.files)
    }

    private mutating func fillRows() {
        let shown = mounted.filesystems.prefix(entryCountMax)
        texts.removeAll()
        rows.removeAll()
        for (index, filesystem) in shown.enumerated() where rows.append() {
            let mount = filesystem.mount
            let id = texts.append(identifier: mount.id.span)
            let device = texts.append(identifier: mount.device.span)
            let type = texts.append(mount.type.span)
            answers[index].describeError(into: &errorName)
            let name = errorName
            let error = texts.append(name.span)
            rows.last.setId(id)
            rows.last.setDevice(device)
            rows.last.setFsType(type)
            rows.last.setError(error)
            rows.last.set(mount)
            rows.last.set(answers[index])
        }
    }

    /// What became of the filesystems since the last sample.
    private mutating func notes() -> [Note] {
        let shown = mounted.filesystems.prefix(entryCountMax)
        states.removeAll(keepingCapacity: true)
        for (index, filesystem) in shown.enumerated() {
            states.append(FilesystemHistory.State(filesystem.mount, answers[index]))
        }
        return history.notes(states)
    }
}

extension MountTable.Mount {
    /// With their terminators.
    fileprivate var textByteCount: Int { id.count + device.count + type.count + 3 }
}

extension StatisticsPool.Answer {
    /// Name of the errno; empty without one.
    fileprivate func describeError(into name: inout [UInt8]) {
        name.removeAll(keepingCapacity: true)
        if case .failure(let error, _) = self { error.describe(into: &name) }
    }
}

extension FilesystemMessage {
    /// `Filesystem.State` of the schema.
    private enum State: UInt32 {
        case unknown = 0
        case ok
        case error
        case unresponsive
    }

    /// "errno 2147483647" with its terminator.
    fileprivate static let errorByteCountMax = 24

    fileprivate mutating func set(_ mount: MountTable.Mount) {
        major = mount.major
        minor = mount.minor
        readOnly = mount.isReadOnly ? 1 : 0
    }

    fileprivate mutating func set(_ answer: StatisticsPool.Answer) {
        switch answer {
        case .statistics(let statistics, let seconds):
            state = .init(State.ok.rawValue)
            set(statistics)
            statSeconds = seconds
        case .failure(_, let seconds):
            state = .init(State.error.rawValue)
            clearSizes()
            statSeconds = seconds
        case .unresponsive:
            state = .init(State.unresponsive.rawValue)
            clearSizes()
        case .notAsked:
            state = .init(State.unknown.rawValue)
            clearSizes()
        }
    }

    private mutating func set(_ statistics: FileSystemStatistics) {
        let unit = Double(statistics.blockBytes)
        sizeBytes = Double(statistics.blockCount) * unit
        freeBytes = Double(statistics.freeBlockCount) * unit
        availableBytes = Double(statistics.availableBlockCount) * unit
        usedBytes = max(0, sizeBytes - freeBytes)
        let fillable = usedBytes + availableBytes
        usedRatio = fillable > 0 ? usedBytes / fillable : .nan
        let hasFiles = statistics.fileCount > 0
        filesTotal = hasFiles ? Double(statistics.fileCount) : .nan
        filesFree = hasFiles ? Double(statistics.freeFileCount) : .nan
        filesUsedRatio = hasFiles ? max(0, filesTotal - filesFree) / filesTotal : .nan
    }

    private mutating func clearSizes() {
        sizeBytes = .nan
        freeBytes = .nan
        availableBytes = .nan
        usedBytes = .nan
        usedRatio = .nan
        filesTotal = .nan
        filesFree = .nan
        filesUsedRatio = .nan
        statSeconds = .nan
    }
}
