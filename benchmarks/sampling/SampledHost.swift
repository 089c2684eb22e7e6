import HostMetrics
import Telemetry

/// This machine's collectors, sampled and encoded as the agent does it.
struct SampledHost {
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

    private(set) var topics: [String] = []
    private(set) var byteCount = 0
    private var samplers: [any Sampling] = []
    private var contexts: [SampleContext] = []
    private var tick: UInt64 = 0
    private var target = [UInt8](repeating: 0, count: 1 << 20)

    /// All collectors, or those of these topics.
    init(topics wanted: [String]? = nil) {
        let facts = HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE")
        let clock = SystemClock()
        let host = Host(facts: facts, clock: clock.reading)
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
    }

    /// Samples some channels in one tick.
    mutating func sample(_ indices: some Sequence<Int>) {
        tick += 1
        for index in indices { encode(index) }
    }

    private mutating func encode(_ index: Int) {
        contexts[index].tick = tick
        guard (try? samplers[index].sample(contexts[index])) != nil else { return }
        byteCount += Self.encode(samplers[index], into: &target)
    }

    private static func encode(_ sampler: any Sampling, into target: inout [UInt8]) -> Int {
        let count = sampler.encodedByteCount
        var span = target.mutableSpan
        var message = span._mutatingExtracting(first: count)
        sampler.encode(into: &message)
        return count
    }
}
