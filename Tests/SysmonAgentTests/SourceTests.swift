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

/// Collectors that hang, that wait for news, and that raise the alarm.
struct SourceTests {
    /// A loop for tests: counts what is watched, and lets a test wait for a worker.
    private final class Loop: Sendable {
        let watched = Mutex<Set<Int32>>([])
        let wakes = DispatchSemaphore(value: 0)

        var options: Agent.Options {
            var options = Agent.Options()
            options.watcher = EventWatcher(
                watch: { descriptor, _ in self.watched.withLock { $0.insert(descriptor).inserted } },
                unwatch: { descriptor in self.watched.withLock { _ = $0.remove(descriptor) } },
                wake: { self.wakes.signal() })
            return options
        }

        func wait() { #expect(wakes.wait(timeout: .now() + 20) == .success) }
    }

    private func makePipe(_ folder: URL, _ name: String) throws {
        let outcome = unsafe mkfifo(folder.appendingPathComponent(name).path, 0o600)
        try #require(outcome == 0)
    }

    private func stuckSeconds(_ world: AgentWorld, _ client: ConnectionID) throws -> Double {
        guard case .object(let message)? = world.call("/agent/status", from: client)["message"],
            case .array(let collectors)? = message["collectors"], case .object(let record)? = collectors.last,
            record["id"] == .string("/slow")
        else { throw CocoaError(.coderValueNotFound) }
        guard case .number(let seconds)? = record["stuck_seconds"] else { return 0 }
        return seconds
    }

    @Test func aSourceThatHangsHarmsNobodyAndIsNamedUntilItAnswers() throws {
        let loop = Loop()
        let world = try AgentWorld(
            rates: ["/slow": 2, "/cpu": 10], options: loop.options, beside: [Registration(SlowCollector.self)]
        ) { try makePipe($0, "slow") }
        let client = world.connect()
        loop.wait()
        world.wake()
        world.subscribe(client, ["/slow", "/cpu"])
        _ = world.texts(client)
        world.forgetMessages(client)

        // The sample of 0.05 s is still out at 5 s.
        world.run(seconds: 5)
        #expect(world.data(client, "/cpu").count == 50)
        #expect(world.data(client, "/slow").isEmpty)
        #expect(try stuckSeconds(world, client) == 4.95)
        #expect(world.takeReports().contains(.stuck(topic: "/slow")))
        let texts = world.texts(client)
        #expect(texts.filter { $0.contains(#""id":"stuck:\/slow""#) || $0.contains(#""id":"stuck:/slow""#) }.count == 1)

        // It answers.
        let path = world.procfs.appendingPathComponent("slow").path
        // Waits for the reader.
        let file = try #require(FileHandle(forWritingAtPath: path))
        file.write(Data("0.25 0.5 0.75 1/2 3\n".utf8))
        try file.close()
        loop.wait()
        world.wake()
        #expect(world.data(client, "/slow").count == 1)
        #expect(try stuckSeconds(world, client) == 0)
        #expect(world.takeReports().contains(.unstuck(topic: "/slow", seconds: 4.95)))
        #expect(world.texts(client).contains { $0.contains("removeStatus") && $0.contains("stuck:") })
    }

    @Test func aServiceCallWaitsForTheWorkerAndNotTheOthersForIt() throws {
        let loop = Loop()
        let world = try AgentWorld(options: loop.options, beside: [Registration(SlowCollector.self)]) { procfs in
            try Data("1.5 2.5 3.5 1/2 3\n".utf8).write(to: procfs.appendingPathComponent("slow"))
        }
        let client = world.connect()
        loop.wait()
        world.wake()
        let request = Array(#"{"topic":"/slow"}"#.utf8)
        #expect(world.call("/channels/sample", request, from: client) == nil)
        loop.wait()
        world.wake()
        let response = world.binaryPayloads(client).map { String(decoding: $0, as: UTF8.self) }
        #expect(response.count == 1)
        #expect(response.first?.contains(#""load1":1.5"#) == true)
    }

    @Test func aMissingSourceOfAWorkerIsFoundWhenItIsThere() throws {
        let loop = Loop()
        let world = try AgentWorld(options: loop.options, beside: [Registration(SlowCollector.self)])
        loop.wait()
        world.wake()
        #expect(world.takeReports().contains(.sourceMissing(topic: "/slow", .open(errno: ENOENT))))
        let client = world.connect()
        loop.wait()
        world.wake()
        #expect(!world.texts(client).contains { $0.contains(#"advertise"#) && $0.contains("slow") })
        try Data("1 2 3 1/2 3\n".utf8).write(to: world.procfs.appendingPathComponent("slow"))
        world.run(seconds: 11)
        loop.wait()
        world.wake()
        #expect(world.takeReports().contains(.sourceFound(topic: "/slow")))
        #expect(world.texts(client).contains { $0.contains(#"advertise"#) && $0.contains("slow") })
    }

    @Test func theAgentIsReadyOnceItLookedForEverySource() throws {
        let loop = Loop()
        let world = try AgentWorld(options: loop.options, beside: [Registration(SlowCollector.self)])
        let reply = world.get("/readyz")
        #expect(reply.status == 503 && reply.body == "starting\n")
        loop.wait()
        world.wake()
        #expect(world.get("/readyz").status == 200, "although it is missing")
    }

    /// Has `/slow` begin anew, as a reload does.
    private func restart(_ world: AgentWorld) throws {
        var configuration = world.agent.configuration
        try configuration.set("max_entries", of: "/slow", to: .number(7), by: .host)
        world.agent.reload(configuration, now: world.now)
    }

    private func responses(_ world: AgentWorld, _ client: ConnectionID) -> [String] {
        world.binaryPayloads(client).map { String(decoding: $0, as: UTF8.self) }
    }

    private static let request = Array(#"{"topic":"/slow"}"#.utf8)

    @Test func whoWaitsForAWorkerThatBeginsAnewGetsItsSample() throws {
        let loop = Loop()
        let world = try AgentWorld(options: loop.options, beside: [Registration(SlowCollector.self)]) { procfs in
            try Data("1.5 2.5 3.5 1/2 3\n".utf8).write(to: procfs.appendingPathComponent("slow"))
        }
        let client = world.connect()
        loop.wait()
        world.wake()
        try restart(world)
        #expect(world.call("/channels/sample", Self.request, from: client) == nil)
        for _ in ["started", "sampled"] {
            loop.wait()
            world.wake()
        }
        #expect(responses(world, client).count == 1)
        #expect(responses(world, client).first?.contains(#""load1":1.5"#) == true)
    }

    @Test func whoWaitsForAWorkerThatCannotBeginAnewIsToldSo() throws {
        let loop = Loop()
        let world = try AgentWorld(options: loop.options, beside: [Registration(SlowCollector.self)]) { procfs in
            try Data("1.5 2.5 3.5 1/2 3\n".utf8).write(to: procfs.appendingPathComponent("slow"))
        }
        let client = world.connect()
        loop.wait()
        world.wake()
        try FileManager.default.removeItem(at: world.procfs.appendingPathComponent("slow"))
        try restart(world)
        #expect(world.call("/channels/sample", Self.request, from: client) == nil)
        loop.wait()
        world.wake()
        #expect(responses(world, client).count == 1)
        #expect(responses(world, client).first?.contains("cannot be sampled") == true)
    }

    @Test func whoAsksOfASourceThatHangsNeedNotWait() throws {
        let loop = Loop()
        let world = try AgentWorld(
            rates: ["/slow": 2], options: loop.options, beside: [Registration(SlowCollector.self)]
        ) { try makePipe($0, "slow") }
        let client = world.connect()
        loop.wait()
        world.wake()
        world.subscribe(client, ["/slow"])
        world.run(seconds: 3)
        #expect(world.takeReports().contains(.stuck(topic: "/slow")))
        #expect(world.call("/channels/sample", #"{"topic":"/slow"}"#, from: client)["success"] == .bool(false))
        // Lets the worker end.
        let path = world.procfs.appendingPathComponent("slow").path
        try #require(FileHandle(forWritingAtPath: path)).close()
        loop.wait()
    }

    @Test func aCrowdThatConnectsHasSourcesSoughtOnceASecond() throws {
        let world = try AgentWorld(beside: [Registration(MissingCollector.self)])
        #expect(MissingCollector.searchCount.withLock { $0 } == 1)
        for _ in 0..<20 { world.disconnect(world.connect()) }
        _ = world.connect()
        #expect(MissingCollector.searchCount.withLock { $0 } == 2)
        world.run(seconds: 1.5)
        #expect(MissingCollector.searchCount.withLock { $0 } == 3)
        world.run(seconds: 10)
        #expect(MissingCollector.searchCount.withLock { $0 } == 4)
    }

    private func newsWorld(_ loop: Loop) throws -> (world: AgentWorld, client: ConnectionID, news: FileHandle) {
        let world = try AgentWorld(options: loop.options, beside: [Registration(NewsCollector.self)]) {
            try makePipe($0, "news")
        }
        let news = try #require(FileHandle(forUpdatingAtPath: world.procfs.appendingPathComponent("news").path))
        let client = world.connect()
        world.run(seconds: 1)
        world.subscribe(client, ["/news"])
        world.run(seconds: 1)
        world.forgetMessages(client)
        return (world, client, news)
    }

    @Test func aDescriptorThatAnnouncesNothingForEverIsLeftAloneForAWhile() throws {
        let loop = Loop()
        let (world, client, news) = try newsWorld(loop)
        defer { try? news.close() }
        var announcementCount = 0
        while let descriptor = loop.watched.withLock({ $0.first }), announcementCount < 1_000 {
            world.ready(descriptor)
            announcementCount += 1
        }
        #expect(announcementCount > 50 && announcementCount < 200)
        // It is looked for again, watched, and tells what is.
        world.run(seconds: 11)
        #expect(loop.watched.withLock { $0.count } == 1)
        #expect(world.data(client, "/news").count == 1)
    }

    @Test func aSourceOfNewsThatFailsBeginsAnewLater() throws {
        let loop = Loop()
        let (world, client, news) = try newsWorld(loop)
        defer { try? news.close() }
        news.write(Data("a!b".utf8))
        world.ready(try #require(loop.watched.withLock { $0.first }))
        #expect(world.data(client, "/news").count == 1)
        #expect(world.takeReports().contains(.sampleFailed(topic: "/news", .read(errno: EIO))))
        #expect(loop.watched.withLock { $0.isEmpty })
        world.run(seconds: 11)
        #expect(world.data(client, "/news").count == 2)
        world.ready(try #require(loop.watched.withLock { $0.first }))
        #expect(world.data(client, "/news").count == 3)
    }

    @Test func newsAreSampledWhileSomebodyListens() throws {
        let loop = Loop()
        let world = try AgentWorld(options: loop.options, beside: [Registration(NewsCollector.self)]) {
            try makePipe($0, "news")
        }
        let path = world.procfs.appendingPathComponent("news").path
        let news = try #require(FileHandle(forUpdatingAtPath: path))
        let client = world.connect()
        world.run(seconds: 1)
        world.subscribe(client, ["/news"])
        let descriptor = try #require(loop.watched.withLock { $0.first })
        world.run(seconds: 1)
        // What is, and then nothing by the clock.
        #expect(world.data(client, "/news").count == 1)
        world.run(seconds: 100)
        #expect(world.data(client, "/news").count == 1)
        news.write(Data("abc".utf8))
        world.ready(descriptor)
        #expect(world.data(client, "/news").count == 4)
        #expect(world.takeReports().allSatisfy { if case .sampleFailed = $0 { false } else { true } })
        world.disconnect(client)
        #expect(loop.watched.withLock { $0.isEmpty })
    }

    @Test func anAlarmRaisesRatesForHalfAMinuteAndIsInTheLog() throws {
        let world = try AgentWorld(
            rates: ["/alarm": 1, "/cpu": 10], beside: [Registration(AlarmCollector.self)])
        let client = world.connect(subscribedTo: ["/alarm", "/cpu", "/log"])
        world.run(seconds: 10)
        let configured = world.texts(client)
        #expect(!configured.contains { $0.contains("boost") })
        world.forgetMessages(client)
        try world.write("alarm", "now")
        world.run(seconds: 1)
        try world.write("alarm", "")
        world.forgetMessages(client)
        world.run(seconds: 10)
        #expect(world.data(client, "/cpu").count == 500)
        #expect(
            world.agent.configuration.parameters.contains { $0.name == "/cpu.rate_hertz" && $0.value == .float(10) })
        world.run(seconds: 25)
        world.forgetMessages(client)
        world.run(seconds: 10)
        #expect(world.data(client, "/cpu").count == 100)
        let reports = world.takeReports()
        #expect(
            reports.contains(.boostBegan(.temperature, topic: "/alarm", topics: ["/cpu", "/memory"], seconds: 30)))
        #expect(reports.contains(.boostEnded))
    }

    @Test func aBoostThatAlarmsKeepMakingLongerEndsAndRests() throws {
        let world = try AgentWorld(
            rates: ["/alarm": 1, "/cpu": 10], beside: [Registration(AlarmCollector.self)])
        let client = world.connect(subscribedTo: ["/alarm", "/cpu"])
        var configuration = world.agent.configuration
        configuration.boost.seconds = 2
        world.agent.reload(configuration, now: world.now)
        try world.write("alarm", "always")
        world.run(seconds: 19)
        #expect(!world.takeReports().contains(.boostEnded))
        world.run(seconds: 4)
        #expect(world.takeReports().contains(.boostEnded))
        world.forgetMessages(client)
        world.run(seconds: 10)
        #expect(world.data(client, "/cpu").count == 100)
        world.run(seconds: 10)
        #expect(world.takeReports().contains { if case .boostBegan = $0 { true } else { false } })
    }

    @Test func aBoostThatTheHostSwitchesOffEndsAtOnce() throws {
        let world = try AgentWorld(
            rates: ["/alarm": 1, "/cpu": 10], beside: [Registration(AlarmCollector.self)])
        let client = world.connect(subscribedTo: ["/alarm", "/cpu"])
        try world.write("alarm", "always")
        world.run(seconds: 5)
        var configuration = world.agent.configuration
        configuration.boost.isEnabled = false
        world.agent.reload(configuration, now: world.now)
        #expect(world.takeReports().contains(.boostEnded))
        world.run(seconds: 1)
        world.forgetMessages(client)
        world.run(seconds: 10)
        #expect(world.data(client, "/cpu").count == 100)
    }

    @Test func aCopyOfPressureFilesIsNotWrittenTo() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pressure-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("pressure/memory")
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("pressure"), withIntermediateDirectories: true)
        try Data("some total=1\n".utf8).write(to: file)
        #expect(PressureTriggers(procfs: folder.path).descriptors.isEmpty)
        #expect(try Data(contentsOf: file) == Data("some total=1\n".utf8))
    }

    @Test func whatHappensToSourcesIsInTheLogAndNothingAboutClients() throws {
        let world = try AgentWorld(rates: ["/load": 1], beside: [Registration(AlarmCollector.self)])
        let client = world.connect(subscribedTo: ["/log", "/load"])
        _ = world.connect()
        world.run(seconds: 1)
        try world.write("loadavg", "")
        world.run(seconds: 2)
        let lines = world.data(client, "/log").map { data in
            String(decoding: json(ofProtobuf: data.payload, as: LogMessage.self) ?? [], as: UTF8.self)
        }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("/load was not sampled") == true)
        #expect(lines.first?.contains(#""level":"WARNING""#) == true || lines.first?.contains(#""level":3"#) == true)
        #expect(lines.first?.contains("10.0.0.1") == false)
    }
}

/// A blocking source: reading it takes as long as the writer of its file wants.
private struct SlowCollector: Collector, ~Copyable {
    static let topic = "/slow"
    static let defaultHertz = 1.0
    static let isBlocking = true
    static let entrySettings = EntrySetting.common
    private let path: String
    private let clock: () -> ClockReading

    init(host: HostMetrics.Host) throws(CollectError) {
        path = "\(host.procfs)/slow"
        guard unsafe access(path, F_OK) == 0 else { throw .open(errno: errno) }
        clock = host.clock
    }

    mutating func sample(_: SampleContext, into message: inout LoadMessage) throws(CollectError) -> Sample {
        let file = FileHandle(forReadingAtPath: path)
        guard let data = try? file?.readToEnd(), !data.isEmpty else { throw .nothingUsable }
        let averages = LoadAverages(parsing: Array(data).span)
        message.load1 = averages.oneMinute ?? .nan
        return Sample(time: clock())
    }
}

/// A sample per byte that comes.
private struct NewsCollector: Collector, ~Copyable {
    static let topic = "/news"
    static let defaultHertz = 1.0
    static let isEventDriven = true
    private let descriptor: Int32
    private let clock: () -> ClockReading
    var eventDescriptor: Int32? { descriptor }

    init(host: HostMetrics.Host) throws(CollectError) {
        descriptor = unsafe open("\(host.procfs)/news", O_RDONLY | O_NONBLOCK)
        guard descriptor >= 0 else { throw .open(errno: errno) }
        clock = host.clock
    }

    deinit { close(descriptor) }

    mutating func sample(_ context: SampleContext, into _: inout LoadMessage) throws(CollectError) -> Sample {
        var byte: UInt8 = 0
        let count = unsafe context.isFirst ? 1 : read(descriptor, &byte, 1)
        guard count == 1 else { throw .nothingUsable }
        guard byte != UInt8(ascii: "!") else { throw .read(errno: EIO) }
        return Sample(time: clock())
    }
}

/// Is never there, and counts how often it was looked for.
private struct MissingCollector: Collector, ~Copyable {
    static let topic = "/missing"
    static let defaultHertz = 1.0
    static let searchCount = Mutex(0)

    init(host: HostMetrics.Host) throws(CollectError) {
        Self.searchCount.withLock { $0 += 1 }
        throw .open(errno: ENOENT)
    }

    mutating func sample(_: SampleContext, into _: inout LoadMessage) throws(CollectError) -> Sample {
        throw .nothingUsable
    }
}

/// Raises the alarm while its file has text.
private struct AlarmCollector: Collector, ~Copyable {
    static let topic = "/alarm"
    static let defaultHertz = 1.0
    private let path: String
    private let clock: () -> ClockReading

    init(host: HostMetrics.Host) throws(CollectError) {
        path = "\(host.procfs)/alarm"
        clock = host.clock
    }

    mutating func sample(_: SampleContext, into _: inout LoadMessage) throws(CollectError) -> Sample {
        var sample = Sample(time: clock())
        if let data = FileManager.default.contents(atPath: path), !data.isEmpty { sample.alarm = .temperature }
        return sample
    }
}

/// Sources on the loop's thread that take long to read.
struct SourceCostTests {
    @Test func aSlowSourceIsReadMoreSeldomAndBackAgain() throws {
        let world = try AgentWorld(rates: ["/load": 10])
        let client = world.connect(subscribedTo: ["/load", "/agent"])
        world.run(seconds: 1)
        // Two looks per sample.
        world.slowDown(secondsPerReading: 0.002)
        world.run(seconds: 2)
        let report = world.takeReports().compactMap { report in
            if case .slowed(let topic, let hertz) = report { topic == "/load" ? hertz : nil } else { nil }
        }
        let hertz = try #require(report.first)
        #expect(report.count == 1)
        #expect(hertz > 1 && hertz < 10)
        world.forgetMessages(client)
        world.run(seconds: 20)
        #expect(abs(Double(world.data(client, "/load").count) - 20 * hertz) <= 2)
        world.slowDown(secondsPerReading: 0)
        world.run(seconds: 10)
        #expect(world.takeReports().contains(.quickAgain(topic: "/load")))
        world.forgetMessages(client)
        world.run(seconds: 5)
        #expect(world.data(client, "/load").count == 50)
    }

    @Test func aSourceThatBecomesSlowerYetIsReadStillMoreSeldom() throws {
        let world = try AgentWorld(rates: ["/load": 10])
        let client = world.connect(subscribedTo: ["/load"])
        world.slowDown(secondsPerReading: 0.002)
        world.run(seconds: 5)
        world.slowDown(secondsPerReading: 0.02)
        world.run(seconds: 10)
        world.forgetMessages(client)
        // At least 20 ms each, of which 2 % of a core are one in a second.
        world.run(seconds: 100)
        #expect((10...110).contains(world.data(client, "/load").count))
    }
}
