internal import Glibc
internal import Telemetry
internal import TelemetrySchema

/// `/rapl`: the energy counters of class/powercap (kernel documentation power/powercap/powercap).
struct RAPLCollector: Collector, ~Copyable {
    static let topic = "/rapl"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 10.0
    /// The counters are renewed about each millisecond.
    static let resolutionSeconds = 0.001

    private let clock: () -> ClockReading
    private var folder: DeviceFolder
    private let path: String
    /// By id.
    private var zones: [RAPLZone] = []
    private var listedAt: UInt64 = 0
    private var mustList = false
    private var filter: EntryFilter
    private let entryCountMax: Int
    private var suppressedCount = 0
    private var rows: RepeatedField<RaplZoneMessage>
    private var texts = TextArena(byteCapacity: 1)
    private var baselines = Baselines(columnCount: 1, rowCapacity: 8)
    /// Zones have no numbers of their own; a zone that is found again is a new row.
    private var nextIdentity: UInt64 = 0

    /// Between looks for zones that came or went: a machine gets new ones by a module that is loaded.
    private static let listNanoseconds: UInt64 = 10_000_000_000
    /// Kernels have names of some ten letters.
    private static let nameByteCountMax = 255

    init(host: Host) throws(CollectError) {
        clock = host.clock
        path = "\(host.sysfs)/class/powercap"
        folder = DeviceFolder(path)
        let settings = host.settings(of: Self.topic)
        filter = EntryFilter(settings)
        entryCountMax = settings.entryCountMax
        rows = RepeatedField(capacity: entryCountMax)
        let failure = try list()
        guard !zones.isEmpty else { throw .open(errno: failure) }
        listedAt = clock().monotonic.nanoseconds
    }

    mutating func sample(_ context: SampleContext, into message: inout RaplMessage) throws(CollectError) -> Sample {
        let before = clock()
        var sample = Sample(time: before)
        if mustList || before.monotonic.nanoseconds &- listedAt >= Self.listNanoseconds {
            mustList = false
            listedAt = before.monotonic.nanoseconds
            _ = try list()
        }
        for zone in zones where !zone.read(clock) {
            sample.parseErrorCount += zone.isGarbled ? 1 : 0
            mustList = true
        }
        sample.time = before.midpoint(to: clock())
        guard zones.contains(where: { $0.isKnown }) else { throw .nothingUsable }
        baselines.begin(at: sample.time.monotonic, context: context)
        rows.removeAll()
        for zone in zones { append(zone, &sample) }
        baselines.end()
        message.setZones(rows)
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = rows.count
        sample.suppressedCount = suppressedCount
        return sample
    }

    private mutating func append(_ zone: RAPLZone, _ sample: inout Sample) {
        var watts = Double.nan
        if zone.isKnown {
            let row = baselines.addCounter(id: zone.identity, width: .bits64, zone.counter.sum)
            if row.wasReset { sample.resetCount += 1 }
            watts = baselines.rate(row, column: 0) / 1e6
        }
        guard rows.append(), let id = zone.idText, let name = zone.nameText else { return }
        rows.last.setId(id)
        rows.last.setName(name)
        rows.last.joulesTotal = zone.isKnown ? Double(zone.counter.raw) / 1e6 : .nan
        rows.last.watts = watts
        rows.last.rangeJoules = zone.counter.range > 0 ? Double(zone.counter.range) / 1e6 : .nan
    }

    /// Looks for zones; those that are known and well stay as they are. Returns why the last of those that cannot be
    /// read cannot.
    private mutating func list() throws(CollectError) -> Int32 {
        var failure = ENOENT
        if try isUnchanged() { return failure }
        var found: [RAPLZone] = []
        suppressedCount = 0
        for id in try folder.names() {
            folder.open(id)
            // The folder of a control type has no name.
            guard folder.read("/name"), filter.admits(id.span) else { continue }
            let name = Array(folder.lineBytes.prefix(Self.nameByteCountMax))
            let range = folder.read("/max_energy_range_uj") ? folder.unsignedValue ?? 0 : 0
            let known = zones.first { $0.isKnown && $0.id == id && $0.name == name && $0.counter.range == range }
            guard found.count < entryCountMax else {
                suppressedCount += 1
                continue
            }
            if let known {
                found.append(known)
                continue
            }
            do throws(CollectError) {
                nextIdentity += 1
                let path = "\(path)/\(String(decoding: id, as: UTF8.self))/energy_uj"
                found.append(
                    try RAPLZone(id: id, name: name, identity: nextIdentity, range: range, path: path, clock))
            } catch {
                if case .open(let errno) = error { failure = errno }
            }
        }
        zones = found
        writeTexts()
        return failure
    }

    /// Whether a list would be what it was, which is found out without making one.
    private mutating func isUnchanged() throws(CollectError) -> Bool {
        var count = 0
        for id in try folder.names() {
            folder.open(id)
            guard folder.read("/name"), filter.admits(id.span) else { continue }
            defer { count += 1 }
            if count >= entryCountMax { continue }
            guard count < zones.count, zones[count].isKnown, zones[count].id == id else { return false }
            let name = zones[count].name
            guard folder.line.extracting(first: Self.nameByteCountMax).equals(name.span) else { return false }
            let range = folder.read("/max_energy_range_uj") ? folder.unsignedValue ?? 0 : 0
            guard zones[count].counter.range == range else { return false }
        }
        return count == zones.count + suppressedCount
    }

    private mutating func writeTexts() {
        // Each byte may become three.
        texts = TextArena(byteCapacity: zones.reduce(1) { $0 + 3 * ($1.id.count + $1.name.count) + 2 })
        for zone in zones {
            let rawID = zone.id
            let id = [UInt8](identifier: rawID.span)
            zone.idText = texts.append(id.span)
            let name = zone.name
            zone.nameText = texts.append(name.span)
        }
    }
}

/// A zone whose counter can be read.
private final class RAPLZone {
    let id: [UInt8]
    let name: [UInt8]
    let identity: UInt64
    private(set) var counter: RAPLCounter
    /// Whether the last read told something, and whether it told nonsense.
    private(set) var isKnown = true
    private(set) var isGarbled = false
    var idText: Text?
    var nameText: Text?
    private var file: ProcFile

    init(
        id: [UInt8], name: [UInt8], identity: UInt64, range: UInt64, path: String, _ clock: () -> ClockReading
    ) throws(CollectError) {
        self.id = id
        self.name = name
        self.identity = identity
        file = try ProcFile(path: path, byteCapacity: 64)
        _ = try file.read(clock)
        guard let raw = file.text.trimmed.unsignedValue else { throw .nothingUsable }
        counter = RAPLCounter(raw, range: range)
    }

    /// False: nothing was read.
    func read(_ clock: () -> ClockReading) -> Bool {
        isKnown = false
        isGarbled = false
        guard (try? file.read(clock)) != nil else { return false }
        guard let raw = file.text.trimmed.unsignedValue else {
            isGarbled = true
            return false
        }
        counter.advance(to: raw)
        isKnown = true
        return true
    }
}
