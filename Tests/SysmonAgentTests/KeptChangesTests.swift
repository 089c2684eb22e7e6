import FoxgloveProtocol
import FoxgloveServer
import HostMetrics
import SysmonAgent
import Telemetry
import Testing

/// Changes that clients ask to keep, and what becomes of them.
struct KeptChangesTests {
    /// What would be written to a disk.
    private final class Keeper {
        var kept = KeptChanges()
        var fault: String?

        func options() -> Agent.Options {
            var options = Agent.Options()
            options.keepChanges = { [self] changes throws(Configuration.Refusal) in
                if let fault { throw Configuration.Refusal(text: fault) }
                kept.add(changes)
            }
            return options
        }
    }

    private func rate(_ world: AgentWorld) -> Double? { world.agent.configuration.channels[0].sampling?.rateHertz }

    @Test func aPersistentPatchTakesEffectAndIsKept() throws {
        let keeper = Keeper()
        let world = try AgentWorld(options: keeper.options())
        let client = world.connect()
        _ = world.texts(client)
        #expect(world.patch(#"{"channels":{"/cpu":{"rate_hertz":20}},"persist":true}"#, from: client) == [])
        #expect(rate(world) == 20)
        #expect(keeper.kept.text == #"{"channels":{"/cpu":{"rate_hertz":20}}}"# + "\n")
        // What is not asked to be kept is not, and a reset goes back to what the next start begins with.
        #expect(world.call("/config/set", #"{"channels":{"/cpu":{"rate_hertz":30}}}"#, from: client).count == 1)
        #expect(
            world.call("/config/set", #"{"log":{"level":"debug"},"persist":true}"#, from: client)
                == ["success": .bool(true)])
        #expect(world.call("/config/reset", from: client) == ["success": .bool(true)])
        #expect(rate(world) == 20 && world.agent.configuration.logLevel == "debug")
        #expect(
            keeper.kept.text == #"{"channels":{"/cpu":{"rate_hertz":20}},"log":{"level":"debug"}}"# + "\n")
        #expect(world.takeReports().contains { if case .kept = $0 { true } else { false } })
    }

    @Test func aPatchInProtobufAsksForItToo() throws {
        let keeper = Keeper()
        let world = try AgentWorld(options: keeper.options())
        let client = world.connect()
        // log.level = "error" (field 3, in it field 1), persist = true (field 4).
        let patch: [UInt8] = [0x1A, 7, 0x0A, 5] + Array("error".utf8) + [0x20, 1]
        #expect(world.publish(patch, encoding: "protobuf", from: client) == [])
        #expect(keeper.kept.text == #"{"log":{"level":"error"}}"# + "\n")
    }

    @Test(
        arguments: [
            (#"{"log":{"level":"loud"},"persist":true}"#, #"log.level: \"loud\" is not error, warning, info or debug"#),
            (#"{"log":{"level":"debug"},"persist":1}"#, "persist: 1 is not true or false"),
            (#"{"server":{"port":1},"persist":true}"#, "server.port is set on the host only"),
        ])
    func whatIsRefusedIsNotKept(patch: String, text: String) throws {
        let keeper = Keeper()
        let world = try AgentWorld(options: keeper.options())
        let client = world.connect()
        #expect(world.patch(patch, from: client) == [#"{"level":2,"message":"\#(text)","op":"status"}"#])
        #expect(keeper.kept.isEmpty && world.agent.configuration.logLevel == "info")
    }

    @Test func whatCannotBeKeptIsNotDone() throws {
        let keeper = Keeper()
        let world = try AgentWorld(options: keeper.options())
        let client = world.connect()
        keeper.fault = "/state/config.json: No space left on device"
        let texts = world.patch(#"{"log":{"level":"debug"},"persist":true}"#, from: client)
        #expect(texts.count == 1 && texts[0].contains("No space left on device"), "\(texts)")
        #expect(world.agent.configuration.logLevel == "info")
        #expect(world.takeReports().contains(.notKept("/state/config.json: No space left on device")))
        let homeless = try AgentWorld()
        let other = homeless.connect()
        #expect(
            homeless.call("/config/set", #"{"log":{"level":"debug"},"persist":true}"#, from: other)["error"]
                == .string(
                    "persist: the agent has no place to keep changes in (STATE_DIRECTORY); leave persist out"))
        #expect(homeless.agent.configuration.logLevel == "info")
    }

    @Test func disksAreNotFlooded() throws {
        let keeper = Keeper()
        let world = try AgentWorld(options: keeper.options())
        let client = world.connect()
        let ask = { (level: String) in
            world.call("/config/set", #"{"log":{"level":"\#(level)"},"persist":true}"#, from: client)["error"] == nil
        }
        let levels = ["debug", "info", "debug", "info", "debug", "error"]
        #expect(levels.map(ask) == [true, true, true, true, true, false])
        #expect(world.agent.configuration.logLevel == "debug")
        world.stall(seconds: 1)
        #expect(ask("error") && !ask("info"))
    }

    @Test func viewersKeepNothing() throws {
        let keeper = Keeper()
        let world = try AgentWorld(options: keeper.options())
        world.agent.server.access.isReadOnly = true
        let viewer = world.connect()
        let patch = #"{"log":{"level":"debug"},"persist":true}"#
        #expect(world.call("/config/set", patch, from: viewer)["success"] != .bool(true))
        _ = world.patch(patch, from: viewer)
        #expect(keeper.kept.isEmpty && world.agent.configuration.logLevel == "info")
    }
}
