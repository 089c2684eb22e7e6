internal import TelemetrySchema

/// `/net/sockets`: /proc/net/sockstat and sockstat6. The lists of sockets, /proc/net/tcp and its like, would cost a
/// thousand times as much.
struct NetSocketsCollector: Collector, ~Copyable {
    static let topic = "/net/sockets"
    static let defaultHertz = 2.0

    private var file: ProcFile
    private var file6: OptionalFile
    private var statistics = SocketStatistics()
    private let pageSizeBytes: Double
    private let clock: () -> ClockReading

    init(host: Host) throws(CollectError) {
        file = try ProcFile(path: "\(host.procfs)/net/sockstat", byteCapacity: 1_024)
        file6 = OptionalFile(path: "\(host.procfs)/net/sockstat6", byteCapacity: 1_024)
        pageSizeBytes = host.facts.pageSizeBytes
        clock = host.clock
    }

    mutating func sample(_ context: SampleContext, into message: inout NetSocketsMessage) throws(CollectError) -> Sample
    {
        statistics.removeAll()
        var sample = Sample(time: try file.read(clock) { statistics.parse($0) })
        _ = file6.read(clock) { statistics.parse($0) }
        message.set(statistics)
        message.tcpMemoryBytes = statistics[.tcpMemoryPages] * pageSizeBytes
        message.udpMemoryBytes = statistics[.udpMemoryPages] * pageSizeBytes
        sample.entryCount = 1
        sample.parseErrorCount = statistics.parseErrorCount
        return sample
    }
}

extension NetSocketsMessage {
    /// All but memory that is counted in pages.
    fileprivate mutating func set(_ statistics: SocketStatistics) {
        used = statistics[.used]
        tcpInUse = statistics[.tcpInUse]
        tcpOrphan = statistics[.tcpOrphan]
        tcpTimeWait = statistics[.tcpTimeWait]
        tcpAllocated = statistics[.tcpAllocated]
        udpInUse = statistics[.udpInUse]
        udpLiteInUse = statistics[.udpLiteInUse]
        rawInUse = statistics[.rawInUse]
        fragmentsInUse = statistics[.fragmentsInUse]
        fragmentsMemoryBytes = statistics[.fragmentsMemory]
        tcp6InUse = statistics[.tcp6InUse]
        udp6InUse = statistics[.udp6InUse]
        udpLite6InUse = statistics[.udpLite6InUse]
        raw6InUse = statistics[.raw6InUse]
        fragments6InUse = statistics[.fragments6InUse]
        fragments6MemoryBytes = statistics[.fragments6Memory]
    }
}
