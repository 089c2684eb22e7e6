internal import Glibc
internal import TelemetrySchema

/// `/memory/numa`: meminfo and numastat of each NUMA node in sysfs.
struct MemoryNUMACollector: Collector, ~Copyable {
    static let topic = "/memory/numa"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 1.0

    private let clock: () -> ClockReading
    private let isNarrow: Bool
    private var nodes: NumberedEntries
    private var reader = FileReader()
    private var memory = NodeMemory()
    private var counters = NodeCounters()
    private var baselines = Baselines(columnCount: NodeCounters.columnCount, rowCapacity: 4)
    private var filter: EntryFilter
    private var rows: RepeatedField<NumaNodeMessage>

    init(host: Host) throws(CollectError) {
        var nodes = NumberedEntries(directory: "\(host.sysfs)/devices/system/node", prefix: "node")
        nodes.refresh(at: host.clock().monotonic)
        guard !nodes.numbers.isEmpty else { throw .open(errno: ENOENT) }
        self.nodes = nodes
        let settings = host.settings(of: Self.topic)
        clock = host.clock
        isNarrow = host.facts.is32Bit
        filter = EntryFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
    }

    mutating func sample(
        _ context: SampleContext, into message: inout MemoryNumaMessage
    ) throws(CollectError) -> Sample {
        let before = clock()
        var sample = Sample(time: before)
        nodes.refresh(at: before.monotonic)
        baselines.begin(at: before.monotonic, context: context)
        rows.removeAll()
        for number in nodes.numbers where filter.admits(number: number) { append(number, &sample) }
        baselines.end()
        guard rows.count > 0 else { throw .nothingUsable }
        message.setNodes(rows)
        sample.time = before.midpoint(to: clock())
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = rows.count
        return sample
    }

    private mutating func append(_ number: UInt32, _ sample: inout Sample) {
        nodes.select(number)
        let hasMemory = nodes.read("meminfo", with: &reader)
        reader.parse(into: &memory)
        let hasCounters = nodes.read("numastat", with: &reader)
        reader.parse(into: &counters)
        guard hasMemory || hasCounters else { return nodes.forget() }
        sample.parseErrorCount += memory.parseErrorCount + counters.parseErrorCount
        guard rows.append() else {
            sample.suppressedCount += 1
            return
        }
        var row = Baselines.Row(slot: 0, hasBaseline: false, wasReset: false)
        if !counters.isEmpty {
            row = baselines.addCounters(id: UInt64(number), isNarrow: isNarrow, counters.columns.span)
        }
        if row.wasReset { sample.resetCount += 1 }
        rows.last.id = number
        rows.last.set(memory)
        rows.last.set(counters)
        rows.last.setRates { column in counters.isKnown(column) ? baselines.rate(row, column: column) : .nan }
    }
}

extension NumaNodeMessage {
    fileprivate mutating func set(_ memory: NodeMemory) {
        totalBytes = memory[.total]
        freeBytes = memory[.free]
        usedBytes = (memory[.total] - memory[.free]).notNegative
        usedRatio = usedBytes / totalBytes
        activeBytes = memory[.active]
        inactiveBytes = memory[.inactive]
        fileBytes = memory[.file]
        anonymousBytes = memory[.anonymous]
        mappedBytes = memory[.mapped]
        shmemBytes = memory[.shmem]
        dirtyBytes = memory[.dirty]
        writebackBytes = memory[.writeback]
        slabBytes = memory[.slab]
        slabReclaimableBytes = memory[.slabReclaimable]
        kernelStackBytes = memory[.kernelStack]
        pageTablesBytes = memory[.pageTables]
        hugePagesTotal = memory[.hugePagesTotal]
        hugePagesFree = memory[.hugePagesFree]
        hugePagesSurplus = memory[.hugePagesSurplus]
    }

    fileprivate mutating func set(_ counters: NodeCounters) {
        typealias Column = NodeCounters.Column
        numaHitTotal = counters.columns[Column.hit]
        numaMissTotal = counters.columns[Column.miss]
        numaForeignTotal = counters.columns[Column.foreign]
        interleaveHitTotal = counters.columns[Column.interleaveHit]
        localNodeTotal = counters.columns[Column.localNode]
        otherNodeTotal = counters.columns[Column.otherNode]
    }

    fileprivate mutating func setRates(_ rate: (Int) -> Double) {
        typealias Column = NodeCounters.Column
        numaHitPerSecond = rate(Column.hit)
        numaMissPerSecond = rate(Column.miss)
        numaForeignPerSecond = rate(Column.foreign)
        interleaveHitPerSecond = rate(Column.interleaveHit)
        localNodePerSecond = rate(Column.localNode)
        otherNodePerSecond = rate(Column.otherNode)
    }
}
