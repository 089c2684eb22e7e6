internal import Glibc
internal import Telemetry
internal import TelemetrySchema

/// `/gpu`: graphics processors, by sysfs and by NVIDIA's library.
struct GPUCollector: Collector, ~Copyable {
    static let topic = "/gpu"
    static let defaultHertz = 2.0
    /// A driver asks the firmware of its card.
    static let isBlocking = true
    static let entrySettings: [EntrySetting] = [.include, .exclude, .maxEntries]

    /// How long a look at what there is holds.
    static let listingSeconds = 10.0

    private var files = SysfsFiles()
    private var cards: GraphicsCards
    private var devices: NvidiaDevices
    private let clock: () -> ClockReading
    private var listedAt: Instant
    private var ids: [String] = []
    /// Those that were held back by heat or the hardware when they were last asked.
    private var throttled: [String] = []
    /// Of this sample.
    private var readings: [GPUReading] = []
    private var filter: EntryFilter
    private var rows: RepeatedField<GpuMessage>
    private var arena = TextArena(byteCapacity: 65_536)

    init(host: Host) throws(CollectError) {
        let settings = host.settings(of: Self.topic)
        cards = GraphicsCards(sysfs: host.sysfs)
        devices = NvidiaDevices(sysfs: host.sysfs, rootfs: host.rootfs, libraryPath: host.system.nvidiaLibrary)
        filter = EntryFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
        clock = host.clock
        listedAt = host.clock().monotonic
        _ = cards.refresh(&files)
        _ = devices.refresh(&files)
        guard !cards.ids.isEmpty || devices.isPresent else { throw .open(errno: ENOENT) }
        ids = cards.ids + devices.ids
    }

    mutating func sample(_ context: SampleContext, into message: inout GpusMessage) throws(CollectError) -> Sample {
        let before = clock()
        var notes: [Note] = []
        files.resetErrorCount()
        refresh(at: before.monotonic, &notes)
        read(at: before.monotonic, &notes)
        var sample = Sample(time: before.midpoint(to: clock()))
        guard !readings.isEmpty else { throw .nothingUsable }
        arena.removeAll()
        rows.removeAll()
        for reading in readings { append(reading, &sample) }
        message.setGpus(rows)
        sample.entryCount = rows.count
        sample.parseErrorCount = files.parseErrorCount
        sample.notes = notes
        sample.alarm = alarm()
        return sample
    }

    private mutating func refresh(at now: Instant, _ notes: inout [Note]) {
        guard now.seconds(since: listedAt) >= Self.listingSeconds else { return }
        listedAt = now
        let haveCardsChanged = cards.refresh(&files)
        let haveDevicesChanged = devices.refresh(&files)
        guard haveCardsChanged || haveDevicesChanged else { return }
        let present = cards.ids + devices.ids
        for id in present where !ids.contains(id) { notes.append(Note(.info, "\(id) appeared")) }
        for id in ids where !present.contains(id) { notes.append(Note(.warning, "\(id) vanished")) }
        ids = present
    }

    private mutating func read(at now: Instant, _ notes: inout [Note]) {
        readings.removeAll(keepingCapacity: true)
        cards.read(&files) { readings.append($0) }
        // Both drivers can show one device, for a moment.
        devices.read(&files, at: now, &notes) { reading in
            if !readings.contains(where: { $0.id == reading.id }) { readings.append(reading) }
        }
    }

    private mutating func append(_ reading: GPUReading, _ sample: inout Sample) {
        guard filter.admits(reading.id.utf8.span) else { return }
        guard rows.append() else {
            sample.suppressedCount += 1
            return
        }
        rows.last.setId(arena.append(reading.id))
        rows.last.setName(arena.append(reading.name))
        rows.last.setDriver(arena.append(reading.driver))
        rows.last.setDriverVersion(arena.append(reading.driverVersion))
        rows.last.set(reading)
    }

    /// Told when a GPU begins to be held back, not while it is.
    private mutating func alarm() -> Alarm? {
        var hasBegun = false
        for reading in readings where reading.isThrottled && !throttled.contains(reading.id) { hasBegun = true }
        throttled.removeAll(keepingCapacity: true)
        for reading in readings where reading.isThrottled { throttled.append(reading.id) }
        return hasBegun ? .throttled : nil
    }
}

extension GpuMessage {
    /// Sets all that is no text.
    fileprivate mutating func set(_ reading: GPUReading) {
        state =
            switch reading.state {
            case .unknown: SYSMON__V1__GPU__STATE__STATE_UNKNOWN
            case .active: SYSMON__V1__GPU__STATE__STATE_ACTIVE
            case .suspended: SYSMON__V1__GPU__STATE__STATE_SUSPENDED
            }
        busyRatio = reading.busyRatio
        memoryBusyRatio = reading.memoryBusyRatio
        memoryUsedBytes = reading.memoryUsedBytes
        memoryTotalBytes = reading.memoryTotalBytes
        memoryUsedRatio = (reading.memoryUsedBytes / reading.memoryTotalBytes).share
        celsius = reading.celsius
        watts = reading.watts
        powerLimitWatts = reading.powerLimitWatts
        joulesTotal = reading.joulesTotal
        coreHertz = reading.coreHertz
        memoryHertz = reading.memoryHertz
        fanRatio = reading.fanRatio
        fanRpm = reading.fanRPM
        powerThrottled = reading.isPowerThrottled ? 1 : 0
        thermalThrottled = reading.isThermalThrottled ? 1 : 0
        hardwareThrottled = reading.isHardwareThrottled ? 1 : 0
    }
}
