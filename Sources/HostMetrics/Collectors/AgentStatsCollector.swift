internal import Telemetry
internal import TelemetrySchema

/// `/agent`: this process, by the kernel; its clients and collectors, by what the agent reports.
struct AgentStatsCollector: Collector, ~Copyable {
    static let topic = "/agent"
    static let defaultHertz = 1.0

    private let host: Host
    private var process = OwnProcess()
    private var baselines = Baselines(columnCount: 3, rowCapacity: 1)
    private var collectors = RepeatedField<CollectorStatsMessage>(capacity: Limits.entryCountMax)
    private var limits = RepeatedField<LimitStatsMessage>(capacity: Limits.entryCountMax)
    private var arena = TextArena(byteCapacity: 65_536)
    private var errorText: [UInt8] = []

    private enum Column {
        static let cpuNanoseconds = 0
        static let messages = 1
        static let bytes = 2
    }

    init(host: Host) throws(CollectError) {
        self.host = host
        errorText.reserveCapacity(64)
    }

    mutating func sample(_ context: SampleContext, into message: inout AgentStatsMessage) throws(CollectError) -> Sample
    {
        let before = host.clock()
        let cpu = process.cpuNanoseconds()
        var sample = Sample(time: before.midpoint(to: host.clock()))
        let report = host.agent
        let counters: [3 of UInt64] = [cpu, report.sentMessageCount, report.sentByteCount]
        baselines.begin(at: sample.time.monotonic, context: context)
        let row = baselines.addCounters(id: 0, isNarrow: false, counters.span)
        message.cpuRatio = baselines.rate(row, column: Column.cpuNanoseconds) / 1e9
        message.messagesPerSecond = baselines.rate(row, column: Column.messages)
        message.sentBytesPerSecond = baselines.rate(row, column: Column.bytes)
        baselines.end()
        message.cpuSecondsTotal = Double(cpu) / 1e9
        setProcess(&message)
        setServer(&message)
        arena.removeAll()
        setCollectors(&message, &sample)
        setLimits(&message, &sample)
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = collectors.count
        return sample
    }

    private mutating func setProcess(_ message: inout AgentStatsMessage) {
        let pages = process.memoryPages(host.clock)
        // Of the machine that this runs on, which with other roots is not the one that is told about.
        let pageSize = OwnProcess.pageSizeBytes
        message.residentBytes = pages.map { Double($0.resident) * pageSize } ?? .nan
        message.virtualBytes = pages.map { Double($0.virtual) * pageSize } ?? .nan
        message.threads = UInt32(clamping: process.threadCount(host.clock))
        message.openFds = UInt32(clamping: process.descriptorCount())
        message.maxFds = UInt32(clamping: process.descriptorCountMax() ?? 0)
    }

    private func setServer(_ message: inout AgentStatsMessage) {
        let report = host.agent
        message.clients = UInt32(clamping: report.clientCount)
        message.subscriptions = UInt32(clamping: report.subscriptionCount)
        message.messagesSentTotal = report.sentMessageCount
        message.sentBytesTotal = report.sentByteCount
        message.messagesDroppedTotal = report.droppedMessageCount
        message.sendQueueBytes = Double(report.queuedByteCount)
    }

    private mutating func setCollectors(_ message: inout AgentStatsMessage, _ sample: inout Sample) {
        collectors.removeAll()
        for record in host.agent.collectors {
            let topic = arena.append(record.topic)
            errorText.removeAll(keepingCapacity: true)
            record.lastError?.describe(into: &errorText)
            let lastError = Self.append(errorText, to: &arena)
            guard collectors.append() else {
                sample.suppressedCount += 1
                continue
            }
            collectors.last.setId(topic)
            collectors.last.setLastError(lastError)
            collectors.last.set(record)
        }
        message.setCollectors(collectors)
    }

    private static func append(_ bytes: [UInt8], to arena: inout TextArena) -> Text {
        arena.append(bytes.span)
    }

    private mutating func setLimits(_ message: inout AgentStatsMessage, _ sample: inout Sample) {
        limits.removeAll()
        for record in host.agent.limits {
            let name = arena.append(record.name)
            guard limits.append() else {
                sample.suppressedCount += 1
                continue
            }
            limits.last.setId(name)
            limits.last.limit = record.limit
            limits.last.reachedTotal = record.reachedCount
        }
        message.setLimits(limits)
    }
}

extension CollectorStatsMessage {
    fileprivate mutating func set(_ record: borrowing AgentReport.CollectorRecord) {
        requestedHertz = record.requestedHertz
        actualHertz = record.actualHertz
        sourceResolutionSeconds = record.resolutionSeconds
        let isFaster = record.resolutionSeconds > 0 && record.requestedHertz * record.resolutionSeconds > 2
        fasterThanSource = isFaster ? 1 : 0
        readSeconds = record.lastSeconds
        readSecondsMax = record.longestSeconds
        samplesTotal = record.sampleCount
        overrunsTotal = record.overrunCount
        errorsTotal = record.errorCount
        parseErrorsTotal = record.parseErrorCount
        counterResetsTotal = record.resetCount
        messagesDroppedTotal = record.droppedCount
        entries = UInt32(clamping: record.entryCount)
        entriesSuppressed = UInt32(clamping: record.suppressedCount)
        stuckSeconds = record.stuckSeconds
    }
}
