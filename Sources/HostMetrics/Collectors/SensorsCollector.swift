internal import Glibc
internal import Telemetry
package import TelemetrySchema

/// `/sensors`: the chips of class/hwmon, by libsensors on this machine, else by the files.
package struct SensorsCollector: Collector, ~Copyable {
    package static let topic = "/sensors"
    package static let entrySettings = EntrySetting.common + [.raw]
    package static let defaultHertz = 1.0
    package static let resolutionSeconds = 1.0
    package static let isBlocking = true

    private let clock: () -> ClockReading
    private var lanes: SensorLanes
    private var watch: HwmonWatch
    private var chips: [ChipState] = []
    /// Whether the chips were listed by the first lane's reader, which then may read them.
    private var isListOfFirst = false
    private var mustList = true
    /// Whether that reader could not list them and is not asked again until something changes.
    private var isFirstUseless = false
    private var entries = SensorEntries()
    private var filter: EntryFilter
    private let settings: EntrySettings
    private var rows: SensorRows
    /// What happened at the start.
    private var news: [Note] = []

    /// How long a sample waits for a chip, and after how long its values are unknown.
    private static let waitSeconds = 1.0
    private static let patienceSeconds = 2.0

    package init(host: Host) throws(CollectError) {
        let sysfs = host.sysfs
        let files: @Sendable () -> any SensorReader = { HwmonReader(sysfs: sysfs) }
        let library: @Sendable () -> any SensorReader = { SensorsLibrary.claim() ?? files() }
        // The library has /sys built in.
        try self.init(
            host: host, reader: sysfs == "/sys" && host.system.usesSensorsLibrary ? library : files, fallback: files,
            waitSeconds: Self.waitSeconds)
    }

    /// By other readers: `reader` is asked first, one of `fallback` where it hangs.
    package init(
        host: Host, reader: @escaping @Sendable () -> any SensorReader,
        fallback: @escaping @Sendable () -> any SensorReader, waitSeconds: Double
    ) throws(CollectError) {
        clock = host.clock
        settings = host.settings(of: Self.topic)
        filter = EntryFilter(settings)
        rows = SensorRows(capacity: settings.entryCountMax, isRaw: settings.isRaw)
        watch = HwmonWatch(sysfs: host.sysfs)
        lanes = SensorLanes(first: reader, others: fallback, waitSeconds: waitSeconds)
        guard let names = HwmonFolder.names(in: "\(host.sysfs)/class/hwmon"), !names.isEmpty else {
            throw .open(errno: ENOENT)
        }
        _ = watch.hasChanged(at: clock().monotonic)
        news = list()
        guard chips.contains(where: { state in state.chip.features.contains { $0.isUseful } }) else {
            // Whoever tries again later would leave another thread behind each time.
            lanes.waitForAll()
            throw .open(errno: ENOENT)
        }
    }

    package mutating func sample(
        _ context: SampleContext, into message: inout SensorsMessage
    ) throws(CollectError) -> Sample {
        let before = clock()
        var sample = Sample(time: before)
        swap(&sample.notes, &news)
        takeLate(at: before, context, &sample)
        if watch.hasChanged(at: before.monotonic) {
            mustList = true
            isFirstUseless = false
        }
        // The library's list is the better one: it knows labels and rules.
        if mustList || !isListOfFirst && !isFirstUseless && !lanes.isFirstBusy { sample.notes += list() }
        guard !entries.all.isEmpty else { throw .nothingUsable }
        giveUp(at: before.monotonic, &sample)
        for place in chips.indices where entries.usedChips[place] && chips[place].isDue(at: before.monotonic) {
            read(place, context, &sample)
        }
        rows.removeAll()
        for entry in entries.all { rows.append(entry, of: chips[entry.chip]) }
        rows.fill(&message, empty: entries.empty)
        sample.resolutionSeconds = shortestUpdate
        sample.entryCount = entries.all.count
        sample.suppressedCount = entries.suppressedCount
        sample.time = before.midpoint(to: clock())
        return sample
    }

    /// Of the quickest chip; those that do not say how often they measure mostly do so once a second.
    private var shortestUpdate: Double {
        var shortest = Self.resolutionSeconds
        for place in chips.indices where entries.usedChips[place] && chips[place].updateSeconds > 0 {
            shortest = min(shortest, chips[place].updateSeconds)
        }
        return shortest
    }

    // MARK: - Chips

    /// Lists the chips, and tells which came and went.
    private mutating func list() -> [Note] {
        mustList = false
        isListOfFirst = false
        var found: [SensorChip]?
        if !isFirstUseless, case .outcome(.chips(let chips)) = lanes.ask(.list, of: .first) {
            found = chips
            isFirstUseless = chips == nil
        }
        isListOfFirst = found != nil
        if found == nil, case .outcome(.chips(let chips)) = lanes.ask(.list, of: .others) { found = chips }
        // Nobody could list them: those that are known stay.
        guard let found else { return [] }
        let names = SensorEntries.uniqueNames(found)
        var notes = notesOfChange(to: found)
        if isFirstUseless { notes.append(Note(.warning, "libsensors cannot start: sensors3.conf has no effect")) }
        var old: [String: ChipState] = [:]
        for state in chips { old[state.chip.path + state.chip.name] = state }
        chips = found.map { chip in
            old[chip.path + chip.name].map { ChipState(chip, keeping: $0) } ?? ChipState(chip)
        }
        entries.renew(chips, names: names, &filter, countMax: settings.entryCountMax)
        return notes
    }

    private func notesOfChange(to found: [SensorChip]) -> [Note] {
        // All are new at the start: no news.
        guard !chips.isEmpty else { return [] }
        let before = Set(chips.map(\.chip.name))
        let after = Set(found.map(\.name))
        return after.subtracting(before).sorted().map { Note(.info, "chip \($0) appeared") }
            + before.subtracting(after).sorted().map { Note(.info, "chip \($0) is gone") }
    }

    private mutating func read(_ place: Int, _ context: SampleContext, _ sample: inout Sample) {
        let chip = chips[place].chip
        let before = clock()
        switch lanes.ask(.read(chip, isFirst: chips[place].isNew), of: isListOfFirst ? .any : .others) {
        case .outcome(let outcome): take(outcome, place, at: before.midpoint(to: clock()), context, &sample)
        case .pending(let lane): chips[place].await(lane, since: before.monotonic)
        case .nobody: chips[place].forget()
        }
    }

    private mutating func giveUp(at time: Instant, _ sample: inout Sample) {
        for place in chips.indices where chips[place].giveUp(at: time, afterSeconds: Self.patienceSeconds) {
            sample.notes.append(Note(.warning, "chip \(chips[place].chip.name) does not answer"))
        }
    }

    private mutating func takeLate(at time: ClockReading, _ context: SampleContext, _ sample: inout Sample) {
        for (lane, outcome) in lanes.late() {
            // Late lists are stale by now.
            guard let place = chips.firstIndex(where: { $0.pendingLane == lane }) else { continue }
            if chips[place].isGivenUp {
                sample.notes.append(Note(.info, "chip \(chips[place].chip.name) answers again"))
            }
            chips[place].endWait()
            take(outcome, place, at: time, context, &sample)
        }
    }

    private mutating func take(
        _ outcome: SensorOutcome, _ place: Int, at time: ClockReading, _ context: SampleContext, _ sample: inout Sample
    ) {
        guard case .reading(let reading, let chip, let seconds, let updateSeconds) = outcome,
            chips[place].measuresTheSame(as: chip)
        else { return }
        chips[place].take(reading, at: time.monotonic, seconds: seconds, updateSeconds: updateSeconds, context)
        sample.parseErrorCount += reading.parseErrorCount
        if chips[place].newAlarmCount > 0 { sample.alarm = .temperature }
        if chips[place].rateSeconds.isFinite { sample.intervalSeconds = chips[place].rateSeconds }
    }
}
