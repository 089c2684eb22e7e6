import Foundation
import FoxgloveProtocol
import HostMetrics
import Synchronization
import SysmonAgent
import Telemetry
import TelemetrySchema
import TestSupport
import Testing
import WebSocketProtocol

/// Scrapes of an agent in virtual time.
struct ScrapeTests {
    private final class Answers {
        var all: [Exposition] = []
    }

    private func scrape(_ world: AgentWorld, _ format: ExpositionFormat = .text) throws -> String {
        let answers = Answers()
        world.agent.scrape(format, now: world.now) { answers.all.append($0) }
        #expect(answers.all.count == 1)
        return String(decoding: try #require(answers.all.first).body, as: UTF8.self)
    }

    private func samples(_ text: String, _ prefix: String) -> [String] {
        text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(prefix) }
    }

    @Test func theHostsNumbersAreThere() throws {
        let world = try AgentWorld()
        let text = try scrape(world)
        #expect(
            samples(text, "node_") == [
                "node_load1 0.5", "node_load5 0.4", "node_load15 0.3",
                "node_memory_MemAvailable_bytes 614400", "node_memory_MemTotal_bytes 1024000",
                "node_memory_MemFree_bytes 409600", "node_boot_time_seconds 100",
                "node_time_seconds 1795000000",
            ])
        #expect(
            text.contains("# HELP node_load1 Load average over 1 minute.\n# TYPE node_load1 gauge\nnode_load1 0.5\n"))
        #expect(
            samples(text, "sysmon_scrape_collector_success") == [
                #"sysmon_scrape_collector_success{topic="/agent"} 1"#,
                #"sysmon_scrape_collector_success{topic="/load"} 1"#,
                #"sysmon_scrape_collector_success{topic="/memory"} 1"#,
                #"sysmon_scrape_collector_success{topic="/system/uptime"} 1"#,
            ])
        #expect(samples(text, "sysmon_scrape_series_left_out") == ["sysmon_scrape_series_left_out 0"])
        #expect(try scrape(world, .openMetrics).hasSuffix("# EOF\n"))
    }

    @Test func eachFamilyIsThereOnceAndNoSeriesTwice() throws {
        let world = try AgentWorld()
        let text = try scrape(world)
        let types = samples(text, "# TYPE")
        #expect(Set(types).count == types.count)
        let series = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0[..<$0.lastIndex(of: " ")!] }
        #expect(Set(series).count == series.count)
    }

    @Test func nothingIsSampledWithoutAScrape() throws {
        let world = try AgentWorld()
        _ = try scrape(world)
        #expect(world.agent.nextDeadline == nil, "no timer is left behind")
        try world.write("loadavg", "7.00 0.40 0.30 1/200 4242\n")
        world.run(seconds: 60)
        #expect(samples(try scrape(world), "node_load1 ") == ["node_load1 7"])
    }

    @Test func whatIsSwitchedOffOrMissingIsLeftOut() throws {
        let world = try AgentWorld(without: ["meminfo"])
        let client = world.connect()
        _ = world.patch(#"{"channels":{"/load":{"enabled":false}}}"#, from: client)
        let text = try scrape(world)
        #expect(samples(text, "node_load1").isEmpty)
        #expect(samples(text, "node_memory").isEmpty)
        #expect(!text.contains("topic=\"/load\"} 1"))
        // It is found without a client that looks for it.
        world.disconnect(client)
        try world.write("meminfo")
        world.stall(seconds: 11)
        #expect(samples(try scrape(world), "node_memory_MemTotal") == ["node_memory_MemTotal_bytes 1024000"])
        #expect(world.agent.nextDeadline == nil)
    }

    @Test func aSourceThatFailsIsCountedAndTheOthersAreThere() throws {
        let world = try AgentWorld()
        try world.write("loadavg", "")
        let text = try scrape(world)
        #expect(samples(text, "node_load1").isEmpty)
        #expect(text.contains("sysmon_scrape_collector_success{topic=\"/load\"} 0\n"))
        #expect(text.contains("sysmon_scrape_collector_success{topic=\"/memory\"} 1\n"))
        #expect(samples(text, "node_memory_MemTotal").count == 1)
    }

    /// Messages of a subscriber: what they hold but for what the agent tells of itself.
    private func messages(scraping: Bool) throws -> [[UInt8]] {
        let world = try AgentWorld(rates: ["/load": 2, "/cpu": 10])
        let client = world.connect(subscribedTo: ["/load", "/cpu", "/memory"])
        for round in 0..<50 {
            try world.write("stat", "cpu  \(10 + round) 0 \(10 + 2 * round) 80 0 0 0 0 0 0\n")
            world.run(seconds: 0.07)
            if scraping { _ = try scrape(world) }
        }
        return ["/load", "/cpu", "/memory"].flatMap { world.data(client, $0).map(\.payload) }
    }

    @Test func subscribersNoticeNothing() throws {
        let quiet = try messages(scraping: false)
        #expect(quiet.count > 50)
        #expect(try messages(scraping: true) == quiet, "headers, rates and times are those without scrapes")
    }

    @Test func aReloadReachesTheScrape() throws {
        let world = try AgentWorld(beside: [Registration(DisksOfTheTest.self)])
        #expect(samples(try scrape(world), "node_disk_io_now").count == 3)
        var configuration = world.agent.configuration
        try configuration.set("max_entries", of: "/disk", to: .number(2), by: .host)
        world.agent.reload(configuration, now: world.now)
        #expect(samples(try scrape(world), "node_disk_io_now").count == 2)
    }

    // MARK: Blocking sources

    /// Wakes of an agent's workers.
    private final class Wakes: Sendable {
        let semaphore = DispatchSemaphore(value: 0)

        var options: Agent.Options {
            var options = Agent.Options()
            options.watcher = EventWatcher(
                watch: { _, _ in true }, unwatch: { _ in }, wake: { self.semaphore.signal() })
            return options
        }

        func wait() { #expect(semaphore.wait(timeout: .now() + 20) == .success) }
    }

    /// A world whose `/fds` answers when something is written into its pipe.
    private func slowWorld(_ wakes: Wakes) throws -> AgentWorld {
        let others = [Registration(DisksOfTheTest.self), Registration(SlowFiles.self)]
        let world = try AgentWorld(options: wakes.options, beside: others) { procfs in
            let outcome = unsafe mkfifo(procfs.appendingPathComponent("slow").path, 0o600)
            try #require(outcome == 0)
        }
        wakes.wait()
        world.wake()
        return world
    }

    private func feed(_ world: AgentWorld, _ number: Int) throws {
        // Waits for the reader.
        let file = try #require(FileHandle(forWritingAtPath: world.procfs.appendingPathComponent("slow").path))
        file.write(Data("\(number)".utf8))
        try file.close()
    }

    private func begin(_ world: AgentWorld, _ answers: Answers, timeoutSeconds: Double? = nil) {
        world.agent.scrape(.text, timeoutSeconds: timeoutSeconds, now: world.now) { answers.all.append($0) }
    }

    private func allocated(_ answer: Exposition) -> [String] {
        samples(String(decoding: answer.body, as: UTF8.self), "node_filefd_allocated")
    }

    @Test func allWhoAskAtTheSameTimeShareOneCollection() throws {
        let wakes = Wakes()
        let world = try slowWorld(wakes)
        let answers = Answers()
        for _ in 0..<3 { begin(world, answers) }
        // All but the slow one.
        wakes.wait()
        world.wake()
        #expect(answers.all.isEmpty)
        try feed(world, 5)
        wakes.wait()
        world.wake()
        #expect(answers.all.map(allocated) == Array(repeating: ["node_filefd_allocated 5"], count: 3))
        #expect(world.agent.nextDeadline == nil)
    }

    @Test(arguments: [(nil, 1.0), (10, 1.0), (0.4, 0.3)] as [(Double?, Double)])
    func whatIsNotThereInTimeIsLeftOutAndCounted(timeout: Double?, seconds: Double) throws {
        let wakes = Wakes()
        let world = try slowWorld(wakes)
        let answers = Answers()
        let start = world.now
        begin(world, answers, timeoutSeconds: timeout)
        wakes.wait()
        world.wake()
        world.run(seconds: seconds - 0.001)
        #expect(answers.all.isEmpty)
        world.run(seconds: 0.001)
        let answer = try #require(answers.all.first)
        #expect(abs(world.now.seconds(since: start) - seconds) < 1e-6)
        #expect(allocated(answer).isEmpty)
        let text = String(decoding: answer.body, as: UTF8.self)
        #expect(text.contains("sysmon_scrape_collector_success{topic=\"/fds\"} 0\n"))
        #expect(text.contains("sysmon_scrape_collector_success{topic=\"/load\"} 1\n"))
        #expect(
            samples(text, "sysmon_scrape_duration_seconds") == [
                "sysmon_scrape_duration_seconds \(seconds == 1 ? "1" : "0.3")"
            ])
        #expect(world.agent.nextDeadline == nil)

        // It comes back when nobody waits: its sample is of no use, and the next scrape takes a new one.
        try feed(world, 5)
        wakes.wait()
        world.wake()
        begin(world, answers)
        wakes.wait()
        try feed(world, 6)
        wakes.wait()
        world.wake()
        #expect(answers.all.last.map(allocated) == ["node_filefd_allocated 6"])
    }

    @Test func aSampleOfAnEarlierScrapeIsNotTakenForALaterOne() throws {
        let wakes = Wakes()
        let world = try slowWorld(wakes)
        let answers = Answers()
        begin(world, answers)
        wakes.wait()
        world.run(seconds: 1)
        #expect(answers.all.count == 1)
        // Asks while the first sample is still out.
        begin(world, answers)
        wakes.wait()
        try feed(world, 5)
        wakes.wait()
        world.wake()
        #expect(answers.all.count == 1)
        try feed(world, 6)
        wakes.wait()
        world.wake()
        #expect(answers.all.last.map(allocated) == ["node_filefd_allocated 6"])
    }

    @Test func aReloadMeanwhileLeavesNobodyWithoutAnAnswer() throws {
        let wakes = Wakes()
        let world = try slowWorld(wakes)
        let answers = Answers()
        begin(world, answers)
        wakes.wait()
        var configuration = world.agent.configuration
        try configuration.set("max_entries", of: "/disk", to: .number(2), by: .host)
        world.agent.reload(configuration, now: world.now)
        for number in [5, 6] {
            try feed(world, number)
            wakes.wait()
            world.wake()
            if number == 5 {
                begin(world, answers)
                wakes.wait()
            }
        }
        #expect(answers.all.map(allocated) == [["node_filefd_allocated 5"], ["node_filefd_allocated 6"]])
        let disks = answers.all.map { samples(String(decoding: $0.body, as: UTF8.self), "node_disk_io_now").count }
        #expect(disks == [3, 2])
    }

    @Test func eachWaitsAsLongAsItWill() throws {
        let wakes = Wakes()
        let world = try slowWorld(wakes)
        let answers = Answers()
        begin(world, answers)
        begin(world, answers, timeoutSeconds: 0.4)
        wakes.wait()
        world.run(seconds: 0.5)
        #expect(answers.all.map(allocated) == [[]])
        try feed(world, 5)
        wakes.wait()
        world.wake()
        #expect(answers.all.map(allocated) == [[], ["node_filefd_allocated 5"]])
    }
}

/// Three disks, as many as there is room for.
private struct DisksOfTheTest: Collector, ~Copyable {
    static let topic = "/disk"
    static let defaultHertz = 1.0
    static let entrySettings = EntrySetting.common
    private var rows: RepeatedField<DiskMessage>
    private var arena = TextArena(byteCapacity: 64)
    private let clock: () -> ClockReading

    init(host: HostMetrics.Host) throws(CollectError) {
        rows = RepeatedField(capacity: host.settings(of: Self.topic).entryCountMax)
        clock = host.clock
    }

    mutating func sample(_: SampleContext, into message: inout DisksMessage) throws(CollectError) -> Sample {
        rows.removeAll()
        arena.removeAll()
        for name in ["sda", "sdb", "sdc"] where rows.append() { rows.last.setId(arena.append(name)) }
        message.setDevices(rows)
        return Sample(time: clock())
    }
}

/// Open files, as somebody writes them into a pipe.
private struct SlowFiles: Collector, ~Copyable {
    static let topic = "/fds"
    static let defaultHertz = 1.0
    static let isBlocking = true
    private let path: String
    private let clock: () -> ClockReading

    init(host: HostMetrics.Host) throws(CollectError) {
        path = "\(host.procfs)/slow"
        clock = host.clock
    }

    mutating func sample(_: SampleContext, into message: inout FileHandlesMessage) throws(CollectError) -> Sample {
        guard let data = try? FileHandle(forReadingAtPath: path)?.readToEnd(),
            let number = Double(String(decoding: data, as: UTF8.self))
        else { throw .nothingUsable }
        message.allocated = number
        return Sample(time: clock())
    }
}
