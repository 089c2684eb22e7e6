internal import TelemetrySchema

/// `/cgroup`: what control groups use, by their files of version 2 or 1.
struct ControlGroupCollector: Collector, ~Copyable {
    static let topic = "/cgroup"
    static let entrySettings = [EntrySetting.include, .maxEntries]
    static let defaultHertz = 1.0
    static let isBlocking = true

    private let clock: () -> ClockReading
    private var inventory: ControlGroupInventory
    /// Two rows for each group: storage apart, since its sums fall when a device goes.
    private var baselines = Baselines(columnCount: ControlGroupReading.Counter.allCases.count, rowCapacity: 8)
    private var rows: RepeatedField<ControlGroupMessage>
    private var texts = TextArena(byteCapacity: 1)
    private var names: [Text] = []

    init(host: Host) throws(CollectError) {
        let settings = host.settings(of: Self.topic)
        clock = host.clock
        inventory = try ControlGroupInventory(host: host, settings: settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
    }

    mutating func sample(
        _ context: SampleContext, into message: inout ControlGroupsMessage
    ) throws(CollectError) -> Sample {
        let before = clock()
        if inventory.refresh(at: before.monotonic) { rename() }
        var sample = Sample(time: before)
        // The files are read one after the other; what lies between two readings of one is the same for all.
        baselines.begin(at: before.monotonic, context: context)
        rows.removeAll()
        for place in inventory.groups.indices { append(place, &sample) }
        baselines.end()
        guard rows.count > 0 else { throw .nothingUsable }
        sample.time = before.midpoint(to: clock())
        message.version = inventory.version
        message.setGroups(rows)
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = rows.count
        sample.suppressedCount = inventory.suppressedCount
        return sample
    }

    private mutating func append(_ place: Int, _ sample: inout Sample) {
        let group = inventory.groups[place]
        let reading = inventory.read(group)
        // Gone since the groups were looked for.
        guard !reading.isEmpty, rows.append() else { return }
        sample.parseErrorCount += reading.parseErrorCount
        rows.last.setId(names[place])
        rows.last.setGauges(reading)
        // What is told first now is compared with nothing: the mask makes it another row.
        let id = group.serial << 16 | UInt64(reading.known)
        let row = baselines.addCounters(id: id, isNarrow: false, reading.columns)
        rows.last.setRates(row, baselines, reading)
        appendStorage(group, reading.storage, &sample)
        if row.wasReset { sample.resetCount += 1 }
        noteKills(place, reading.outOfMemoryKills, &sample)
    }

    private mutating func appendStorage(
        _ group: ControlGroupInventory.Group, _ storage: ControlGroupReading.Storage?, _ sample: inout Sample
    ) {
        guard let storage else { return rows.last.clearStorage() }
        var columns: [12 of UInt64] = .init(repeating: 0)
        columns[0] = storage.readBytes
        columns[1] = storage.writeBytes
        columns[2] = storage.reads
        columns[3] = storage.writes
        let row = baselines.addCounters(id: group.serial << 16 | 1 << 63, isNarrow: false, columns.span)
        rows.last.ioReadBytesPerSecond = baselines.rate(row, column: 0)
        rows.last.ioWriteBytesPerSecond = baselines.rate(row, column: 1)
        rows.last.ioReadsPerSecond = baselines.rate(row, column: 2)
        rows.last.ioWritesPerSecond = baselines.rate(row, column: 3)
        rows.last.ioReadBytesTotal = storage.readBytes
        rows.last.ioWriteBytesTotal = storage.writeBytes
        if row.wasReset { sample.resetCount += 1 }
    }

    private mutating func noteKills(_ place: Int, _ kills: UInt64?, _ sample: inout Sample) {
        let before = inventory.groups[place].outOfMemoryKills
        inventory.groups[place].outOfMemoryKills = kills
        guard let kills, let before, kills > before else { return }
        let name = String(decoding: inventory.groups[place].id, as: UTF8.self)
        sample.notes.append(Note(.warning, "\(name): \(kills - before) killed for lack of memory"))
        sample.alarm = .outOfMemoryKill
    }

    /// The names as messages carry them, made anew only when the groups change.
    private mutating func rename() {
        let byteCount = inventory.groups.reduce(1) { $0 + $1.id.count + 1 }
        texts = TextArena(byteCapacity: byteCount)
        names.removeAll(keepingCapacity: true)
        for group in inventory.groups { names.append(texts.append(identifier: group.id.span)) }
    }
}

extension ControlGroupMessage {
    fileprivate mutating func setGauges(_ reading: ControlGroupReading) {
        cpuLimitCores = reading.limitCores
        memoryBytes = Self.number(reading.memoryBytes)
        memoryLimitBytes = Self.number(reading.memoryLimitBytes)
        memoryRatio = memoryLimitBytes > 0 ? memoryBytes / memoryLimitBytes : .nan
        memoryWorkingSetBytes = (memoryBytes - Self.number(reading.inactiveFileBytes)).notNegative
        swapBytes = Self.number(reading.swapBytes)
        tasks = UInt32(clamping: reading.taskCount ?? 0)
        tasksLimit = Self.number(reading.taskLimit)
        oomKillsTotal = reading.outOfMemoryKills ?? 0
    }

    fileprivate mutating func setRates(
        _ row: Baselines.Row, _ baselines: borrowing Baselines, _ reading: borrowing ControlGroupReading
    ) {
        /// Seconds per second, or NaN.
        func share(_ counter: ControlGroupReading.Counter) -> Double {
            reading.has(counter) ? baselines.rate(row, column: counter.rawValue) / 1e9 : .nan
        }
        func pressure(_ counter: ControlGroupReading.Counter) -> Double { share(counter).limited(to: 1) }
        cpuCores = share(.cpu)
        cpuUserCores = share(.user)
        cpuSystemCores = share(.system)
        cpuOfLimitRatio = cpuLimitCores > 0 ? cpuCores / cpuLimitCores : .nan
        cpuThrottledRatio = share(.throttled)
        // Of nothing there is no part.
        let periods = share(.periods)
        cpuThrottledPeriodsRatio = periods > 0 ? share(.throttledPeriods) / periods : .nan
        cpuPressureSomeRatio = pressure(.cpuSome)
        cpuPressureFullRatio = pressure(.cpuFull)
        memoryPressureSomeRatio = pressure(.memorySome)
        memoryPressureFullRatio = pressure(.memoryFull)
        ioPressureSomeRatio = pressure(.ioSome)
        ioPressureFullRatio = pressure(.ioFull)
        cpuSecondsTotal = Self.number(reading[.cpu, nanoseconds: 1]) / 1e9
    }

    fileprivate mutating func clearStorage() {
        ioReadBytesPerSecond = .nan
        ioWriteBytesPerSecond = .nan
        ioReadsPerSecond = .nan
        ioWritesPerSecond = .nan
        ioReadBytesTotal = 0
        ioWriteBytesTotal = 0
    }

    /// NaN: not told.
    private static func number(_ value: UInt64?) -> Double { value.map { Double($0) } ?? .nan }
}
