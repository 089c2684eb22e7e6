internal import Telemetry
internal import TelemetrySchema

/// `/processes`: how many there are, and those that use the most.
struct ProcessesCollector: Collector, ~Copyable {
    static let topic = "/processes"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 0.5
    static let isBlocking = true

    /// The share of a CPU that reading all processes may take.
    private static let costRatioMax = 0.02
    /// However long it took, there is a next scan within some minutes.
    private static let costNanosecondsMax: UInt64 = 5_000_000_000
    private static let userNamesNanoseconds: UInt64 = 60_000_000_000
    /// Text of a row: 64 bytes of name, 3 × 32 of user, and its path, which is cut.
    private static let textByteCountMax = 1_024
    private static let nameByteCountMax = 64
    private static let pathByteCountMax = 512

    private let clock: () -> ClockReading
    private let threadNanoseconds: () -> UInt64
    private let facts: HostFacts
    private let stat: StatSource?
    private var table: ProcessTable
    private var top = TopProcesses()
    /// Only tells whether, and over what span, two scans may be compared: a row for each process and reading would
    /// take many times what they take.
    private var span = Baselines(columnCount: 1, rowCapacity: 1)
    private var reader = FileReader(byteCapacity: 256)
    private let limitPath: FilePath
    private let usersPath: FilePath
    private var users = UserNames()
    private var usersReadAt: UInt64?
    /// What ``users`` was made of.
    private var usersText: [UInt8] = []
    private var rows: RepeatedField<ProcessMessage>
    private var texts: TextArena

    private var summary = ProcessesSummary()
    private var lastSample: Sample?
    private var nextScan: UInt64 = 0
    private var isStretched = false

    init(host: Host) throws(CollectError) {
        let settings = host.settings(of: Self.topic)
        clock = host.clock
        threadNanoseconds = host.system.threadNanoseconds
        facts = host.facts
        stat = try? host.statSource()
        table = try ProcessTable(host: host, filter: EntryFilter(settings))
        limitPath = FilePath("\(host.procfs)/sys/kernel/pid_max")
        usersPath = FilePath("\(host.rootfs)/etc/passwd")
        rows = RepeatedField(capacity: min(settings.entryCountMax, 3 * TopProcesses.countMax))
        texts = TextArena(byteCapacity: rows.capacity * Self.textByteCountMax)
    }

    mutating func sample(
        _ context: SampleContext, into message: inout ProcessesMessage
    ) throws(CollectError) -> Sample {
        let before = clock()
        if let lastSample, before.monotonic.nanoseconds < nextScan {
            summary.copy(to: &message)
            message.setTop(rows)
            return lastSample
        }
        lastSample = nil
        let usedBefore = threadNanoseconds()
        var sample = scan(context, at: before)
        guard !table.entries.isEmpty else { throw .nothingUsable }
        summarize()
        top.choose(from: table.entries)
        fillRows(context, at: before)
        sample.entryCount = rows.count
        sample.suppressedCount += max(0, top.places.count - rows.capacity)
        let after = clock()
        sample.time = before.midpoint(to: after)
        let nanoseconds = after.monotonic.nanoseconds - min(before.monotonic.nanoseconds, after.monotonic.nanoseconds)
        summary.scanSeconds = Double(nanoseconds) / 1e9
        putOffNextScan(since: before, cost: threadNanoseconds() &- usedBefore, context.period, &sample)
        summary.copy(to: &message)
        message.setTop(rows)
        // Without what is told once: notes, and parse errors.
        var repetition = Sample(time: sample.time)
        repetition.intervalSeconds = sample.intervalSeconds
        repetition.entryCount = sample.entryCount
        repetition.suppressedCount = sample.suppressedCount
        lastSample = repetition
        return sample
    }

    private mutating func scan(_ context: SampleContext, at time: ClockReading) -> Sample {
        var context = context
        context.windowSeconds = 0
        span.begin(at: time.monotonic, context: context)
        let nothing: [1 of UInt64] = [0]
        let row = span.addCounters(id: 0, isNarrow: false, nothing.span)
        span.end()
        let seconds = row.hasBaseline ? span.intervalSeconds : .nan
        table.scan(seconds: seconds)
        var sample = Sample(time: time)
        sample.intervalSeconds = seconds
        sample.suppressedCount = table.suppressedCount
        sample.parseErrorCount = table.parseErrorCount
        return sample
    }

    /// Puts off the next scan so that all of them take a small share of a CPU only.
    private mutating func putOffNextScan(
        since before: ClockReading, cost: UInt64, _ period: Period, _ sample: inout Sample
    ) {
        let pause = UInt64(Double(min(cost, Self.costNanosecondsMax)) / Self.costRatioMax)
        nextScan = before.monotonic.nanoseconds + pause
        // Not told again and again where it is on the verge.
        if pause < period.nanoseconds / 2 { isStretched = false }
        guard pause > period.nanoseconds, !isStretched else { return }
        isStretched = true
        sample.notes.append(
            Note(
                .info,
                "\(table.entries.count) processes take \(cost / 1_000_000) ms of a CPU to read: "
                    + "they are read every \((pause + 999_999_999) / 1_000_000_000) s"))
    }

    private mutating func summarize() {
        summary = ProcessesSummary()
        for entry in table.entries { summary.add(entry.stat) }
        summary.processes += UInt32(clamping: table.suppressedCount)
        summary.limit = reader.unsigned(limitPath).map { Double($0) } ?? .nan
    }

    private mutating func fillRows(_ context: SampleContext, at time: ClockReading) {
        refreshUserNames(at: time.monotonic.nanoseconds)
        let bootTime = try? stat?.withStatistics(tick: context.tick) { statistics, _ in statistics.activity.bootTime }
        rows.removeAll()
        texts.removeAll()
        for place in top.places where rows.count < rows.capacity {
            let entry = table.entries[place]
            guard table.turn(to: entry), rows.append() else { continue }
            let name = Self.appendName(table.files, to: &texts)
            let user = table.read("/status") ? ProcessStatus.effectiveUser(parsing: table.files.text) : nil
            let knownName = user.flatMap { users[$0] } ?? []
            let userName = texts.append(knownName.span)
            let group = table.read("/cgroup") ? Self.appendGroup(table.files, to: &texts) : texts.append("")
            rows.last.setName(name)
            rows.last.setUser(userName)
            rows.last.setCgroup(group)
            rows.last.userId = user ?? 0
            rows.last.set(entry, facts, bootTime: bootTime.flatMap { $0 }.map { Double($0) } ?? .nan)
        }
    }

    private static func appendName(_ files: borrowing ProcessFiles, to texts: inout TextArena) -> Text {
        texts.append(ProcessStat.name(in: files.text).extracting(first: nameByteCountMax))
    }

    private static func appendGroup(_ files: borrowing ProcessFiles, to texts: inout TextArena) -> Text {
        texts.append(ControlGroupPath.path(parsing: files.text).extracting(first: pathByteCountMax))
    }

    private mutating func refreshUserNames(at now: UInt64) {
        if let usersReadAt, now >= usersReadAt, now - usersReadAt < Self.userNamesNanoseconds { return }
        usersReadAt = now
        _ = reader.read(usersPath)
        let known = usersText
        guard !reader.text.equals(known.span) else { return }
        var text: [UInt8] = []
        for index in reader.text.indices { text.append(reader.text[index]) }
        users = UserNames(parsing: text.span)
        usersText = text
    }
}

/// What is told of all processes together.
private struct ProcessesSummary {
    var processes: UInt32 = 0
    var threads: UInt64 = 0
    /// By ``ProcessState``, unknown ones first.
    var states: [7 of UInt32] = .init(repeating: 0)
    var limit = Double.nan
    var scanSeconds = Double.nan

    mutating func add(_ stat: ProcessStat) {
        processes += 1
        threads += UInt64(stat.threadCount)
        states[Int(ProcessState(letter: stat.state).rawValue)] += 1
    }

    func copy(to message: inout ProcessesMessage) {
        message.processes = processes
        message.threads = UInt32(clamping: threads)
        message.running = count(.running)
        message.sleeping = count(.sleeping)
        message.diskSleeping = count(.diskSleeping)
        message.stopped = count(.stopped)
        message.zombies = count(.zombie)
        message.idle = count(.idle)
        message.other = count(.unknown)
        message.pidMax = limit
        message.pidUsedRatio = (Double(threads) / limit).share
        message.scanSeconds = scanSeconds
    }

    private func count(_ state: ProcessState) -> UInt32 { states[Int(state.rawValue)] }
}

/// `Process.State` of the schema.
private enum ProcessState: UInt32 {
    case unknown = 0
    case running
    case sleeping
    case diskSleeping
    case stopped
    case zombie
    case idle

    init(letter: UInt8) {
        switch letter {
        case UInt8(ascii: "R"): self = .running
        case UInt8(ascii: "S"): self = .sleeping
        case UInt8(ascii: "D"): self = .diskSleeping
        case UInt8(ascii: "T"), UInt8(ascii: "t"): self = .stopped
        case UInt8(ascii: "Z"): self = .zombie
        case UInt8(ascii: "I"): self = .idle
        default: self = .unknown
        }
    }
}

extension ProcessMessage {
    fileprivate mutating func set(_ entry: ProcessTable.Entry, _ facts: HostFacts, bootTime: Double) {
        id = entry.id
        parentId = entry.stat.parent
        state = .init(ProcessState(letter: entry.stat.state).rawValue)
        threads = entry.stat.threadCount
        cpuRatio = entry.cpuRatio
        cpuSecondsTotal = Double(entry.stat.cpuTicks) / facts.userTickHertz
        residentBytes = Double(entry.stat.residentPages) * facts.pageSizeBytes
        readBytesPerSecond = entry.readBytesPerSecond
        writeBytesPerSecond = entry.writeBytesPerSecond
        startTimeSeconds = bootTime + Double(entry.stat.startTicks) / facts.userTickHertz
        readBytesTotal = entry.io?.readBytes ?? 0
        writeBytesTotal = entry.io?.writeBytes ?? 0
    }
}
