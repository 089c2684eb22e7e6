import Foundation
import FoxgloveProtocol
import HostMetrics
import SysmonAgent
import Telemetry
import TelemetrySchema
import Testing
import WebSocketProtocol

/// Layouts that a running agent makes for its host.
struct LayoutAssetTests {
    /// A loop for tests, which lets them wait for a worker.
    private final class Loop: Sendable {
        let wakes = DispatchSemaphore(value: 0)

        var options: Agent.Options {
            var options = Agent.Options()
            options.watcher = EventWatcher(
                watch: { _, _ in true }, unwatch: { _ in }, wake: { self.wakes.signal() })
            return options
        }

        func wait() { #expect(wakes.wait(timeout: .now() + 20) == .success) }
    }

    private let uri = "sysmon://layouts/sensors.json"

    @Test func aLayoutIsForTheHost() throws {
        let world = try AgentWorld()
        let client = world.connect()
        world.fetch("sysmon://layouts/overview.json", from: client)
        let overview = try #require(world.assets(client).first)
        #expect(overview.contains("/cpu.usage_ratio") && overview.contains("/config.channels[:]"))
        #expect(!overview.contains("/net.interfaces"))
        // What is switched off is not there.
        _ = world.patch(#"{"channels": {"/cpu": {"enabled": false}}}"#, from: client)
        world.run(seconds: 11)
        world.fetch("sysmon://layouts/overview.json", from: client)
        let other = try #require(world.assets(client).first)
        #expect(!other.contains("/cpu.usage_ratio") && other.contains("/memory.used_ratio"))
    }

    @Test func whatIsAskedForAgainAndAgainIsMadeOnce() throws {
        let world = try AgentWorld(beside: [Registration(QuickZones.self)])
        let client = world.connect()
        for name in ["overview", "cpu", "cpu", "network", "sensors"] {
            world.fetch("sysmon://layouts/\(name).json", from: client)
        }
        #expect(world.assets(client).count == 5)
        #expect(try sampleCount(world, client, "/rapl") == 1)
        world.run(seconds: 11)
        world.fetch("sysmon://layouts/cpu.json", from: client)
        #expect(world.assets(client).count == 1)
        #expect(try sampleCount(world, client, "/rapl") == 2)
    }

    private func sampleCount(_ world: AgentWorld, _ client: ConnectionID, _ topic: String) throws -> Int {
        guard case .object(let message)? = world.call("/agent/status", from: client)["message"],
            case .array(let collectors)? = message["collectors"]
        else { throw CocoaError(.coderValueNotFound) }
        for case .object(let record) in collectors where record["id"] == .string(topic) {
            if case .number(let count)? = record["samples_total"] { return Int(count) }
        }
        throw CocoaError(.coderValueNotFound)
    }

    @Test func aLayoutWaitsForASlowSource() throws {
        let loop = Loop()
        let world = try AgentWorld(options: loop.options, beside: [Registration(SlowZones.self)]) {
            try Data("package-0".utf8).write(to: $0.appendingPathComponent("zone"))
        }
        // Not before the worker has begun, and not before it has a sample.
        let client = world.connect()
        world.fetch(uri, from: client)
        #expect(world.assets(client) == [])
        loop.wait()
        world.wake()
        #expect(world.assets(client) == [])
        loop.wait()
        world.wake()
        let layout = try #require(world.assets(client).first)
        #expect(layout.contains(#"/rapl.zones[:]{id==\"package-0\"}.watts"#))
        // That sample is good for others.
        world.run(seconds: 11)
        world.fetch(uri, from: client)
        #expect(world.assets(client) == [layout])
        // And not for ever.
        world.run(seconds: 60)
        world.fetch(uri, from: client)
        #expect(world.assets(client) == [])
        loop.wait()
        world.wake()
        #expect(world.assets(client) == [layout])
    }

    @Test func aSourceThatHangsIsWaitedForASecond() throws {
        let loop = Loop()
        let world = try AgentWorld(options: loop.options, beside: [Registration(SlowZones.self)]) {
            try #require(unsafe mkfifo($0.appendingPathComponent("zone").path, 0o600) == 0)
        }
        let client = world.connect()
        loop.wait()
        world.wake()
        world.fetch(uri, from: client)
        world.run(seconds: 0.99)
        #expect(world.assets(client) == [])
        world.run(seconds: 0.02)
        let layout = try #require(world.assets(client).first)
        #expect(layout.contains("/rapl.zones[:]") && !layout.contains("watts"))
        // Once it is known to hang it is not waited for.
        world.run(seconds: 15)
        world.fetch(uri, from: client)
        #expect(world.assets(client) == [layout])

        // It answers.
        let path = world.procfs.appendingPathComponent("zone").path
        let file = try #require(FileHandle(forWritingAtPath: path))
        file.write(Data("late".utf8))
        try file.close()
        loop.wait()
        world.wake()
        world.run(seconds: 11)
        world.fetch(uri, from: client)
        #expect(world.assets(client).first?.contains(#"{id==\"late\"}.watts"#) == true)
    }
}

/// Power zones of which the only one is named by a file; reading it takes as long as its writer wants.
private struct SlowZones: Collector, ~Copyable {
    static let topic = "/rapl"
    static let defaultHertz = 1.0
    static let isBlocking = true
    private let path: String
    private let clock: () -> ClockReading
    private var rows = RepeatedField<RaplZoneMessage>(capacity: 1)
    private var texts = TextArena(byteCapacity: 64)

    init(host: HostMetrics.Host) throws(CollectError) {
        path = "\(host.procfs)/zone"
        clock = host.clock
    }

    mutating func sample(_: SampleContext, into message: inout RaplMessage) throws(CollectError) -> Sample {
        guard let data = try? FileHandle(forReadingAtPath: path)?.readToEnd() else { throw .nothingUsable }
        rows.removeAll()
        texts.removeAll()
        guard rows.append() else { throw .nothingUsable }
        rows.last.reset()
        rows.last.setId(texts.append(String(decoding: data, as: UTF8.self)))
        message.setZones(rows)
        return Sample(time: clock())
    }
}

/// A quick source of a list that layouts show.
private struct QuickZones: Collector, ~Copyable {
    static let topic = "/rapl"
    static let defaultHertz = 1.0
    private let clock: () -> ClockReading

    init(host: HostMetrics.Host) throws(CollectError) { clock = host.clock }

    mutating func sample(_: SampleContext, into _: inout RaplMessage) throws(CollectError) -> Sample {
        Sample(time: clock())
    }
}
