internal import TelemetrySchema

/// `/memory/paging`: /proc/vmstat (proc_vmstat(5)).
struct PagingCollector: Collector, ~Copyable {
    static let topic = "/memory/paging"
    static let defaultHertz = 5.0

    /// The lines that are used.
    private enum Line: Int, CaseIterable {
        case blockIn, blockOut, swapIn, swapOut, faults, majorFaults, outOfMemoryKills
        case scannedByDaemon, scannedByTasks, stolenByDaemon, stolenByTasks

        var name: StaticString {
            switch self {
            case .blockIn: "pgpgin"
            case .blockOut: "pgpgout"
            case .swapIn: "pswpin"
            case .swapOut: "pswpout"
            case .faults: "pgfault"
            case .majorFaults: "pgmajfault"
            case .outOfMemoryKills: "oom_kill"
            case .scannedByDaemon: "pgscan_kswapd"
            case .scannedByTasks: "pgscan_direct"
            case .stolenByDaemon: "pgsteal_kswapd"
            case .stolenByTasks: "pgsteal_direct"
            }
        }
    }

    private var file: ProcFile
    private var numbers = NamedNumbers(Line.allCases.map(\.name))
    private let clock: () -> ClockReading
    private let facts: HostFacts
    /// A row for each line, since each may be missing by itself.
    private var baselines = Baselines(columnCount: 1, rowCapacity: Line.allCases.count)
    /// Of the sample before.
    private var killCount: UInt64?

    init(host: Host) throws(CollectError) {
        file = try ProcFile(path: "\(host.procfs)/vmstat", byteCapacity: 16_384)
        clock = host.clock
        facts = host.facts
    }

    mutating func sample(_ context: SampleContext, into message: inout PagingMessage) throws(CollectError) -> Sample {
        var sample = Sample(time: try file.read(clock, into: &numbers))
        guard !numbers.isEmpty else { throw .nothingUsable }
        baselines.begin(at: sample.time.monotonic, context: context)
        let page = facts.pageSizeBytes
        message.blockInBytesPerSecond = rate(.blockIn) * 1_024
        message.blockOutBytesPerSecond = rate(.blockOut) * 1_024
        message.swapInBytesPerSecond = rate(.swapIn) * page
        message.swapOutBytesPerSecond = rate(.swapOut) * page
        message.faultsPerSecond = rate(.faults)
        message.majorFaultsPerSecond = rate(.majorFaults)
        message.oomKillsPerSecond = rate(.outOfMemoryKills)
        message.reclaimScannedBytesPerSecond = (rate(.scannedByDaemon) + rate(.scannedByTasks)) * page
        message.reclaimStolenBytesPerSecond = (rate(.stolenByDaemon) + rate(.stolenByTasks)) * page
        baselines.end()
        if let killCount, let now = numbers[Line.outOfMemoryKills.rawValue], now > killCount {
            sample.alarm = .outOfMemoryKill
        }
        killCount = numbers[Line.outOfMemoryKills.rawValue]
        message.blockInBytesTotal = total(.blockIn, unit: 1_024)
        message.blockOutBytesTotal = total(.blockOut, unit: 1_024)
        message.swapInBytesTotal = total(.swapIn, unit: UInt64(page))
        message.swapOutBytesTotal = total(.swapOut, unit: UInt64(page))
        message.faultsTotal = total(.faults)
        message.majorFaultsTotal = total(.majorFaults)
        message.oomKillsTotal = total(.outOfMemoryKills)
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = 1
        sample.parseErrorCount = numbers.parseErrorCount
        sample.resetCount = baselines.resetCount
        return sample
    }

    private mutating func rate(_ line: Line) -> Double {
        guard let counter = numbers[line.rawValue] else { return .nan }
        var width = facts.wordWidth
        if width == .bits32, line == .blockIn || line == .blockOut { width = .bits31 }
        return baselines.rate(UInt64(line.rawValue), width, counter)
    }

    /// 0: not known.
    private func total(_ line: Line, unit: UInt64 = 1) -> UInt64 {
        let (total, overflowed) = (numbers[line.rawValue] ?? 0).multipliedReportingOverflow(by: unit)
        return overflowed ? 0 : total
    }
}
