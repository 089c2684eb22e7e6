import HostMetrics
import Telemetry

/// This machine's collectors, sampled and encoded as the agent does it.
struct SampledHost {
    /// What is due together in one tick of the default rates.
    static let mainTopics = ["/cpu", "/cpu/cores", "/kernel", "/load", "/memory", "/net", "/system/uptime"]

    private(set) var topics: [String] = []
    private(set) var byteCount = 0
    private var samplers: [any Sampling] = []
    private var contexts: [SampleContext] = []
    private var tick: UInt64 = 0
    private var target = [UInt8](repeating: 0, count: 1 << 20)

    /// `topics`: nil for all.
    init(topics wanted: [String]?) {
        let facts = HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE")
        let host = Host(facts: facts, clock: Clocks.reading)
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

    mutating func sampleAll() {
        tick += 1
        byteCount = 0
        for index in samplers.indices { encode(index) }
    }

    mutating func sample(_ index: Int) {
        tick += 1
        encode(index)
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
