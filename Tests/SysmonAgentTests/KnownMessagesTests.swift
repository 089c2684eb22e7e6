import HostMetrics
import SysmonAgent
import Telemetry
import TelemetrySchema
import Testing

@Suite struct KnownMessagesTests {
    @Test func theMessagesOfAllChannelsAreKnown() throws {
        let known = KnownMessages()
        for name in allCollectors.map(\.channel.schema.name) + ["sysmon.v1.Config", "foxglove.Log"] {
            #expect(known.has(name))
            #expect(known.decode([], schemaName: name) != nil)
            #expect(known.decode([0xFF], schemaName: name) == nil)
        }
        #expect(!known.has("sysmon.v1.Other") && known.decode([], schemaName: "sysmon.v1.Other") == nil)
    }

    @Test func everyCollectorIsListedOnce() {
        let lines = CollectorList(allCollectors).text.split(separator: "\n")
        #expect(lines.dropFirst().map { String($0.prefix { $0 != " " }) } == allCollectors.map(\.channel.topic))
        #expect(lines.contains("/load               the loop    timer       5 s"))
        #expect(lines.contains("/net/addresses      the loop    events      -           include, exclude, max_entries"))
    }
}
