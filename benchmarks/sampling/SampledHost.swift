import HostMetrics
import Telemetry

/// A host's collectors, sampled and encoded as the agent does it; blocking ones, too, on this thread.
///
/// Each sample of a channel comes a period after the one before, by the host's clock: what is only looked at every ten
/// seconds, or every minute, has its share in many samples, as in service.
final class SampledHost {
    /// What is read.
    enum Source: Int, CaseIterable {
        case stat, meminfo, loadavg, uptime, interfaces

        /// Nil: by netlink.
        var path: String? {
            switch self {
            case .stat: "/proc/stat"
            case .meminfo: "/proc/meminfo"
            case .loadavg: "/proc/loadavg"
            case .uptime: "/proc/uptime"
            case .interfaces: nil
            }
        }
    }

    /// The sources of the channels that are compared with bare reads, those shared with others included.
    static let sources: [(topic: String, sources: [Source])] = [
        ("/cpu", [.stat]), ("/cpu/cores", [.stat]), ("/kernel", [.stat]), ("/load", [.loadavg, .stat]),
        ("/memory", [.meminfo]), ("/net", [.interfaces]), ("/system/uptime", [.uptime, .stat]),
    ]

    let isThisMachine: Bool
    /// Of the channels whose source is there.
    private(set) var registrations: [Registration] = []
    var topics: [String] { registrations.map(\.channel.topic) }
    private var samplers: [any Sampling] = []
    private var contexts: [SampleContext] = []
    private let time = PassingTime()
    private var target = [UInt8](repeating: 0, count: 1 << 22)

    /// Looks ahead by as much as the samples are apart.
    private final class PassingTime {
        private let clock = SystemClock()
        var ahead: UInt64 = 0

        func reading() -> ClockReading {
            var reading = clock.reading()
            reading.monotonic.nanoseconds += ahead
            reading.realtime.unixNanoseconds += ahead
            return reading
        }
    }

    /// All collectors, or those of these topics; on this machine, or on one made of files.
    init(root: String? = nil, topics wanted: [String]? = nil) {
        isThisMachine = root == nil
        let facts = HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE")
        let time = time
        let host = Host(
            procfs: root.map { $0 + "/proc" } ?? "/proc", sysfs: root.map { $0 + "/sys" } ?? "/sys",
            rootfs: root ?? "/", facts: facts, clock: time.reading)
        for registration in allCollectors where wanted?.contains(registration.channel.topic) ?? true {
            guard let sampler = try? registration.makeSampler(on: host) else { continue }
            samplers.append(sampler)
            registrations.append(registration)
            contexts.append(
                SampleContext(
                    tick: 0, period: Period(hertz: registration.defaultHertz),
                    windowSeconds: registration.defaultWindowSeconds))
            host.agent.collectors.append(
                AgentReport.CollectorRecord(
                    topic: registration.channel.topic, requestedHertz: registration.defaultHertz,
                    resolutionSeconds: registration.resolutionSeconds))
        }
    }

    private var tick: UInt64 = 0

    /// Samples some channels in one tick, and encodes them one behind the other; returns how long that is.
    @discardableResult
    func sample(_ indices: [Int]) -> Int {
        tick += 1
        let tick = tick
        var target = target.mutableSpan
        var offset = 0
        for index in indices {
            var context = contexts[index]
            context.tick = tick
            let sampler = samplers[index]
            guard (try? sampler.sample(context)) != nil else { continue }
            let end = offset + sampler.encodedByteCount
            var message = target._mutatingExtracting(offset..<end)
            sampler.encode(into: &message)
            offset = end
        }
        return offset
    }

    /// Lets a period of the channel pass, so that its next sample is due.
    func wait(for index: Int) { time.ahead += contexts[index].period.nanoseconds }
}
