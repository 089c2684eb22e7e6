import HostMetrics
import Telemetry

/// This machine's collectors, sampled and encoded as the agent does it.
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

    /// The sources of each channel, those shared with others included.
    static let sources: [(topic: String, sources: [Source])] = [
        ("/cpu", [.stat]), ("/cpu/cores", [.stat]), ("/kernel", [.stat]), ("/load", [.loadavg, .stat]),
        ("/memory", [.meminfo]), ("/net", [.interfaces]), ("/system/uptime", [.uptime, .stat]),
    ]

    let topics: [String]
    private let samplers: [any Sampling]
    private let contexts: [SampleContext]
    private var tick: UInt64 = 0
    private var target = [UInt8](repeating: 0, count: 1 << 20)

    /// All collectors, or those of these topics.
    init(topics wanted: [String]? = nil) {
        let facts = HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE")
        let clock = SystemClock()
        let host = Host(facts: facts, clock: clock.reading)
        var topics: [String] = []
        var samplers: [any Sampling] = []
        var contexts: [SampleContext] = []
        for registration in allCollectors {
            let topic = registration.channel.topic
            guard wanted?.contains(topic) ?? true else { continue }
            do {
                samplers.append(try registration.makeSampler(on: host))
            } catch {
                print("\(topic): \(error)")
                continue
            }
            topics.append(topic)
            contexts.append(
                SampleContext(
                    tick: 0, period: Period(hertz: registration.defaultHertz),
                    windowSeconds: registration.defaultWindowSeconds))
            host.agent.collectors.append(
                AgentReport.CollectorRecord(
                    topic: topic, requestedHertz: registration.defaultHertz,
                    resolutionSeconds: registration.resolutionSeconds))
        }
        self.topics = topics
        self.samplers = samplers
        self.contexts = contexts
    }

    /// Samples some channels in one tick, and encodes them one behind the other.
    func sample(_ indices: [Int]) {
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
    }
}
