internal import Telemetry
internal import TelemetrySchema

/// `/edac`: /sys/devices/system/edac/mc (kernel documentation, admin-guide/RAS).
struct MemoryErrorsCollector: Collector, ~Copyable {
    static let topic = "/edac"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 0.1
    /// Hundreds of small files on large hosts.
    static let isBlocking = true

    /// Memory can be added to some hosts while they run, and drivers loaded.
    private static let listingSeconds = 10.0

    private var controllers: MemoryControllers
    private var listed: Instant
    private let clock: () -> ClockReading
    private var filter: EntryFilter
    /// A row of each node: errors put right, and errors not.
    private var baselines = Baselines(columnCount: 2, rowCapacity: 16)
    private var controllerRows: RepeatedField<EdacControllerMessage>
    private var memoryRows: RepeatedField<EdacRowMessage>
    private var texts: TextArena

    init(host: Host) throws(CollectError) {
        controllers = try MemoryControllers(sysfs: host.sysfs)
        clock = host.clock
        listed = host.clock().monotonic
        let settings = host.settings(of: Self.topic)
        filter = EntryFilter(settings)
        controllerRows = RepeatedField(capacity: settings.entryCountMax)
        memoryRows = RepeatedField(capacity: settings.entryCountMax)
        texts = TextArena(byteCapacity: 262_144)
    }

    mutating func sample(_ context: SampleContext, into message: inout EdacMessage) throws(CollectError) -> Sample {
        let time = clock()
        if time.monotonic.seconds(since: listed) >= Self.listingSeconds {
            try controllers.list()
            listed = time.monotonic
        }
        var sample = Sample(time: time)
        sample.suppressedCount = controllers.excessCount
        texts.removeAll()
        controllerRows.removeAll()
        memoryRows.removeAll()
        baselines.begin(at: time.monotonic, context: context)
        for place in controllers.nodes.indices {
            let node = controllers.nodes[place]
            guard filter.admits(node.id.span), let errors = controllers.errors(of: place) else { continue }
            if !append(node, place, errors) { sample.suppressedCount += 1 }
        }
        baselines.end()
        sample.parseErrorCount = controllers.takeParseErrorCount()
        sample.entryCount = controllerRows.count + memoryRows.count
        guard sample.entryCount > 0 else { throw .nothingUsable }
        message.setControllers(controllerRows)
        message.setMemoryRows(memoryRows)
        sample.intervalSeconds = baselines.intervalSeconds
        sample.resetCount = baselines.resetCount
        return sample
    }

    /// False: there is no row left.
    private mutating func append(
        _ node: MemoryControllers.Node, _ place: Int, _ errors: MemoryControllers.Errors
    ) -> Bool {
        let isController = node.kind == .controller
        guard isController ? controllerRows.append() : memoryRows.append() else { return false }
        // The kernel counts in 32 bits.
        let counters: [2 of UInt64] = [errors.correctable, errors.uncorrectable]
        let row = baselines.addCounters(id: node.identity, width: .bits32, counters.span)
        let id = texts.append(node.id.span)
        let label = texts.append(node.label.span)
        if isController {
            controllerRows.last.setId(id)
            controllerRows.last.setName(label)
            controllerRows.last.sizeBytes = node.sizeBytes
            controllerRows.last.correctableErrorsTotal = errors.correctable
            controllerRows.last.uncorrectableErrorsTotal = errors.uncorrectable
            controllerRows.last.correctableErrorsWithoutPlaceTotal =
                controllers.number("/ce_noinfo_count", of: place) ?? 0
            controllerRows.last.uncorrectableErrorsWithoutPlaceTotal =
                controllers.number("/ue_noinfo_count", of: place) ?? 0
            controllerRows.last.correctableErrorsPerSecond = baselines.rate(row, column: 0)
            controllerRows.last.uncorrectableErrorsPerSecond = baselines.rate(row, column: 1)
        } else {
            memoryRows.last.setId(id)
            memoryRows.last.setLabel(label)
            memoryRows.last.sizeBytes = node.sizeBytes
            memoryRows.last.correctableErrorsTotal = errors.correctable
            memoryRows.last.uncorrectableErrorsTotal = errors.uncorrectable
            memoryRows.last.correctableErrorsPerSecond = baselines.rate(row, column: 0)
            memoryRows.last.uncorrectableErrorsPerSecond = baselines.rate(row, column: 1)
        }
        return true
    }
}
