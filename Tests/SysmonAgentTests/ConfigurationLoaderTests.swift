import Foundation
import FoxgloveProtocol
import FoxgloveServer
import HostMetrics
import SysmonAgent
import Telemetry
import TestSupport
import Testing

/// Files, kept changes, variables and options: which wins, and how mistakes are told.
struct ConfigurationLoaderTests {
    private static let defaults = Agent.defaultConfiguration(allCollectors)

    private static func loaded(
        _ read: (inout ConfigurationLoader) -> Void
    ) throws(ConfigurationLoader.Mistakes) -> Configuration {
        var loader = ConfigurationLoader(defaults)
        read(&loader)
        return try loader.finish()
    }

    private static func mistakes(_ read: (inout ConfigurationLoader) -> Void) -> [String] {
        do throws(ConfigurationLoader.Mistakes) {
            _ = try loaded(read)
            return []
        } catch { return error.all.map(\.line) }
    }

    /// Each source sets one setting more than the one after it; the last that sets one wins.
    @Test func laterSourcesWin() throws {
        let configuration = try Self.loaded { loader in
            loader.read(
                file: "a", Array("{log: {level: 'error'}, server: {port: 1, host: 'a'}, boost: {seconds: 1}}".utf8))
            loader.read(file: "b", Array("{log: {level: 'warning'}, server: {port: 2, host: 'b'}}".utf8))
            #expect(loader.readChanges(file: "c", Array(#"{"log": {"level": "debug"}}"#.utf8)).isEmpty)
            loader.read(environment: ["SYSMON_SERVER_PORT": "3", "SYSMON_SERVER_HOST": "c", "HOME": "/"])
            loader.read(option: "set", value: "server.port=4")
            loader.read(option: "port", value: "5")
        }
        #expect(configuration.boost.seconds == 1 && configuration.logLevel == "debug")
        #expect(configuration.host.host == "c" && configuration.host.port == 5)
    }

    @Test func optionsCountInTheOrderGiven() throws {
        let configuration = try Self.loaded { loader in
            loader.read(option: "port", value: "5")
            loader.read(option: "set", value: "server.port=0x10")
            loader.read(option: "rate", value: "/cpu=20")
            loader.read(option: "set", value: "channels./cpu.rate_hertz=1e1")
            loader.read(option: "set", value: "/net.include=eth.*=x")
            loader.read(option: "set", value: "boost.rates={'/cpu': 7}")
            loader.read(option: "time", value: "")
        }
        #expect(configuration.host.port == 16 && configuration.host.tellsTime)
        #expect(configuration.channels.first { $0.topic == "/cpu" }?.sampling?.rateHertz == 10)
        #expect(configuration.entrySettings["/net"]?.include?.text == "eth.*=x")
        #expect(configuration.boost.rates == ["/cpu": 7])
    }

    @Test func listsGrowByTheirOptionAndAreReplacedByEverythingElse() throws {
        let names = { (read: (inout ConfigurationLoader) -> Void) throws in try Self.loaded(read).host.serverNames }
        let file = { (loader: inout ConfigurationLoader) in
            loader.read(file: "a", Array("{server: {names: ['a', 'b']}}".utf8))
        }
        #expect(
            try names { loader in
                file(&loader)
                loader.read(option: "server-name", value: "c")
                loader.read(option: "server-name", value: "d")
            } == ["a", "b", "c", "d"])
        #expect(
            try names { loader in
                file(&loader)
                loader.read(environment: ["SYSMON_SERVER_NAMES": "c,d"])
            } == ["c", "d"])
        #expect(
            try names { loader in
                file(&loader)
                loader.read(option: "set", value: "server.names=")
            } == [])
    }

    @Test func whatMayBeAbsentIsUnsetByNullOrByNothing() throws {
        let configuration = try Self.loaded { loader in
            loader.read(file: "a", Array("{server: {token_file: '/x', session_id: '1'}}".utf8))
            loader.read(file: "b", Array("{server: {token_file: null}}".utf8))
            loader.read(environment: ["SYSMON_SERVER_SESSION_ID": ""])
        }
        #expect(configuration.host.tokenFile == nil && configuration.host.sessionID == nil)
    }

    @Test func allMistakesAreToldWithTheirPlaces() {
        let text = """
            // As somebody wrote it.
            {
              server: {port: 65536, hots: 'x', names: ['a b'], insecure: 1},
              "channels": {
                "/cpuu": {rate_hertz: 1, enabled: 2}, "/cpu": {rate_hertz: Infinity, rate: 3},
                "/net": {include: "a", exclude: "b"}, "/config": {rate_hertz: 1}, "/load": 7,
              },
              tls: {cert: "/x"}, boots: {}, log: {level: 'loud', level: 'info'},
            }
            """
        #expect(
            Self.mistakes { $0.read(file: "f", Array(text.utf8)) } == [
                "f:3:18: server.port: 65536 is not a whole number from 0 to 65535",
                #"f:3:25: server: "hots" is unknown; did you mean "host"?"#,
                #"f:3:43: server.names: "a b" is not a name without scheme and port"#,
                "f:3:62: server.insecure: 1 is not true or false",
                #"f:5:5: "/cpuu" is no channel; did you mean "/cpu"?"#,
                "f:5:64: /cpu.rate_hertz: inf is not a number from 0.001 to 1000",
                #"f:5:74: /cpu: "rate" is unknown; did you mean "rate_hertz"?"#,
                #"f:6:55: /config.rate_hertz: this channel is published on change and has only "enabled""#,
                #"f:6:80: "/load": 7 is not an object"#,
                #"f:8:22: "boots" is unknown; did you mean "boost"?"#,
                #"f:8:46: log.level: "loud" is not error, warning, info or debug"#,
                #"f:8:54: "level" stands twice, first in line 8; leave one of them"#,
                "f:8:9: tls.cert and tls.key belong together; give both",
                "f:6:28: /net: there may be include or exclude, not both",
            ])
    }

    @Test(
        arguments: [
            ("port", "65536", #"--port: server.port: 65536 is not a whole number from 0 to 65535"#),
            ("port", "x", #"--port: server.port: "x" is not a whole number from 0 to 65535"#),
            ("port", "", #"--port: server.port: "" is not a whole number from 0 to 65535"#),
            ("rate", "/cpu", #"--rate: "/cpu" is not TOPIC=HZ, such as /cpu=20"#),
            ("rate", "cpu=3", #"--rate: "cpu.rate_hertz" is unknown; did you mean "/cpu.rate_hertz"?"#),
            ("set", "x", #"--set: "x" is not KEY=VALUE, such as server.port=8765"#),
            ("set", "x=1", #"--set: "x" is unknown; `sysmon-agent config default` shows all that there are"#),
            ("set", "server.prot=1", #"--set: server: "prot" is unknown; did you mean "port"?"#),
            ("set", "sever.port=1", #"--set: "sever.port" is unknown; did you mean "server.port"?"#),
            ("set", "/cpu.enabled=yes", #"--set: /cpu.enabled: "yes" is not true or false"#),
            ("set", "boost.rates={'/x': 1}", #"--set: boost.rates: "/x" is no channel with a rate"#),
            ("log-level", "loud", #"--log-level: log.level: "loud" is not error, warning, info or debug"#),
            ("tls.key", "/x", "--tls.key: tls.cert and tls.key belong together; give both"),
            (
                "allow-origin", "null",
                #"--allow-origin: server.allowed_origins: "null" is not SCHEME://HOST, "#
                    + "SCHEME://HOST:PORT or SCHEME://HOST:*, without path"
            ),
            (
                "session-id", String(repeating: "x", count: 129),
                "--session-id: server.session_id: \"\(String(repeating: "x", count: 64))…\" is not a text of "
                    + "1 to 128 bytes on one line"
            ),
        ])
    func mistakesOnTheCommandLineNameTheOption(option: String, value: String, line: String) {
        #expect(Self.mistakes { $0.read(option: option, value: value) } == [line])
    }

    @Test func variablesAreThoseOfSectionsOnly() {
        #expect(
            Self.mistakes { loader in
                loader.read(environment: [
                    "SYSMON_SERVER_PRT": "1", "SYSMON_CHANNELS_CPU": "1", "SYSMON_SERVER_PORT": "tcp://10.0.0.1:80",
                    // As Kubernetes sets it.
                    "SYSMON_AGENT_PORT": "tcp://10.0.0.1:80",
                ])
            } == [
                "SYSMON_CHANNELS_CPU: there is no such setting; unset it",
                #"SYSMON_SERVER_PORT: server.port: "tcp://10.0.0.1:80" is not a whole number from 0 to 65535"#,
                #"SYSMON_SERVER_PRT: there is no such setting; did you mean "SYSMON_SERVER_PORT"?"#,
            ])
    }

    /// At each bound and one past it, in the words of the table.
    @Test func numbersAreAcceptedWithinTheirBounds() throws {
        for setting in Setting.all {
            let (low, high, step): (Double, Double, Double)
            switch setting.kind {
            case .integer(let range): (low, high, step) = (Double(range.lowerBound), Double(range.upperBound), 1)
            case .number(let range): (low, high, step) = (range.lowerBound, range.upperBound, 0.001)
            default: continue
            }
            for (value, isAccepted) in [(low, true), (high, true), (low - step, false), (high + step, false)] {
                let key = try #require(SettingKey(setting.key))
                var configuration = Self.defaults
                let isDone = (try? configuration.set(key, to: .number(value), by: .host)) != nil
                #expect(isDone == isAccepted, "\(key) \(value)")
                if isAccepted { #expect(setting.read(configuration) == .number(value), "\(key)") }
            }
        }
    }

    @Test func keysVariablesAndOptionsAreUniqueAndDefaultsAreValid() throws {
        #expect(Set(Setting.all.map(\.key)).count == Setting.all.count)
        #expect(Set(Setting.all.map(\.variable)).count == Setting.all.count)
        let options = Setting.all.compactMap(\.option)
        #expect(Set(options).count == options.count)
        for setting in Setting.all {
            var configuration = Self.defaults
            try configuration.set(try #require(SettingKey(setting.key)), to: setting.defaultValue, by: .host)
            #expect(configuration == Self.defaults, "\(setting.key)")
        }
    }

    @Test func mistakesAreToldUpToABound() {
        let file = { (count: Int) in
            Array("{\((0..<count).map { "x\($0): 1" }.joined(separator: ",\n"))}".utf8)
        }
        #expect(Self.mistakes { $0.read(file: "f", file(99)) }.count == 99)
        let lines = Self.mistakes { $0.read(file: "f", file(20_000)) }
        #expect(lines.count == 101 && lines.last == "f: there may be more mistakes; correct these first")
    }

    /// Whatever becomes of a file, it is read within its bounds or refused at a place.
    @Test func garbledFilesLeaveNothingBeyondItsBounds() throws {
        let sample = Array(ConfigurationSample.text(of: Self.defaults).utf8)
        var random = SeededGenerator(round: 9)
        var acceptedCount = 0
        for _ in 0..<200 {
            var text = sample
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let start = Int.random(in: 0..<text.count, using: &random)
                let range = start..<min(text.count, start + Int.random(in: 0...3, using: &random))
                let piece =
                    ["", "9", "-", "\"", "1e9", "}", "null", "\u{FF}", ",", "//"].randomElement(using: &random) ?? ""
                text.replaceSubrange(range, with: piece.utf8)
            }
            var loader = ConfigurationLoader(Self.defaults)
            loader.read(file: "f", text)
            guard let configuration = try? loader.finish() else {
                #expect(loader.mistakes.allSatisfy { $0.place != nil || $0.text.contains("belong together") })
                continue
            }
            acceptedCount += 1
            for setting in Setting.all {
                var again = Self.defaults
                try again.set(try #require(SettingKey(setting.key)), to: setting.read(configuration), by: .host)
            }
        }
        #expect(acceptedCount > 10)
    }

    @Test func theReadmeListsEveryOptionWithItsSetting() throws {
        let readme = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("README.md")
        let rows = try String(contentsOf: readme, encoding: .utf8).split(separator: "\n").filter {
            $0.hasPrefix("| `--")
        }
        for setting in Setting.all {
            guard let option = setting.option else { continue }
            #expect(
                rows.contains { $0.contains("`--\(option)") && $0.contains("`\(setting.key)`") }, "\(setting.key)")
        }
    }

    @Test func theSampleHasEverySettingAndMeansTheDefaults() throws {
        let text = ConfigurationSample.text(of: Self.defaults)
        // What it does not say would stay as it is here.
        var others = Configuration(channels: Self.defaults.channels)
        others.host.port = 1
        others.logLevel = "error"
        (others.boost.isEnabled, others.boost.seconds, others.boost.rates) = (false, 1, [:])
        for topic in others.channels.map(\.topic) {
            for setting in ["rate_hertz", "window_seconds"] {
                try? others.set(setting, of: topic, to: .number(1), by: .host)
            }
            try others.set("enabled", of: topic, to: .bool(false), by: .host)
        }
        var loader = ConfigurationLoader(others)
        loader.read(file: "sample", Array(text.utf8))
        #expect(try loader.finish() == Self.defaults)
        guard case .object(let sections) = try JSON5Reader.value(of: Array(text.utf8)).json else {
            Issue.record("no object")
            return
        }
        for setting in Setting.all {
            guard case .object(let members)? = sections[setting.section] else {
                Issue.record("\(setting.section) is missing")
                continue
            }
            #expect(members[setting.name] == setting.defaultValue, "\(setting.key)")
        }
    }

    @Test func keptChangesAreReadAsFarAsTheyCanBe() throws {
        var loader = ConfigurationLoader(Self.defaults)
        let text =
            "{channels: {'/gone': {enabled: true}, '/cpu': {rate_hertz: 7, include: 'x'}}, server: {port: 1}}"
        let mistakes = loader.readChanges(file: "kept", Array(text.utf8)).map(\.text)
        #expect(mistakes.count == 3 && mistakes.contains("server.port is set on the host only"), "\(mistakes)")
        let configuration = try loader.finish()
        #expect(configuration.channels.first { $0.topic == "/cpu" }?.sampling?.rateHertz == 7)
        #expect(configuration.host.port == 8_765)
    }

    @Test func changesAreAddedToThoseKept() {
        var kept = KeptChanges(parsing: Array(#"{"channels":{"/cpu":{"rate_hertz":7,"enabled":true}}}"#.utf8))
        kept.add(KeptChanges(parsing: Array(#"{"log":{"level":"debug"},"channels":{"/cpu":{"rate_hertz":8}}}"#.utf8)))
        let text = #"{"channels":{"/cpu":{"enabled":true,"rate_hertz":8}},"log":{"level":"debug"}}"# + "\n"
        #expect(kept.text == text)
        // Whatever is in a damaged file, what is written is JSON.
        #expect(KeptChanges(parsing: Array("{channels".utf8)).isEmpty)
        #expect(KeptChanges(parsing: Array("{channels: {'/cpu': {rate_hertz: Infinity}}}".utf8)).text == "{}\n")
    }
}
