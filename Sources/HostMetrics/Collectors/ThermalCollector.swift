internal import Glibc
internal import Telemetry
internal import TelemetrySchema

/// `/thermal`: the zones and cooling devices of /sys/class/thermal.
///
/// On a thread of its own: to read a temperature the firmware may have to be asked, or a chip behind a slow bus.
struct ThermalCollector: Collector, ~Copyable {
    static let topic = "/thermal"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 1.0
    static let isBlocking = true

    /// Longer than any name that the kernel has room for.
    private static let typeByteCountMax = 64
    /// "cooling_device" and five digits, with the terminator.
    private static let idByteCountMax = 20

    private let clock: () -> ClockReading
    private var zones: NumberedEntries
    private var coolers: NumberedEntries
    private var trips = ThermalTrips()
    private var reader = FileReader(byteCapacity: 256)
    private var filter: EntryFilter
    private var zoneRows: RepeatedField<ThermalZoneMessage>
    private var coolerRows: RepeatedField<CoolingDeviceMessage>
    private var arena: TextArena
    private var wasTooHot = false

    init(host: Host) throws(CollectError) {
        var zones = NumberedEntries(directory: "\(host.sysfs)/class/thermal", prefix: "thermal_zone")
        var coolers = NumberedEntries(directory: "\(host.sysfs)/class/thermal", prefix: "cooling_device")
        zones.refresh(at: host.clock().monotonic)
        coolers.refresh(at: host.clock().monotonic)
        guard !zones.numbers.isEmpty || !coolers.numbers.isEmpty else { throw .open(errno: ENOENT) }
        trips.read(&zones, &reader)
        self.zones = zones
        self.coolers = coolers
        let settings = host.settings(of: Self.topic)
        clock = host.clock
        filter = EntryFilter(settings)
        zoneRows = RepeatedField(capacity: settings.entryCountMax)
        coolerRows = RepeatedField(capacity: settings.entryCountMax)
        // Cleaned of what is not UTF-8 a type may take up thrice its bytes.
        arena = TextArena(
            byteCapacity: 2 * settings.entryCountMax * (Self.idByteCountMax + 3 * Self.typeByteCountMax + 1))
    }

    /// Looks which there are, if it is time to; trip points are read along.
    private mutating func refresh(at time: Instant) {
        coolers.refresh(at: time)
        if zones.refresh(at: time) { trips.read(&zones, &reader) }
    }

    mutating func sample(_ context: SampleContext, into message: inout ThermalMessage) throws(CollectError) -> Sample {
        let before = clock()
        var sample = Sample(time: before)
        refresh(at: before.monotonic)
        arena.removeAll()
        zoneRows.removeAll()
        coolerRows.removeAll()
        var isTooHot = false
        for (index, number) in zones.numbers.enumerated() {
            if appendZone(number, trips.entries[index], &sample) { isTooHot = true }
        }
        for number in coolers.numbers { appendCooler(number, &sample) }
        guard zoneRows.count > 0 || coolerRows.count > 0 else { throw .nothingUsable }
        message.setZones(zoneRows)
        message.setCooling(coolerRows)
        sample.time = before.midpoint(to: clock())
        sample.entryCount = zoneRows.count + coolerRows.count
        if isTooHot, !wasTooHot { sample.alarm = .temperature }
        wasTooHot = isTooHot
        return sample
    }

    /// Returns whether the zone is as hot as it should never be.
    private mutating func appendZone(_ number: UInt32, _ trips: ThermalTrips.Entry, _ sample: inout Sample) -> Bool {
        zones.select(number)
        guard zones.isAdmitted(by: &filter) else { return false }
        guard zones.read("type", with: &reader) else {
            zones.forget()
            return false
        }
        guard zoneRows.append() else {
            sample.suppressedCount += 1
            return false
        }
        zoneRows.last.setId(zones.appendName(to: &arena))
        zoneRows.last.setType(reader.appendLine(to: &arena, byteCountMax: Self.typeByteCountMax))
        var celsius = Double.nan
        // Broken drivers fail with EAGAIN, ENODATA, EINVAL and more: that is theirs alone.
        if zones.read("temp", with: &reader) {
            let value = reader.line.signedValue
            if value == nil { sample.parseErrorCount += 1 }
            celsius = ThermalTrips.celsius(value)
        }
        zoneRows.last.celsius = celsius
        zoneRows.last.set(trips)
        return celsius >= trips.critical || celsius >= trips.hot
    }

    private mutating func appendCooler(_ number: UInt32, _ sample: inout Sample) {
        coolers.select(number)
        guard coolers.isAdmitted(by: &filter) else { return }
        guard coolers.read("type", with: &reader) else { return coolers.forget() }
        guard coolerRows.append() else {
            sample.suppressedCount += 1
            return
        }
        coolerRows.last.setId(coolers.appendName(to: &arena))
        coolerRows.last.setType(reader.appendLine(to: &arena, byteCountMax: Self.typeByteCountMax))
        let state = level(in: "cur_state", &sample)
        let maximum = level(in: "max_state", &sample)
        coolerRows.last.state = state
        coolerRows.last.maxState = maximum
        coolerRows.last.stateRatio = (state / maximum).share
    }

    /// NaN: it cannot be read.
    private mutating func level(in leaf: StaticString, _ sample: inout Sample) -> Double {
        guard coolers.read(leaf, with: &reader) else { return .nan }
        guard let value = reader.line.unsignedValue else {
            sample.parseErrorCount += 1
            return .nan
        }
        return Double(value)
    }
}

extension ThermalZoneMessage {
    fileprivate mutating func set(_ trips: ThermalTrips.Entry) {
        criticalCelsius = trips.critical
        hotCelsius = trips.hot
        passiveCelsius = trips.passive
        activeCelsius = trips.active
    }
}

/// The temperatures at which something is done about zones: the lowest of each kind.
private struct ThermalTrips {
    struct Entry {
        var critical = Double.nan
        var hot = Double.nan
        var passive = Double.nan
        var active = Double.nan
    }

    /// The kernel's own bound was 12 (THERMAL_MAX_TRIPS) as long as it had one.
    private static let countMax: UInt32 = 64

    /// In the order of the zones.
    private(set) var entries: [Entry] = []

    mutating func read(_ zones: inout NumberedEntries, _ reader: inout FileReader) {
        entries.removeAll(keepingCapacity: true)
        for number in zones.numbers {
            zones.select(number)
            entries.append(Self.entry(&zones, &reader))
        }
    }

    private static func entry(_ zones: inout NumberedEntries, _ reader: inout FileReader) -> Entry {
        var entry = Entry()
        for trip in 0..<countMax {
            guard zones.has("trip_point_", trip, "_type") else { break }
            // A driver that fails to tell one may know the others.
            guard zones.read("trip_point_", trip, "_temp", with: &reader) else { continue }
            let celsius = celsius(reader.line.signedValue)
            guard zones.read("trip_point_", trip, "_type", with: &reader) else { continue }
            let type = reader.line
            if type.equals("critical") { entry.critical = lower(entry.critical, celsius) }
            if type.equals("hot") { entry.hot = lower(entry.hot, celsius) }
            if type.equals("passive") { entry.passive = lower(entry.passive, celsius) }
            if type.equals("active") { entry.active = lower(entry.active, celsius) }
        }
        return entry
    }

    private static func lower(_ left: Double, _ right: Double) -> Double {
        left.isNaN || right < left ? right : left
    }

    /// Of thousandths of a degree; NaN: none, or not plausible.
    static func celsius(_ thousandths: Double?) -> Double {
        guard let thousandths, (-100_000...250_000).contains(thousandths) else { return .nan }
        return thousandths / 1_000
    }
}
