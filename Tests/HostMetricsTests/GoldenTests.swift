import HostMetrics
import Telemetry
import Testing

/// Every host of `Fixtures/hosts`, at both snapshots, field by field.
struct GoldenTests {
    @Test(arguments: FixtureHost.names)
    func messagesAreAsTheReferenceComputesThem(name: String) throws {
        let fixture = try FixtureHost(name)
        var samplers: [String: any Sampling] = [:]
        var parseErrorCount = 0
        for (tick, snapshot) in ["t0", "t1"].enumerated() {
            if tick > 0 { try fixture.advance() }
            var stamps: [String: WireValue] = [:]
            for registration in allCollectors {
                let topic = registration.channel.topic
                guard
                    FixtureHost.firstTierTopics.contains(topic)
                        || fixture.hasSecondTier && FixtureHost.secondTierTopics.contains(topic)
                else { continue }
                let expected = fixture.expected[snapshot]?[topic]
                do throws(CollectError) {
                    let sampler: any Sampling
                    if let kept = samplers[topic] {
                        sampler = kept
                    } else {
                        sampler = try registration.makeSampler(on: fixture.host)
                    }
                    samplers[topic] = sampler
                    let sample = try sampler.sample(registration.context(tick: UInt64(tick)))
                    parseErrorCount += sample.parseErrorCount
                } catch {
                    #expect(expected == nil, "\(name) \(snapshot) \(topic): \(error)")
                    continue
                }
                guard let sampler = samplers[topic] else { continue }
                let message = try decode(sampler, schema: registration.channel.schema)
                stamps[topic] = message["header.stamp"]
                guard let expected else {
                    Issue.record("\(name) \(snapshot) \(topic) must not be published")
                    continue
                }
                let differences = expected.differences(from: message, at: topic)
                #expect(differences.isEmpty, "\(name) \(snapshot): \(differences.prefix(8).joined(separator: "\n"))")
            }
            #expect(stamps["/cpu"] == stamps["/kernel"])
            #expect(stamps["/cpu"] == stamps["/cpu/cores"])
        }
        if name == "garbled" { #expect(parseErrorCount > 0) }
    }
}
