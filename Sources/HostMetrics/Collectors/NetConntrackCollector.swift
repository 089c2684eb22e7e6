internal import Telemetry
internal import TelemetrySchema

/// `/net/conntrack`: the limits and the statistics of connection tracking.
struct NetConntrackCollector: Collector, ~Copyable {
    static let topic = "/net/conntrack"
    static let defaultHertz = 1.0

    private var countFile: ProcFile
    private var limitFile: OptionalFile
    private var statisticsFile: OptionalFile
    private var statistics = ConntrackStatistics()
    private let clock: () -> ClockReading
    /// A row for each CPU, since their counters wrap each by itself.
    private var baselines = Baselines(columnCount: ConntrackStatistics.columnCount, rowCapacity: 16)
    /// Sums over all CPUs.
    private var totals: [12 of UInt64] = .init(repeating: 0)
    private var rates: [12 of Double] = .init(repeating: .nan)

    init(host: Host) throws(CollectError) {
        // The kernel clears a buffer of the size asked for at each read of /proc/sys.
        let folder = "\(host.procfs)/sys/net/netfilter"
        countFile = try ProcFile(path: "\(folder)/nf_conntrack_count", byteCapacity: 256)
        limitFile = OptionalFile(path: "\(folder)/nf_conntrack_max", byteCapacity: 256)
        statisticsFile = OptionalFile(path: "\(host.procfs)/net/stat/nf_conntrack", byteCapacity: 8_192)
        clock = host.clock
    }

    mutating func sample(_ context: SampleContext, into message: inout NetConntrackMessage) throws(CollectError)
        -> Sample
    {
        var sample = Sample(time: try countFile.read(clock))
        guard let entries = countFile.text.trimmed.unsignedValue else { throw .nothingUsable }
        var limit = Double.nan
        _ = limitFile.read(clock) { text in limit = text.trimmed.unsignedValue.map { Double($0) } ?? .nan }
        message.entries = Double(entries)
        message.limit = limit
        message.usedRatio = limit > 0 ? Double(entries) / limit : .nan
        readStatistics(context, &sample)
        setRates(&message)
        setTotals(&message)
        sample.entryCount = 1
        return sample
    }

    private mutating func readStatistics(_ context: SampleContext, _ sample: inout Sample) {
        totals = .init(repeating: 0)
        rates = .init(repeating: .nan)
        baselines.begin(at: sample.time.monotonic, context: context)
        var rowCount = 0
        _ = statisticsFile.read(byLines: true, clock) { text in
            statistics.parse(text) { cpu, counters in
                let row = baselines.addCounters(id: UInt64(cpu), isNarrow: true, counters.span)
                if row.wasReset { sample.resetCount += 1 }
                for column in 0..<ConntrackStatistics.columnCount {
                    totals[column] &+= counters[column]
                    // NaN, and so the sum, for a CPU that has none.
                    let rate = baselines.rate(row, column: column)
                    rates[column] = rowCount == 0 ? rate : rates[column] + rate
                }
                rowCount += 1
            }
            sample.parseErrorCount = statistics.parseErrorCount
        }
        baselines.end()
        for column in ConntrackStatistics.Column.allCases where !statistics.has(column) {
            rates[column.rawValue] = .nan
        }
        sample.intervalSeconds = baselines.intervalSeconds
    }

    private func setRates(_ message: inout NetConntrackMessage) {
        func rate(_ column: ConntrackStatistics.Column) -> Double { rates[column.rawValue] }
        message.foundPerSecond = rate(.found)
        message.invalidPerSecond = rate(.invalid)
        message.insertPerSecond = rate(.insert)
        message.insertFailedPerSecond = rate(.insertFailed)
        message.dropPerSecond = rate(.drop)
        message.earlyDropPerSecond = rate(.earlyDrop)
        message.icmpErrorPerSecond = rate(.icmpError)
        message.searchRestartPerSecond = rate(.searchRestart)
        message.clashResolvedPerSecond = rate(.clashResolved)
        message.chainTooLongPerSecond = rate(.chainTooLong)
        message.expectCreatePerSecond = rate(.expectCreate)
        message.expectDeletePerSecond = rate(.expectDelete)
    }

    private func setTotals(_ message: inout NetConntrackMessage) {
        func total(_ column: ConntrackStatistics.Column) -> UInt64 { totals[column.rawValue] }
        message.foundTotal = total(.found)
        message.invalidTotal = total(.invalid)
        message.insertTotal = total(.insert)
        message.insertFailedTotal = total(.insertFailed)
        message.dropTotal = total(.drop)
        message.earlyDropTotal = total(.earlyDrop)
        message.icmpErrorTotal = total(.icmpError)
        message.searchRestartTotal = total(.searchRestart)
        message.clashResolvedTotal = total(.clashResolved)
        message.chainTooLongTotal = total(.chainTooLong)
        message.expectCreateTotal = total(.expectCreate)
        message.expectDeleteTotal = total(.expectDelete)
    }
}
