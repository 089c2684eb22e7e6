import FoxgloveProtocol
import FoxgloveServer
import HostMetrics
import SysmonAgent
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

private func parameter(_ name: String, _ value: String, id: String = "") -> String {
    let type = value.first?.isNumber == true ? #""type":"float64","# : ""
    return #"{\#(id)"op":"parameterValues","parameters":[{"name":"\#(name)",\#(type)"value":\#(value)}]}"#
}

/// Every way to change the configuration, and what everybody hears of it.
@Suite struct CommandTests {
    private func watcher(_ world: AgentWorld) -> ConnectionID {
        let id = world.connect()
        world.send(
            #"{"op":"subscribeParameterUpdates","parameterNames":["/cpu.rate_hertz","/cpu.enabled","log.level"]}"#,
            from: id)
        _ = world.texts(id)
        return id
    }

    @Test func everyWayOfChangingReachesEveryViewerOnce() throws {
        let world = try AgentWorld()
        let watcher = watcher(world)
        let client = world.connect()
        _ = world.texts(client)
        #expect(world.patch(#"{"channels":{"/cpu":{"rate_hertz":20}}}"#, from: client) == [])
        #expect(world.texts(watcher) == [parameter("/cpu.rate_hertz", "20")])
        // As protobuf: Config.channels = [{id: "/cpu", rate_hertz: 30}].
        let patch: [UInt8] = [0x12, 15, 0x0A, 4] + Array("/cpu".utf8) + [0x11, 0, 0, 0, 0, 0, 0, 0x3E, 0x40]
        #expect(world.publish(patch, encoding: "protobuf", from: client) == [])
        #expect(world.texts(watcher) == [parameter("/cpu.rate_hertz", "30")])
        #expect(world.call("/config/set", #"{"log":{"level":"debug"}}"#, from: client) == ["success": .bool(true)])
        #expect(world.texts(watcher) == [parameter("log.level", #""debug""#)])
        #expect(world.takeReports().contains(.logLevel("debug")))
        world.send(
            #"{"op":"setParameters","parameters":[{"name":"/cpu.enabled","value":false}],"id":"q"}"#, from: client)
        #expect(world.texts(client).contains(parameter("/cpu.enabled", "false", id: #""id":"q","#)))
        #expect(world.texts(watcher).filter { !$0.contains("unadvertise") } == [parameter("/cpu.enabled", "false")])
        // The same again is no change.
        #expect(world.call("/config/set", #"{"log":{"level":"debug"}}"#, from: client) == ["success": .bool(true)])
        #expect(world.texts(watcher) == [])
        #expect(world.call("/config/reset", from: client) == ["success": .bool(true)])
        #expect(
            world.texts(watcher).filter { $0.contains("parameterValues") } == [
                #"{"op":"parameterValues","parameters":[{"name":"/cpu.enabled","value":true},"#
                    + #"{"name":"/cpu.rate_hertz","type":"float64","value":10},{"name":"log.level","value":"info"}]}"#
            ])
    }

    @Test func aReloadReachesEveryViewerOnceAndKeepsWhatItDoesNotTouch() throws {
        let world = try AgentWorld()
        let client = watcher(world)
        _ = world.patch(#"{"channels":{"/cpu":{"rate_hertz":20}}}"#, from: client)
        _ = world.texts(client)
        var host = world.agent.configuration
        try host.set("rate_hertz", of: "/cpu", to: .number(10))
        // The file says what it said before: what clients changed stays.
        world.agent.reload(host, now: world.now)
        #expect(world.texts(client) == [] && world.agent.configuration != host)
        host.logLevel = "debug"
        world.agent.reload(host, now: world.now)
        #expect(
            world.texts(client) == [
                #"{"op":"parameterValues","parameters":[{"name":"/cpu.rate_hertz","type":"float64","value":10},"#
                    + #"{"name":"log.level","value":"debug"}]}"#
            ])
        #expect(world.agent.configuration == host)
        // From now on this is what a reset goes back to.
        _ = world.call("/config/set", #"{"log":{"level":"error"}}"#, from: client)
        #expect(world.call("/config/reset", from: client) == ["success": .bool(true)])
        #expect(world.agent.configuration == host)
    }

    @Test func theSetterHearsTheAnswerAndThenTheNews() throws {
        let world = try AgentWorld()
        let client = watcher(world)
        world.send(
            #"{"op":"setParameters","parameters":[{"name":"/cpu.rate_hertz","value":5}],"id":"q"}"#, from: client)
        #expect(
            world.texts(client) == [
                parameter("/cpu.rate_hertz", "5", id: #""id":"q","#), parameter("/cpu.rate_hertz", "5"),
            ])
    }

    static let refused: [(String, String, String)] = [
        ("/cpu.rate_hertz", "2000", "/cpu.rate_hertz: 2000 is not a number from 0.001 to 1000"),
        ("/cpu.rate_hertz", #""fast""#, #"/cpu.rate_hertz: \"fast\" is not a number from 0.001 to 1000"#),
        ("log.level", #""loud""#, #"log.level: \"loud\" is not error, warning, info or debug"#),
        ("server.host", #""0.0.0.0""#, "server.host is set on the host only"),
    ]

    @Test(arguments: refused)
    func aRefusedSetIsAnsweredWithTheTrueValue(name: String, value: String, text: String) throws {
        let world = try AgentWorld()
        let (watcher, client) = (watcher(world), world.connect())
        _ = world.texts(client)
        world.send(#"{"op":"getParameters","parameterNames":["\#(name)"],"id":"q"}"#, from: client)
        let truth = world.texts(client)
        #expect(truth.count == 1)
        // One patch: what is right in it is not done either.
        world.send(
            #"{"op":"setParameters","parameters":[{"name":"log.level","value":"debug"},"#
                + #"{"name":"\#(name)","value":\#(value)}],"id":"q"}"#, from: client)
        let answers = world.texts(client)
        #expect(answers.first == #"{"level":2,"message":"\#(text)","op":"status"}"#)
        world.send(#"{"op":"getParameters","parameterNames":["log.level","\#(name)"],"id":"q"}"#, from: client)
        #expect(Array(answers.dropFirst()) == world.texts(client))
        #expect(world.texts(watcher) == [] && world.agent.configuration.logLevel == "info")
    }

    @Test func anUnknownParameterIsRefusedAndLeftOutOfTheAnswer() throws {
        let world = try AgentWorld()
        let client = world.connect()
        _ = world.texts(client)
        world.send(#"{"op":"setParameters","parameters":[{"name":"/gpu.x","value":1}],"id":"q"}"#, from: client)
        #expect(
            world.texts(client) == [
                #"{"level":2,"message":"\"/gpu.x\" is no parameter","op":"status"}"#,
                #"{"id":"q","op":"parameterValues","parameters":[]}"#,
            ])
    }

    @Test func aDeletedParameterHasItsDefault() throws {
        let world = try AgentWorld(rates: ["/cpu": 4])
        let client = watcher(world)
        _ = world.patch(#"{"channels":{"/cpu":{"rate_hertz":20}}}"#, from: client)
        world.send(#"{"op":"setParameters","parameters":[{"name":"/cpu.rate_hertz"}]}"#, from: client)
        #expect(world.texts(client) == [parameter("/cpu.rate_hertz", "4")])
    }

    @Test func allParametersAreThereAndTyped() throws {
        let world = try AgentWorld()
        let client = world.connect()
        _ = world.texts(client)
        world.send(#"{"op":"getParameters","parameterNames":[],"id":"get-all-params"}"#, from: client)
        let answer = world.texts(client)
        #expect(answer.count == 1 && answer[0].hasPrefix(#"{"id":"get-all-params","op":"parameterValues""#))
        for topic in AgentWorld.topics { #expect(answer[0].contains(#"{"name":"\#(topic).enabled","value":true}"#)) }
        #expect(answer[0].contains(#"{"name":"/load.rate_hertz","type":"float64","value":0.2}"#))
        #expect(answer[0].contains(#"{"name":"/cpu.window_seconds","type":"float64","value":0.1}"#))
        #expect(!answer[0].contains("/config.rate_hertz"))
    }

    /// Config.channels = [{id: "/cpu", …}], with what JSON has no place for, and what would be lost silently.
    static let inexactPatches: [[UInt8]] = [
        [0xFF], [0x12, 200, 0x0A], Array("nonsense".utf8),
        // rate_hertz: NaN.
        [0x12, 15, 0x0A, 4] + Array("/cpu".utf8) + [0x11, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F],
        // id: "/cpu\0abc", rate_hertz: 7.
        [0x12, 19, 0x0A, 8] + Array("/cpu\0abc".utf8) + [0x11, 0, 0, 0, 0, 0, 0, 0x1C, 0x40],
        // id: "/cpu" and a byte that is no UTF-8.
        [0x12, 7, 0x0A, 5] + Array("/cpu".utf8) + [0xFF],
        // Field 15, which neither type has.
        [0x78, 1], [0x12, 8, 0x0A, 4] + Array("/cpu".utf8) + [0x78, 1],
        // The same field twice.
        [0x1A, 7, 0x0A, 5] + Array("debug".utf8) + [0x1A, 6, 0x0A, 4] + Array("info".utf8),
    ]

    @Test(arguments: inexactPatches)
    func protobufThatIsNoPatchIsRefused(payload: [UInt8]) throws {
        let world = try AgentWorld()
        let client = world.connect()
        #expect(
            world.publish(payload, encoding: "protobuf", from: client)
                == [#"{"level":2,"message":"/config: the patch is not a sysmon.v1.Config","op":"status"}"#])
        #expect(world.agent.configuration == (try AgentWorld().agent.configuration))
    }

    /// A viewer that sends back what it got: the header has NaN, and is not looked at.
    @Test func thePublishedConfigurationIsAPatch() throws {
        let world = try AgentWorld()
        let client = world.connect(subscribedTo: ["/config"])
        world.run(seconds: 0.1)
        let payload = try #require(world.data(client, "/config").first?.payload)
        _ = world.call("/config/set", #"{"channels":{"/cpu":{"rate_hertz":33}}}"#, from: client)
        #expect(world.publish(payload, encoding: "protobuf", from: client).allSatisfy { !$0.contains("level") })
        #expect(world.agent.configuration == (try AgentWorld().agent.configuration))
    }

    @Test func commandsAreBoundedInSize() throws {
        let world = try AgentWorld()
        let client = world.connect()
        let limit = world.agent.server.limits.commandByteCount
        func padded(_ count: Int) -> [UInt8] { Array("{}".utf8) + [UInt8](repeating: 0x20, count: count - 2) }
        #expect(world.publish(padded(limit), encoding: "json", from: client) == [])
        #expect(
            world.publish(padded(limit + 1), encoding: "json", from: client)
                == [status(2, "A command may have 32768 bytes at most")])
        _ = world.texts(client)
        #expect(world.call("/config/set", padded(limit), from: client) != nil)
        #expect(world.call("/config/set", padded(limit + 1), from: client) == nil)
        #expect(world.texts(client).last == status(2, "A request may have 32768 bytes at most"))
        #expect(world.agent.server.limitCounts[.commands] == 2)
    }

    @Test func whatAClientSaysIsDoneInItsOrder() throws {
        let world = try AgentWorld()
        let client = world.connect()
        _ = world.texts(client)
        func set(_ rate: Int) -> String {
            #"{"op":"setParameters","parameters":[{"name":"/cpu.rate_hertz","value":\#(rate)}]}"#
        }
        let names = #""parameterNames":["/cpu.rate_hertz"]}"#
        // All in one segment: only the change in between is told.
        world.sendTogether(
            [
                set(20), #"{"op":"subscribeParameterUpdates",\#(names)"#, set(30),
                #"{"op":"unsubscribeParameterUpdates",\#(names)"#, set(40),
            ], from: client)
        #expect(world.texts(client) == [parameter("/cpu.rate_hertz", "30")])
    }

    // MARK: Services

    @Test func aRefusedPatchIsANormalResponse() throws {
        let world = try AgentWorld()
        let client = world.connect()
        let text = "/cpu.rate_hertz: 0 is not a number from 0.001 to 1000"
        #expect(
            world.call("/config/set", #"{"channels":{"/cpu":{"rate_hertz":0}}}"#, from: client)
                == ["success": .bool(false), "error": .string(text)])
        // ServiceResponse{error: text}, whose success is false and so left out.
        #expect(
            world.call(
                "/config/set", encoding: "protobuf",
                [0x12, 15, 0x0A, 4] + Array("/cpu".utf8) + [0x11, 0, 0, 0, 0, 0, 0, 0, 0], from: client)
                == [0x12, UInt8(text.utf8.count)] + Array(text.utf8))
        #expect(world.call("/config/reset", encoding: "protobuf", [], from: client) == [0x08, 1])
    }

    @Test func whatCannotBeDecodedFails() throws {
        let world = try AgentWorld()
        let client = world.connect()
        _ = world.texts(client)
        #expect(world.call("/channels/sample", Array("{".utf8), from: client) == nil)
        #expect(
            world.texts(client) == [
                #"{"callId":77,"message":"The request cannot be decoded","op":"serviceCallFailure","serviceId":5}"#,
                #"{"level":2,"message":"The request cannot be decoded","op":"status"}"#,
            ])
    }

    @Test func aClearedSessionIsStrictlyNew() throws {
        let world = try AgentWorld()
        let client = world.connect()
        _ = world.texts(client)
        var ids: Set<String> = ["1"]
        for _ in 0..<3 {
            guard case .string(let id)? = world.call("/session/clear", from: client)["session_id"] else { continue }
            #expect(ids.insert(id).inserted, "within one millisecond, too")
            #expect(world.texts(client).first?.contains(#""sessionId":"\#(id)""#) == true)
        }
        #expect(ids.count == 4)
    }

    @Test func theGreatestSessionIdIsFollowedByAnother() throws {
        let world = try AgentWorld()
        world.agent.server.beginSession(String(UInt64.max))
        let client = world.connect()
        guard case .string(let id)? = world.call("/session/clear", from: client)["session_id"] else {
            Issue.record("no session")
            return
        }
        #expect(id != String(UInt64.max) && UInt64(id) != nil)
    }

    @Test func aSampleIsTakenThoughNobodyListens() throws {
        let world = try AgentWorld()
        let client = world.connect()
        let response = world.call("/channels/sample", #"{"topic":"/load"}"#, from: client)
        guard case .object(let message)? = response["message"] else {
            Issue.record("no message in \(response)")
            return
        }
        #expect(message["load1"] == .number(0.5) && message["tasks_total"] == .number(200), "\(message)")
        #expect(response["schema_name"] == .string("sysmon.v1.Load"))
        #expect(world.agent.nextDeadline.map { $0.seconds(since: world.now) > 0.5 } == true, "no timer for it")
        // What a subscriber gets next continues the count.
        world.subscribe(client, ["/load"])
        world.run(seconds: 1)
        #expect(world.data(client, "/load").count == 1)
    }

    @Test func aSampleOfWhatIsNotThereIsRefused() throws {
        let world = try AgentWorld(without: ["loadavg"])
        let client = world.connect()
        let refusals = [
            (#"{"topic":"/nope"}"#, #""/nope" is no channel"#), ("{}", "topic: the name of a channel is missing"),
            (#"{"topic":"/load"}"#, "/load cannot be sampled"), (#"{"topic":"/log"}"#, "/log cannot be sampled"),
        ]
        for (request, error) in refusals {
            #expect(
                world.call("/channels/sample", request, from: client)
                    == ["success": .bool(false), "error": .string(error)])
        }
    }

    @Test func samplesOnDemandAreBoundedForEachClient() throws {
        let world = try AgentWorld()
        let (greedy, other) = (world.connect(), world.connect())
        for _ in 0..<10 {
            #expect(world.call("/channels/sample", #"{"topic":"/cpu"}"#, from: greedy)["success"] == .bool(true))
        }
        #expect(
            world.call("/channels/sample", #"{"topic":"/cpu"}"#, from: greedy)["error"]
                == .string("Too many samples are asked for; the limit is 10 per second"))
        #expect(world.agent.server.limitCounts[.samples] == 1)
        #expect(world.call("/agent/status", from: other)["success"] == .bool(true))
    }

    @Test func whatIsSwitchedOffIsNotSampled() throws {
        let world = try AgentWorld()
        let client = world.connect()
        _ = world.call("/config/set", #"{"channels":{"/load":{"enabled":false}}}"#, from: client)
        #expect(
            world.call("/channels/sample", #"{"topic":"/load"}"#, from: client)
                == ["success": .bool(false), "error": .string("/load is switched off")])
    }

    @Test func theStatusOfTheAgentIsAMessageOfItsChannel() throws {
        let world = try AgentWorld()
        let client = world.connect()
        guard case .object(let message)? = world.call("/agent/status", from: client)["message"] else {
            Issue.record("no message")
            return
        }
        #expect(message["clients"] == .number(1) && message["collectors"] != nil)
    }

    // MARK: Statuses

    @Test func aRateAboveItsSourceIsWarnedOfWhileItLasts() throws {
        let world = try AgentWorld()
        let client = world.connect()
        _ = world.texts(client)
        _ = world.call("/config/set", #"{"channels":{"/cpu":{"rate_hertz":101}}}"#, from: client)
        let warning =
            #"{"id":"rate:/cpu","level":1,"message":"/cpu is sampled faster than its source changes "#
            + #"(100 times a second)","op":"status"}"#
        #expect(world.texts(client) == [warning])
        #expect(world.texts(world.connect()).contains(warning))
        _ = world.call("/config/set", #"{"channels":{"/cpu":{"rate_hertz":100}}}"#, from: client)
        #expect(world.texts(client) == [#"{"op":"removeStatus","statusIds":["rate:/cpu"]}"#])
    }

    @Test func threeFailuresInARowAreToldUntilTheNextGoodSample() throws {
        let world = try AgentWorld(rates: ["/load": 10])
        let client = world.connect(subscribedTo: ["/load"])
        _ = world.texts(client)
        world.run(seconds: 0.2)
        try world.write("loadavg", "garbage")
        world.run(seconds: 0.15)
        #expect(world.texts(client) == [])
        world.run(seconds: 1)
        let told = world.texts(client)
        #expect(told.count == 1 && told[0].contains(#""id":"source:/load","level":1"#), "\(told)")
        try world.write("loadavg")
        world.run(seconds: 0.5)
        #expect(world.texts(client) == [#"{"op":"removeStatus","statusIds":["source:/load"]}"#])
    }

    @Test func aCollectorThatWasStuckIsToldUntilItIsInTimeAgain() throws {
        let world = try AgentWorld(rates: ["/load": 0.2])
        let client = world.connect(subscribedTo: ["/load"])
        world.run(seconds: 1)
        #expect(!world.texts(client).contains { $0.contains("stuck:") })
        world.slowDown(secondsPerReading: 1.5)
        world.run(seconds: 5)
        let told =
            #"{"id":"stuck:/load","level":1,"message":"/load took longer than 2 seconds to sample","op":"status"}"#
        #expect(world.texts(client).filter { $0.contains("stuck:") } == [told])
        #expect(world.texts(world.connect()).contains(told))
        world.slowDown(secondsPerReading: 0)
        world.run(seconds: 10)
        #expect(world.texts(client).contains(#"{"op":"removeStatus","statusIds":["stuck:/load"]}"#))
    }

    @Test func aFailureIsForgottenWhenNobodyWantsTheChannel() throws {
        let world = try AgentWorld(rates: ["/load": 10])
        let client = world.connect(subscribedTo: ["/load"])
        world.run(seconds: 0.2)
        try world.write("loadavg", "garbage")
        world.run(seconds: 1)
        #expect(world.texts(client).contains { $0.contains("source:/load") && $0.contains("nothing usable in it") })
        _ = world.call("/config/set", #"{"channels":{"/load":{"enabled":false}}}"#, from: client)
        #expect(world.texts(client).contains(#"{"op":"removeStatus","statusIds":["source:/load"]}"#))
        #expect(!world.texts(world.connect()).contains { $0.contains("source:/load") })
    }

    // MARK: Read-only and time

    @Test func nobodyCanChangeAReadOnlyAgent() throws {
        let world = try AgentWorld()
        world.agent.server.access.isReadOnly = true
        let client = world.connect()
        let info = world.texts(client)[0]
        #expect(!info.contains("clientPublish") && !info.contains("services") && info.contains("parameters"))
        #expect(world.call("/config/reset", Array("{}".utf8), from: client) == nil)
        _ = world.texts(client)
        world.send(
            #"{"op":"setParameters","parameters":[{"name":"/cpu.rate_hertz","value":5}],"id":"q"}"#, from: client)
        #expect(
            world.texts(client) == [
                status(2, Server.operatorsOnlyText), parameter("/cpu.rate_hertz", "10", id: #""id":"q","#),
            ])
        world.send(#"{"op":"setParameters","parameters":[],"id":"q"}"#, from: client)
        #expect(world.texts(client).last == #"{"id":"q","op":"parameterValues","parameters":[]}"#)
    }

    /// Whoever was let in before the owner made everybody a viewer.
    @Test func aViewerReadsAndChangesNothing() throws {
        let world = try AgentWorld()
        let client = world.connect()
        world.agent.server.access.tokens = try TokenList(
            parsing: Array("viewer:v:\(String(repeating: "00", count: 32))".utf8), limits: TokenList.Limits())
        #expect(world.call("/agent/status", from: client)["success"] == .bool(true))
        // An operator stays one, as long as it is connected.
        #expect(world.call("/config/reset", from: client)["success"] == .bool(true))
        world.agent.server.access.digest = { _ in [UInt8](repeating: 0, count: 32) }
        let viewer = world.connect(fields: ["Authorization: Bearer x"])
        #expect(world.texts(viewer)[0].contains("clientPublish"))
        let refusal: [String: JSONValue] = ["success": .bool(false), "error": .string(Server.operatorsOnlyText)]
        for service in ["/config/set", "/config/reset", "/session/clear"] {
            #expect(world.call(service, #"{"log":{"level":"debug"}}"#, from: viewer) == refusal)
        }
        #expect(world.call("/agent/status", from: viewer)["success"] == .bool(true))
        #expect(world.call("/channels/sample", #"{"topic":"/load"}"#, from: viewer)["success"] == .bool(true))
        #expect(
            world.patch(#"{"log":{"level":"debug"}}"#, from: viewer) == [status(2, Server.operatorsOnlyText)])
        #expect(world.agent.configuration.logLevel == "info")
    }

    @Test func timeIsToldWhereAskedFor() throws {
        var options = Agent.Options()
        options.tellsTime = true
        let (world, other) = (try AgentWorld(options: options), try AgentWorld())
        #expect(world.texts(world.connect())[0].contains(#""time""#))
        #expect(!other.texts(other.connect())[0].contains(#""time""#))
    }

    // MARK: Random patches

    /// Ten thousand commands by all ways, right and wrong, against a model of what must be in effect.
    @Test func theConfigurationIsAlwaysTheLastAcceptedOne() throws {
        var random = SeededGenerator(round: 0)
        let world = try AgentWorld()
        let client = world.connect()
        _ = world.texts(client)
        let topics = ["/cpu", "/load", "/memory", "/system/uptime", "/agent"]
        let values = [
            "0.001", "0.0009", "1000", "1000.1", "-1", "0", "50", "3.5", "1e3", "1e999", "null", "true", #""5""#, "[1]",
        ]
        var model = Dictionary(
            uniqueKeysWithValues: world.agent.configuration.channels.map { ($0.topic, $0.sampling?.rateHertz) })
        for step in 0..<10_000 {
            world.stall(seconds: 0.05)
            let topic = step % 97 == 0 ? "/nope" : topics.randomElement(using: &random) ?? ""
            let text = values.randomElement(using: &random) ?? ""
            let value = Double(text)
            let isGood = topic != "/nope" && value.map { (0.001...1_000).contains($0) } == true
            let patch = #"{"channels":{"\#(topic)":{"rate_hertz":\#(text)}}}"#
            switch Int.random(in: 0..<3, using: &random) {
            case 0: #expect(world.patch(patch, from: client).contains { $0.contains(#""level":2"#) } == !isGood)
            case 1: #expect(world.call("/config/set", patch, from: client)["success"] == .bool(isGood))
            default:
                world.send(
                    #"{"op":"setParameters","parameters":[{"name":"\#(topic).rate_hertz","value":\#(text)}],"id":"q"}"#,
                    from: client)
                let answers = world.texts(client)
                // A value that fits no type is refused before it is a parameter request.
                let isRequest = text != "null" && text != "1e999"
                #expect(answers.contains { $0.contains("parameterValues") } == isRequest, "\(patch)")
                #expect(answers.contains { $0.contains(#""level":2"#) } == !isGood, "\(patch)")
            }
            if isGood { model[topic] = value }
            _ = world.texts(client)
            for channel in world.agent.configuration.channels {
                #expect(channel.sampling?.rateHertz == model[channel.topic] ?? nil, "step \(step): \(patch)")
            }
        }
    }
}
