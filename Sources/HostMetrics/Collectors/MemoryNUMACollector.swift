internal import Glibc
internal import TelemetrySchema

/// `/memory/numa`: meminfo and numastat of each NUMA node in sysfs.
struct MemoryNUMACollector: Collector, ~Copyable {
    static let topic = "/memory/numa"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 1.0

    private let clock: () -> ClockReading
    private let wordWidth: Baselines.Width
    private var nodes: NumberedEntries
    private var reader = FileReader()
    private var memory = NodeMemory()
    private var counters = NamedNumbers([
        "numa_hit", "numa_miss", "numa_foreign", "interleave_hit", "local_node", "other_node",
    ])
    /// A row for each counter of each node, since each may be missing by itself.
    private var baselines = Baselines(columnCount: 1, rowCapacity: 24)
    private var filter: EntryFilter
    private var rows: RepeatedField<NumaNodeMessage>

    init(host: Host) throws(CollectError) {
        var nodes = NumberedEntries(directory: "\(host.sysfs)/devices/system/node", prefix: "node")
        nodes.refresh(at: host.clock().monotonic)
        guard !nodes.numbers.isEmpty else { throw .open(errno: ENOENT) }
        self.nodes = nodes
        let settings = host.settings(of: Self.topic)
        clock = host.clock
        wordWidth = host.facts.wordWidth
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
        sample.resetCount = baselines.resetCount
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
        rows.last.id = number
        rows.last.set(memory)
        setCounters(of: number)
    }

    private mutating func setCounters(of node: UInt32) {
        rows.last.numaHitTotal = counters[0] ?? 0
        rows.last.numaMissTotal = counters[1] ?? 0
        rows.last.numaForeignTotal = counters[2] ?? 0
        rows.last.interleaveHitTotal = counters[3] ?? 0
        rows.last.localNodeTotal = counters[4] ?? 0
        rows.last.otherNodeTotal = counters[5] ?? 0
        rows.last.numaHitPerSecond = rate(0, of: node)
        rows.last.numaMissPerSecond = rate(1, of: node)
        rows.last.numaForeignPerSecond = rate(2, of: node)
        rows.last.interleaveHitPerSecond = rate(3, of: node)
        rows.last.localNodePerSecond = rate(4, of: node)
        rows.last.otherNodePerSecond = rate(5, of: node)
    }

    private mutating func rate(_ counter: Int, of node: UInt32) -> Double {
        counters[counter].map { baselines.rate(UInt64(node) << 3 | UInt64(counter), wordWidth, $0) } ?? .nan
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
        hugePageCount = memory[.hugePagesTotal]
        hugePageFreeCount = memory[.hugePagesFree]
        hugePageSurplusCount = memory[.hugePagesSurplus]
    }
}
