import Foundation
import FoxgloveProtocol
import HostMetrics
import SysmonAgent
import Telemetry
import TelemetrySchema
import Testing

/// What `sysmon-agent list channels` tells.
struct ChannelListTests {
    @Test func everyTopicIsDescribed() {
        let topics = Agent.defaultConfiguration(allCollectors).channels.map(\.topic)
        #expect(Set(topicDescriptions.keys) == Set(topics))
        for (topic, description) in topicDescriptions {
            #expect(description.summary.hasSuffix("."), "\(topic)")
            #expect(description.source.hasSuffix("."), "\(topic)")
        }
    }

    @Test func linesTellTopicRateAndStateAndFitATerminal() throws {
        var configuration = Agent.defaultConfiguration(
            allCollectors.filter { ["/cpu", "/load", "/zfs", "/rapl", "/net/addresses"].contains($0.channel.topic) })
        try configuration.set("rate_hertz", of: "/cpu", to: .number(1.0 / 60))
        try configuration.set("enabled", of: "/rapl", to: .bool(false))
        let list = ChannelList(
            configuration,
            [.silent, .available, .absent(.open(errno: ENOENT)), .absent(.open(errno: EACCES)), .available]
        )
        let lines = list.text.split(separator: "\n")
        #expect(
            lines.filter { !$0.hasPrefix(" ") } == [
                "TOPIC               RATE       STATE",
                "/cpu                1/60 Hz    absent: it does not answer",
                "/load               0.2 Hz     available",
                "/zfs                1 Hz       absent: this host has none (ENOENT)",
                "/net/addresses      on change  absent: no permission (EACCES)",
                "/rapl               10 Hz      disabled by the configuration",
                "/log                on change  available",
                "/config             on change  available",
            ])
        #expect(lines.contains("    Source: /proc/spl/kstat/zfs/arcstats."))
        #expect(lines.allSatisfy { $0.count <= 80 })
        // Every word of a text that takes more than one line is there.
        let config = try #require(topicDescriptions["/config"])
        let told = list.text.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
        #expect(config.summary.count > 80)
        #expect(told.hasSuffix("\(config.summary) Source: \(config.source)"))
    }

    @Test func aSourceIsThereOrMissingOrDoesNotAnswer() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("list-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try "0.50 0.40 0.30 1/200 4242\n".write(
            to: folder.appendingPathComponent("loadavg"), atomically: false, encoding: .utf8)
        let pipe = folder.appendingPathComponent("pipe").path
        try #require(unsafe mkfifo(pipe, 0o600) == 0)
        let host = HostMetrics.Host(
            procfs: folder.path, sysfs: folder.path, rootfs: folder.path,
            facts: HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE"),
            clock: SystemClock().reading)
        let registrations =
            [Registration(PipeCollector.self), Registration(PipeCollector.self)]
            + allCollectors.filter { ["/load", "/memory", "/md"].contains($0.channel.topic) }
        let begin = SystemClock.monotonic()
        let availabilities = Availability.ofEach(registrations, on: host, waitingSeconds: 0.5)
        let seconds = SystemClock.monotonic().seconds(since: begin)
        #expect(registrations.map(\.channel.topic) == ["/pipe", "/pipe", "/load", "/memory", "/md"])
        #expect(
            availabilities == [
                .silent, .silent, .available, .absent(.open(errno: ENOENT)), .absent(.open(errno: ENOENT)),
            ])
        // Together, not each.
        #expect(0.5..<0.95 ~= seconds)
        // Lets the threads end.
        close(unsafe open(pipe, O_RDWR))
    }
}

/// A source that hangs when it is opened: a pipe that nobody writes to.
private struct PipeCollector: Collector, ~Copyable {
    static let topic = "/pipe"
    static let defaultHertz = 1.0
    static let isBlocking = true

    init(host: HostMetrics.Host) throws(CollectError) {
        let descriptor = unsafe open("\(host.procfs)/pipe", O_RDONLY)
        guard descriptor >= 0 else { throw .open(errno: errno) }
        close(descriptor)
    }

    mutating func sample(_: SampleContext, into _: inout LoadMessage) throws(CollectError) -> Sample {
        throw .nothingUsable
    }
}
