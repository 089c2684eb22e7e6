internal import Glibc
internal import TelemetrySchema

/// `/nfs`: /proc/net/rpc/nfs of the client and nfsd of the server (nfsstat(8)).
struct NFSCollector: Collector, ~Copyable {
    static let topic = "/nfs"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 1.0

    private var client: RPCFile
    private var server: RPCFile
    private let clock: () -> ClockReading
    private let wordWidth: Baselines.Width
    /// A row for each counter: each wraps by itself.
    private var baselines = Baselines(columnCount: 1, rowCapacity: 256)
    private var clientRow = RepeatedField<NfsClientMessage>(capacity: 1)
    private var serverRow = RepeatedField<NfsServerMessage>(capacity: 1)
    private var operations: NFSOperationRows

    init(host: Host) throws(CollectError) {
        client = RPCFile(path: "\(host.procfs)/net/rpc/nfs")
        server = RPCFile(path: "\(host.procfs)/net/rpc/nfsd")
        clock = host.clock
        wordWidth = host.facts.wordWidth
        operations = NFSOperationRows(host.settings(of: Self.topic))
        guard client.isOpen || server.isOpen else { throw .open(errno: ENOENT) }
    }

    mutating func sample(_ context: SampleContext, into message: inout NfsMessage) throws(CollectError) -> Sample {
        let times = (client.read(clock), server.read(clock))
        guard let time = times.0 ?? times.1 else { throw .nothingUsable }
        var sample = Sample(time: time)
        baselines.begin(at: time.monotonic, context: context)
        operations.removeAll()
        setClient()
        setServer()
        baselines.end()
        message.setClient(clientRow)
        message.setServer(serverRow)
        message.setOperations(operations.rows)
        sample.intervalSeconds = baselines.intervalSeconds
        sample.entryCount = clientRow.count + serverRow.count + operations.rows.count
        sample.suppressedCount = operations.suppressedCount
        sample.parseErrorCount = client.statistics.parseErrorCount + server.statistics.parseErrorCount
        sample.resetCount = baselines.resetCount
        guard sample.entryCount > 0 else { throw .nothingUsable }
        return sample
    }

    private mutating func setClient() {
        clientRow.removeAll()
        // The client counts in 32 bits.
        operations.append(.client, client.statistics, .bits32, &baselines)
        guard let calls = client.statistics[.rpc, 0], clientRow.append() else { return }
        let retransmissions = client.statistics[.rpc, 1] ?? 0
        clientRow.last.callsTotal = calls
        clientRow.last.retransmissionsTotal = retransmissions
        clientRow.last.authenticationRefreshesTotal = client.statistics[.rpc, 2] ?? 0
        let callsRate = baselines.rate(0, .bits32, calls)
        let retransmissionsRate = baselines.rate(1, .bits32, retransmissions)
        clientRow.last.callsPerSecond = callsRate
        clientRow.last.retransmissionsPerSecond = retransmissionsRate
        clientRow.last.retransmissionsRatio = callsRate > 0 ? retransmissionsRate / callsRate : .nan
    }

    private mutating func setServer() {
        serverRow.removeAll()
        let statistics = server.statistics
        operations.append(.server, statistics, wordWidth, &baselines)
        guard let calls = statistics[.rpc, 0], serverRow.append() else { return }
        let badCalls = statistics[.rpc, 1] ?? 0
        serverRow.last.callsTotal = calls
        serverRow.last.badCallsTotal = badCalls
        serverRow.last.readBytesTotal = statistics[.io, 0] ?? 0
        serverRow.last.writeBytesTotal = statistics[.io, 1] ?? 0
        serverRow.last.replyCacheHitsTotal = statistics[.replyCache, 0] ?? 0
        serverRow.last.replyCacheMissesTotal = statistics[.replyCache, 1] ?? 0
        serverRow.last.replyCacheBypassesTotal = statistics[.replyCache, 2] ?? 0
        serverRow.last.threads = UInt32(clamping: statistics[.threads, 0] ?? 0)
        serverRow.last.callsPerSecond = baselines.rate(2, .bits32, calls)
        serverRow.last.badCallsPerSecond = baselines.rate(3, .bits32, badCalls)
        serverRow.last.readBytesPerSecond = statistics[.io, 0].map { baselines.rate(4, wordWidth, $0) } ?? .nan
        serverRow.last.writeBytesPerSecond = statistics[.io, 1].map { baselines.rate(5, wordWidth, $0) } ?? .nan
    }
}

/// A file that comes when its module is loaded.
private struct RPCFile: ~Copyable {
    private let path: String
    private var file: ProcFile?
    private(set) var statistics = RPCStatistics()

    init(path: String) {
        self.path = path
        file = try? ProcFile(path: path)
    }

    var isOpen: Bool { file != nil }

    mutating func read(_ clock: () -> ClockReading) -> ClockReading? {
        if file == nil { file = try? ProcFile(path: path) }
        if let time = try? file?.readByLines(clock, into: &statistics) { return time }
        statistics = RPCStatistics()
        return nil
    }
}
