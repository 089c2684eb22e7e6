internal import Glibc
internal import Telemetry
internal import TelemetrySchema

/// `/systemd`: the units of the service manager, by D-Bus.
struct SystemdCollector: Collector, ~Copyable {
    static let topic = "/systemd"
    /// Large servers need seconds to list their units.
    static let defaultHertz = 0.1
    static let isBlocking = true
    static let entrySettings: [EntrySetting] = [.include, .exclude, .maxEntries]

    /// Of one answer, and of all questions about single services in a sample.
    static let timeoutSeconds = 5.0

    private let address: String
    private let clock: () -> ClockReading
    private let settings: EntrySettings
    private var bus: SystemdBus?
    private var filter: SystemdFilter
    private var version = ""
    /// Those of the last sample; nil: there was none.
    private var failedIDs: Set<String>?
    private var rows: RepeatedField<UnitMessage>
    private var types = RepeatedField<UnitTypeMessage>(capacity: UnitType.allCases.count)
    private var arena: TextArena

    init(host: Host) throws(CollectError) {
        // As sd_booted(3) does: there may be a bus without systemd, as in containers.
        guard FilePath("\(host.rootfs)/run/systemd/system").exists else { throw .open(errno: ENOENT) }
        let address = Self.address(ofSocket: "\(host.rootfs)/run/dbus/system_bus_socket")
        bus = try Self.connect(to: address)
        self.address = address
        clock = host.clock
        settings = host.settings(of: Self.topic)
        filter = SystemdFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
        let rowByteCountMax = SystemdUnit.nameByteCountMax + SystemdSummary.subStateByteCountMax + 2
        arena = TextArena(byteCapacity: 1_024 + rowByteCountMax * settings.entryCountMax)
    }

    /// The D-Bus address of a socket: of its path, all but a few characters are escaped.
    static func address(ofSocket path: String) -> String {
        var address = "unix:path="
        let digits = Array("0123456789abcdef")
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "/"),
                UInt8(ascii: "."):
                address.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                address.append("%")
                address.append(digits[Int(byte >> 4)])
                address.append(digits[Int(byte & 15)])
            }
        }
        return address
    }

    private static func connect(to address: String) throws(CollectError) -> SystemdBus {
        do throws(SystemdBus.Failure) {
            return try SystemdBus(address: address, timeoutSeconds: timeoutSeconds)
        } catch { throw .open(errno: error.errno) }
    }

    mutating func sample(_ context: SampleContext, into message: inout SystemdMessage) throws(CollectError) -> Sample {
        if bus == nil { bus = try Self.connect(to: address) }
        do throws(SystemdBus.Failure) {
            return try fill(&message)
        } catch {
            if error.isFinal {
                bus = nil
                version = ""
            }
            throw .read(errno: error.errno)
        }
    }

    private mutating func fill(_ message: inout SystemdMessage) throws(SystemdBus.Failure) -> Sample {
        let before = clock()
        var summary = SystemdSummary(listedCountMax: settings.entryCountMax)
        var filter = filter
        try bus?.forEachUnit { unit in summary.add(unit, filter: &filter) }
        self.filter = filter
        var sample = Sample(time: before.midpoint(to: clock()))
        if version.isEmpty { version = try bus?.property("Version") ?? "" }
        arena.removeAll()
        message.systemState = try systemState()
        message.setVersion(arena.append(version.prefix(64).utf8.span))
        message.set(summary.counts)
        setTypes(summary)
        message.setTypes(types)
        let listed = summary.takeListed()
        try setUnits(listed)
        message.setUnitStates(rows)
        noteFailures(listed, &sample)
        sample.entryCount = rows.count
        sample.suppressedCount = summary.suppressedCount
        sample.parseErrorCount = summary.parseErrorCount
        return sample
    }

    private func systemState() throws(SystemdBus.Failure) -> Sysmon__V1__Systemd__SystemState {
        switch try bus?.property("SystemState") {
        case "initializing": SYSMON__V1__SYSTEMD__SYSTEM_STATE__SYSTEM_STATE_INITIALIZING
        case "starting": SYSMON__V1__SYSTEMD__SYSTEM_STATE__SYSTEM_STATE_STARTING
        case "running": SYSMON__V1__SYSTEMD__SYSTEM_STATE__SYSTEM_STATE_RUNNING
        case "degraded": SYSMON__V1__SYSTEMD__SYSTEM_STATE__SYSTEM_STATE_DEGRADED
        case "maintenance": SYSMON__V1__SYSTEMD__SYSTEM_STATE__SYSTEM_STATE_MAINTENANCE
        case "stopping": SYSMON__V1__SYSTEMD__SYSTEM_STATE__SYSTEM_STATE_STOPPING
        default: SYSMON__V1__SYSTEMD__SYSTEM_STATE__SYSTEM_STATE_UNKNOWN
        }
    }

    private mutating func setTypes(_ summary: SystemdSummary) {
        types.removeAll()
        for type in UnitType.allCases {
            guard let counts = summary.countsByType[type], types.append() else { continue }
            types.last.setId(arena.append(type.rawValue))
            types.last.units = UInt32(clamping: counts.all)
            types.last.unitsActive = UInt32(clamping: counts[.active])
            types.last.unitsFailed = UInt32(clamping: counts[.failed])
        }
    }

    private mutating func setUnits(_ listed: [SystemdSummary.ListedUnit]) throws(SystemdBus.Failure) {
        let start = SystemClock.monotonic()
        rows.removeAll()
        for unit in listed where rows.append() {
            rows.last.setId(arena.append(unit.id))
            rows.last.setSubState(arena.append(unit.subState))
            rows.last.activeState = Self.activeState(unit.state)
            rows.last.restarts = .nan
            guard unit.isIncluded, unit.id.hasSuffix(".service"),
                SystemClock.monotonic().seconds(since: start) < Self.timeoutSeconds
            else { continue }
            do throws(SystemdBus.Failure) {
                if let count = try bus?.restartCount(ofServiceAt: unit.path) { rows.last.restarts = Double(count) }
            } catch {
                // Services go, too.
                if error.isFinal { throw error }
            }
        }
    }

    private static func activeState(_ state: UnitState?) -> Sysmon__V1__Unit__ActiveState {
        switch state {
        case nil: SYSMON__V1__UNIT__ACTIVE_STATE__ACTIVE_STATE_UNKNOWN
        case .active: SYSMON__V1__UNIT__ACTIVE_STATE__ACTIVE_STATE_ACTIVE
        case .reloading: SYSMON__V1__UNIT__ACTIVE_STATE__ACTIVE_STATE_RELOADING
        case .inactive: SYSMON__V1__UNIT__ACTIVE_STATE__ACTIVE_STATE_INACTIVE
        case .failed: SYSMON__V1__UNIT__ACTIVE_STATE__ACTIVE_STATE_FAILED
        case .activating: SYSMON__V1__UNIT__ACTIVE_STATE__ACTIVE_STATE_ACTIVATING
        case .deactivating: SYSMON__V1__UNIT__ACTIVE_STATE__ACTIVE_STATE_DEACTIVATING
        case .maintenance: SYSMON__V1__UNIT__ACTIVE_STATE__ACTIVE_STATE_MAINTENANCE
        case .refreshing: SYSMON__V1__UNIT__ACTIVE_STATE__ACTIVE_STATE_REFRESHING
        }
    }

    /// Tells which units failed since the last sample.
    private mutating func noteFailures(_ listed: [SystemdSummary.ListedUnit], _ sample: inout Sample) {
        let failed = Set(listed.filter { $0.state == .failed }.map(\.id))
        if let failedIDs {
            for id in failed.subtracting(failedIDs).sorted() { sample.notes.append(Note(.warning, "\(id) failed")) }
        }
        failedIDs = failed
    }
}

extension SystemdMessage {
    fileprivate mutating func set(_ counts: SystemdSummary.Counts) {
        units = UInt32(clamping: counts.all)
        unitsActive = UInt32(clamping: counts[.active])
        unitsReloading = UInt32(clamping: counts[.reloading])
        unitsInactive = UInt32(clamping: counts[.inactive])
        unitsFailed = UInt32(clamping: counts[.failed])
        unitsActivating = UInt32(clamping: counts[.activating])
        unitsDeactivating = UInt32(clamping: counts[.deactivating])
        let known: [UnitState] = [.active, .reloading, .inactive, .failed, .activating, .deactivating]
        unitsOther = UInt32(clamping: counts.all - known.reduce(0) { $0 + counts[$1] })
    }
}
