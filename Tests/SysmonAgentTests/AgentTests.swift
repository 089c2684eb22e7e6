import FoxgloveServer
import HostMetrics
import SysmonAgent
import Telemetry
import TestSupport
import Testing

/// The agent's life in virtual time.
@Suite struct AgentTests {
    @Test func nobodyListensNothingRuns() throws {
        let world = try AgentWorld()
        #expect(world.agent.nextDeadline == nil, "no timer without a client")
        let id = world.connect()
        let start = world.now
        var wakeUps = 0
        while let deadline = world.agent.nextDeadline, deadline.seconds(since: start) <= 10 {
            wakeUps += 1
            world.run(seconds: deadline.seconds(since: world.now))
        }
        #expect(wakeUps <= 20, "at most two wake-ups a second")
        #expect(world.data(id, "/cpu").isEmpty)
        world.disconnect(id)
        #expect(world.agent.nextDeadline == nil)
    }

    @Test func samplesKeepToTheGridFromTheSecondOn() throws {
        let world = try AgentWorld()
        world.stall(seconds: 0.0137)
        let start = world.now
        let id = world.connect(subscribedTo: ["/cpu"])
        world.run(seconds: 1)
        let arrivals = world.arrivals(id, "/cpu", since: start)
        let first = arrivals.first ?? 0
        #expect(abs(first - 0.05) < 1e-9)
        for (index, arrival) in arrivals.dropFirst().enumerated() {
            // Multiples of 100 ms of the monotonic clock, which began at one.
            #expect(abs(arrival + 0.0137 - Double(index + 2) * 0.1) < 1e-6)
        }
        #expect(arrivals.count == 10)
    }

    @Test func relatedRatesShareTheirTicks() throws {
        let world = try AgentWorld(rates: ["/memory": 5])
        let start = world.now
        let id = world.connect(subscribedTo: ["/cpu", "/memory"])
        world.run(seconds: 2)
        let fast = Set(world.arrivals(id, "/cpu", since: start).dropFirst())
        let slow = Set(world.arrivals(id, "/memory", since: start).dropFirst())
        #expect(slow.count >= 9)
        #expect(slow.isSubset(of: fast))
    }

    @Test func aPatchTakesEffectAtTheNextTickOfTheNewRate() throws {
        let world = try AgentWorld(rates: ["/cpu": 0.01])
        let id = world.connect(subscribedTo: ["/cpu"])
        world.run(seconds: 1)
        #expect(world.data(id, "/cpu").count == 1)
        let answers = world.patch(#"{"channels":{"/cpu":{"rate_hertz":50}}}"#, from: id)
        #expect(answers.isEmpty)
        world.forgetMessages(id)
        let start = world.now
        world.run(seconds: 1)
        let arrivals = world.arrivals(id, "/cpu", since: start)
        #expect(arrivals.count == 50)
        #expect(arrivals.first ?? 1 <= 0.02)
        #expect(
            world.takeReports().contains(
                .configured(by: "10.0.0.1 (operator)", key: "/cpu.rate_hertz", old: "0.01", new: "50")))
    }

    @Test func theConfigurationIsLatchedAndPublishedAfterEveryChange() throws {
        let world = try AgentWorld()
        let (early, late) = (world.connect(subscribedTo: ["/config"]), world.connect())
        world.run(seconds: 1)
        #expect(world.data(early, "/config").count == 1)
        _ = world.patch(#"{"channels":[{"id":"/load","rate_hertz":2,"window_seconds":1}]}"#, from: late)
        world.run(seconds: 0)
        #expect(world.patch(#"{"channels":[{"id":"/load","rate_hertz":2}]}"#, from: late).isEmpty)
        world.run(seconds: 1)
        #expect(world.data(early, "/config").count == 2, "a patch that changes nothing is not published")
        world.subscribe(late, ["/config"])
        world.run(seconds: 1)
        #expect(world.data(late, "/config").map(\.payload) == world.data(early, "/config").suffix(1).map(\.payload))
    }

    @Test func aDisabledChannelIsUnadvertisedAndComesBackWithANewId() throws {
        let world = try AgentWorld()
        let id = world.connect(subscribedTo: ["/cpu"])
        world.run(seconds: 1)
        _ = world.texts(id)
        let off = world.patch(#"{"channels":{"/cpu":{"enabled":false}}}"#, from: id)
        #expect(off == [#"{"channelIds":[1],"op":"unadvertise"}"#])
        world.forgetMessages(id)
        world.run(seconds: 1)
        #expect(world.data(id, "/cpu").isEmpty)
        let on = world.patch(#"{"channels":{"/cpu":{"enabled":true}}}"#, from: id)
        #expect(on.count == 1)
        #expect(on.first?.contains(#""id":8,"#) == true)
        #expect(on.first?.contains(#""topic":"/cpu""#) == true)
    }

    @Test func aMissingSourceIsNotAdvertisedUntilItAppears() throws {
        let world = try AgentWorld(without: ["loadavg"])
        #expect(world.takeReports() == [.sourceMissing(topic: "/load", .open(errno: 2))])
        let id = world.connect()
        #expect(world.texts(id).last?.contains(#""topic":"/load""#) == false)
        world.run(seconds: 5)
        try world.write("loadavg")
        world.run(seconds: 6)
        #expect(world.texts(id).last?.contains(#""topic":"/load""#) == true)
        #expect(world.takeReports().last == .sourceFound(topic: "/load"))
    }

    @Test func aSourceThatFailsIsReportedOnceAndTheOthersGoOn() throws {
        let world = try AgentWorld()
        let id = world.connect(subscribedTo: ["/cpu", "/memory", "/agent"])
        world.run(seconds: 1)
        try world.write("meminfo", "rubbish\n")
        world.forgetMessages(id)
        _ = world.takeReports()
        world.run(seconds: 60)
        #expect(world.data(id, "/memory").isEmpty)
        #expect(world.data(id, "/cpu").count == 600)
        let failures = world.takeReports().filter { if case .sampleFailed = $0 { true } else { false } }
        #expect(failures.count == 1)
        world.run(seconds: 600)
        #expect(world.takeReports().count == 1, "again after ten minutes")
        try world.write("meminfo")
        world.run(seconds: 1)
        #expect(world.data(id, "/memory").count == 5)
    }

    @Test func whoIsTurnedAwayIsReported() throws {
        let world = try AgentWorld()
        let id = world.connect(fields: ["Origin: https://evil.example"])
        #expect(world.agent.server.clientCount == 0)
        let reason = #"the origin "https://evil.example" is not allowed; --allow-origin allows it"#
        #expect(world.takeReports() == [.turnedAway(address: "10.0.0.1", reason: reason)])
        world.disconnect(id)
    }

    @Test func aCertificateThatTheLoopReportsMakesAViewer() throws {
        let world = try AgentWorld()
        world.agent.server.access.tokens = try TokenList(parsing: Array("viewer:kiosk:san=kiosk.example".utf8))
        let before = world.agent.configuration
        let id = world.connect(peerNames: ["kiosk.example"])
        #expect(world.agent.server.clientCount == 1)
        #expect(
            world.patch(#"{"channels":{"/cpu":{"rate_hertz":20}}}"#, from: id).last?.contains("Only operators") == true)
        #expect(world.agent.configuration == before)
    }

    @Test func missedPointsAreSkippedNotBunched() throws {
        let world = try AgentWorld()
        let id = world.connect(subscribedTo: ["/cpu"])
        world.run(seconds: 1)
        world.forgetMessages(id)
        world.stall(seconds: 5)
        world.run(seconds: 1)
        #expect(10...11 ~= world.data(id, "/cpu").count)
    }

    @Test func ratesOfTheCommandLineHoldFromTheStart() throws {
        let world = try AgentWorld(rates: ["/cpu": 20])
        let id = world.connect(subscribedTo: ["/cpu"])
        world.run(seconds: 2)
        #expect(39...40 ~= world.data(id, "/cpu").count)
    }
}
