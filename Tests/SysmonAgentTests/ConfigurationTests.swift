import Foundation
import FoxgloveProtocol
import HostMetrics
import SysmonAgent
import Telemetry
import TestSupport
import Testing

/// The one validator: what is accepted, what is refused, and in which words.
@Suite struct ConfigurationTests {
    private let configuration = Configuration(channels: [
        .init(topic: "/cpu", sampling: .init(rateHertz: 10, windowSeconds: 0.1)),
        .init(topic: "/cpu/cores", sampling: .init(rateHertz: 2, windowSeconds: 0.1)),
        .init(topic: "/config", sampling: nil),
    ])

    static let accepted: [(String, [String])] = [
        ("{}", []),
        (#"{"channels":{}}"#, []),
        (#"{"channels":[]}"#, []),
        (#"{"header":{"stamp":{"sec":0,"nsec":0}},"channels":{"/cpu":{"rate_hertz":20}}}"#, ["/cpu.rate_hertz=20"]),
        (#"{"channels":{"/cpu":{"rate_hertz":0.001}}}"#, ["/cpu.rate_hertz=0.001"]),
        (#"{"channels":{"/cpu":{"rate_hertz":1000}}}"#, ["/cpu.rate_hertz=1000"]),
        (#"{"channels":{"/cpu":{"rate_hertz":1e3}}}"#, ["/cpu.rate_hertz=1000"]),
        (
            #"{"channels":{"/cpu":{"window_seconds":0},"/cpu/cores":{"window_seconds":10}}}"#,
            ["/cpu.window_seconds=0", "/cpu/cores.window_seconds=10"]
        ),
        (
            #"{"channels":[{"id":"/cpu","enabled":false},{"id":"/config","enabled":false}]}"#,
            ["/cpu.enabled=false", "/config.enabled=false"]
        ),
        (#"{"log":{"level":"debug"}}"#, [#"log.level="debug""#]),
        (#"{"log":{}}"#, []),
        (#" { "channels" : { "\/cpu" : { "rate_hertz" : 2.5 } } } "#, ["/cpu.rate_hertz=2.5"]),
    ]

    @Test(arguments: accepted)
    func whatIsNamedChangesAndNothingElse(patch: String, changes: [String]) throws {
        var patched = configuration
        try patched.apply(patch: Array(patch.utf8))
        let changed = zip(configuration.parameters, patched.parameters).filter { $0 != $1 }.map(\.1)
        #expect(changed.map { "\($0.name)=\($0.value?.json.text ?? "")" } == changes)
    }

    static let refused: [(String, String)] = [
        ("", "/config: the patch is not JSON"),
        ("{nope", "/config: the patch is not JSON"),
        (#"{"channels":{"/cpu":{"rate_hertz":NaN}}}"#, "/config: the patch is not JSON"),
        ("[]", "/config: the patch is not a JSON object"),
        (String(repeating: "[", count: 33), "/config: the patch is nested deeper than 32 levels"),
        (#"{"channel":{}}"#, #""channel" is unknown; did you mean "channels"?"#),
        (#"{"log":5}"#, "log: 5 is not an object"),
        (#"{"log":{"levle":"info"}}"#, #"log: "levle" is unknown; did you mean "level"?"#),
        (#"{"log":{"level":"loud"}}"#, #"log.level: "loud" is not error, warning, info or debug"#),
        (#"{"channels":5}"#, "channels: 5 is not an object keyed by topic, nor a list"),
        (#"{"channels":[{"rate_hertz":5}]}"#, #"channels: an object is not an object with the topic as "id""#),
        (#"{"channels":{"/cpu":7}}"#, #""/cpu": 7 is not an object"#),
        (#"{"channels":{"/gpu":{"rate_hertz":1}}}"#, #""/gpu" is no channel; did you mean "/cpu"?"#),
        (#"{"channels":[{"id":"","rate_hertz":0}]}"#, #""" is no channel; there are /cpu, /cpu/cores, /config"#),
        (
            #"{"channels":{"/cpu":{"rate":1}}}"#,
            #"/cpu: "rate" is unknown; did you mean "rate_hertz"?"#
        ),
        (#"{"channels":{"/cpu":{"rate_hertz":0}}}"#, "/cpu.rate_hertz: 0 is not a number from 0.001 to 1000"),
        (#"{"channels":{"/cpu":{"rate_hertz":0.0009}}}"#, "/cpu.rate_hertz: 0.0009 is not a number from 0.001 to 1000"),
        (#"{"channels":{"/cpu":{"rate_hertz":1000.5}}}"#, "/cpu.rate_hertz: 1000.5 is not a number from 0.001 to 1000"),
        (#"{"channels":{"/cpu":{"rate_hertz":-3}}}"#, "/cpu.rate_hertz: -3 is not a number from 0.001 to 1000"),
        (
            #"{"channels":{"/cpu":{"rate_hertz":1e999}}}"#,
            "/cpu.rate_hertz: inf is not a number from 0.001 to 1000"
        ),
        (#"{"channels":{"/cpu":{"rate_hertz":1e300}}}"#, "/cpu.rate_hertz: 1e+300 is not a number from 0.001 to 1000"),
        (#"{"channels":{"/cpu":{"rate_hertz":"NaN"}}}"#, #"/cpu.rate_hertz: "NaN" is not a number from 0.001 to 1000"#),
        (#"{"channels":{"/cpu":{"rate_hertz":true}}}"#, "/cpu.rate_hertz: true is not a number from 0.001 to 1000"),
        (#"{"channels":{"/cpu":{"rate_hertz":null}}}"#, "/cpu.rate_hertz: null is not a number from 0.001 to 1000"),
        (#"{"channels":{"/cpu":{"rate_hertz":[1]}}}"#, "/cpu.rate_hertz: a list is not a number from 0.001 to 1000"),
        (#"{"channels":{"/cpu":{"window_seconds":10.1}}}"#, "/cpu.window_seconds: 10.1 is not a number from 0 to 10"),
        (#"{"channels":{"/cpu":{"enabled":1}}}"#, "/cpu.enabled: 1 is not true or false"),
        (
            #"{"channels":{"/config":{"rate_hertz":1}}}"#,
            #"/config.rate_hertz: this channel is published on change and has only "enabled""#
        ),
        (
            #"{"channels":{"/cpu":{"rate_hertz":20},"/cpu/cores":{"rate_hertz":2000}}}"#,
            "/cpu/cores.rate_hertz: 2000 is not a number from 0.001 to 1000"
        ),
    ]

    @Test(arguments: refused)
    func whatIsWrongChangesNothingAndIsNamed(patch: String, text: String) {
        var patched = configuration
        #expect(throws: Configuration.Refusal(text: text)) { try patched.apply(patch: Array(patch.utf8)) }
        #expect(patched == configuration)
    }

    @Test func refusalsReachTheirSenderAsAStatus() throws {
        let world = try AgentWorld()
        let (id, other) = (world.connect(), world.connect())
        _ = world.texts(other)
        let texts = world.patch(#"{"channels":{"/cpu":{"rate_hertz":5000}}}"#, from: id)
        #expect(texts == [status(2, "/cpu.rate_hertz: 5000 is not a number from 0.001 to 1000")])
        #expect(world.texts(other).isEmpty)
    }

    @Test func textsOfStrangersAreShortAndOnOneLine() throws {
        var patched = configuration
        let topic = String(repeating: "x", count: 70) + "\\n"
        #expect {
            try patched.apply(patch: Array(#"{"channels":{"a\u0000\#(topic)":{}}}"#.utf8))
        } throws: { error in
            let text = (error as? Configuration.Refusal)?.text ?? ""
            return text.hasPrefix("\"a?" + String(repeating: "x", count: 62) + "…\" is no channel")
        }
    }

    /// Whatever comes, the settings stay within their bounds, and a refused patch changes nothing.
    @Test func randomPatchesNeverLeaveTheBounds() {
        var random = SeededGenerator(round: 77)
        var effective = configuration
        let values = [
            "0", "5", "1000", "1001", "-1", "1e9", "0.001", "true", "false", "null", "\"x\"", "{}", "[]", "1e999",
        ]
        let keys = ["rate_hertz", "enabled", "window_seconds", "rate"]
        var acceptedCount = 0
        for _ in 0..<10_000 {
            let entries = (0..<Int.random(in: 0...2, using: &random)).map { _ in
                let topic = ["/cpu", "/cpu/cores", "/config", "/x"].randomElement(using: &random) ?? ""
                let key = keys.randomElement(using: &random) ?? ""
                return "\"\(topic)\":{\"\(key)\":\(values.randomElement(using: &random) ?? "")}"
            }
            let before = effective
            do {
                try effective.apply(patch: Array("{\"channels\":{\(entries.joined(separator: ","))}}".utf8))
                acceptedCount += 1
            } catch {
                #expect(effective == before)
            }
            for channel in effective.channels {
                guard let sampling = channel.sampling else { continue }
                #expect(Configuration.rateHertzRange.contains(sampling.rateHertz))
                #expect(Configuration.windowSecondsRange.contains(sampling.windowSeconds))
            }
        }
        #expect(1_000...9_000 ~= acceptedCount)
    }
}

/// What only the host's owner sets.
struct HostConfigurationTests {
    private func configuration() -> Configuration {
        var channels = Agent.defaultConfiguration(allCollectors).channels
        for index in channels.indices where channels[index].topic == "/net" {
            channels[index].entrySettings = EntrySetting.allCases
        }
        return Configuration(channels: channels)
    }

    private func refusal(_ patch: String, by author: Configuration.Author) -> String? {
        var configuration = configuration()
        let before = configuration
        do throws(Configuration.Refusal) {
            try configuration.apply(patch: Array(patch.utf8), by: author)
            return nil
        } catch {
            #expect(configuration == before)
            return error.text
        }
    }

    @Test func theOwnerChoosesEntries() throws {
        var configuration = configuration()
        let patch = #"{"channels":{"/net":{"include":"eth[0-9]+","max_entries":4096,"exclude_type":"x","raw":true}}}"#
        try configuration.apply(patch: Array(patch.utf8), by: .host)
        let settings = try #require(configuration.entrySettings["/net"])
        #expect(settings.include?.text == "eth[0-9]+")
        #expect(settings.excludeType?.text == "x")
        #expect(settings.entryCountMax == 4_096)
        #expect(settings.isRaw)
        try configuration.apply(patch: Array(#"{"channels":{"/net":{"include":null}}}"#.utf8), by: .host)
        #expect(configuration.entrySettings["/net"]?.include == nil)
    }

    @Test func theExampleOfTheReadmeIsAccepted() throws {
        let readme = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("README.md")
        let blocks = try String(contentsOf: readme, encoding: .utf8).components(separatedBy: "```")
        let examples = blocks.filter { $0.hasPrefix("json") && $0.contains("exclude_type") }
        #expect(examples.count == 1)
        var configuration = Agent.defaultConfiguration(allCollectors)
        try configuration.apply(patch: Array(try #require(examples.first).utf8.dropFirst(4)), by: .host)
        #expect(configuration.entrySettings["/net"]?.include != nil)
        #expect(configuration.entrySettings["/sensors"]?.isRaw == true)
    }

    @Test(
        arguments: [
            (#"{"channels":{"/net":{"max_entries":0}}}"#, "/net.max_entries: 0 is not a whole number from 1 to 4096"),
            (
                #"{"channels":{"/net":{"max_entries":4097}}}"#,
                "/net.max_entries: 4097 is not a whole number from 1 to 4096"
            ),
            (#"{"channels":{"/net":{"include":"("}}}"#, #"/net.include: "(" is not an extended regular expression"#),
            (#"{"channels":{"/net":{"include":")("}}}"#, #"/net.include: ")(" is not an extended regular expression"#),
            (#"{"channels":{"/net":{"include":"a{9}"}}}"#, #"/net.include: "a{9}" has a counted repetition"#),
            (#"{"channels":{"/net":{"include":"(a)\\1"}}}"#, #"/net.include: "(a)\1" has a back reference"#),
            (#"{"channels":{"/net":{"include":7}}}"#, "/net.include: 7 is not an extended regular expression"),
            (
                #"{"channels":{"/net":{"include":"a","exclude":"b"}}}"#,
                "/net: there may be include or exclude, not both"
            ),
            (
                #"{"channels":{"/load":{"include":"a"}}}"#,
                #"/load: "include" is unknown; there are enabled, rate_hertz, window_seconds"#
            ),
            (#"{"boost":{"seconds":0}}"#, "boost.seconds: 0 is not a number from 1 to 3600"),
            (#"{"boost":{"rates":{"/x":1}}}"#, #"boost.rates: "/x" is no channel with a rate"#),
            (#"{"boost":{"rates":{"/cpu":1001}}}"#, #"boost.rates."/cpu": 1001 is not a number from 0.001 to 1000"#),
            (#"{"boost":{"more":1}}"#, #"boost: "more" is unknown; there are enabled, seconds, rates"#),
        ])
    func badSettingsAreRefusedInWords(patch: String, text: String) {
        #expect(refusal(patch, by: .host) == text)
    }

    @Test(
        arguments: [
            (#"{"channels":{"/net":{"include":"a"}}}"#, "/net.include is set on the host only"),
            (#"{"channels":{"/load":{"max_entries":3}}}"#, "/load.max_entries is set on the host only"),
            (#"{"boost":{"enabled":false}}"#, "boost.enabled is set on the host only"),
        ])
    func clientsCannotSetThem(patch: String, text: String) { #expect(refusal(patch, by: .client) == text) }

    @Test func patternsAreAnchoredAndBounded() throws {
        let filter = { (include: String?, exclude: String?) throws in
            EntryFilter(include: try include.map { try Pattern($0) }, exclude: try exclude.map { try Pattern($0) })
        }
        var eth = try filter("eth0|wlan.*", nil)
        for (id, isAdmitted) in [("eth0", true), ("eth01", false), ("xeth0", false), ("wlan", true), ("", false)] {
            for _ in 0..<2 {
                let verdict = eth.admits(Array(id.utf8).span)
                #expect(verdict == isAdmitted, "\(id)")
            }
        }
        var others = try filter(nil, "lo")
        let (lo, lo1) = (others.admits(Array("lo".utf8).span), others.admits(Array("lo1".utf8).span))
        #expect(!lo && lo1)
        _ = try Pattern(String(repeating: "a", count: 1_024))
        #expect(throws: Pattern.Fault.self) { try Pattern(String(repeating: "a", count: 1_025)) }
    }
}
