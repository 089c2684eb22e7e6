import Foundation
import Testing

/// The repository's root.
let root = URL(filePath: #filePath).appending(path: "../../..").standardized

/// The checker finds what it should.
@Suite struct LayoutCheckerTests {
    private let checker: LayoutChecker

    init() throws { checker = LayoutChecker(schemas: try SchemaPool(root: root)) }

    @Test func theSchemasAreRead() {
        #expect(checker.schemas.topics["/cpu/cores"] == "sysmon.v1.CpuCores")
        #expect(checker.schemas.topics["/system/uptime"] == "sysmon.v1.Uptime")
        #expect(checker.schemas.topics.values.allSatisfy { checker.schemas.messages[$0] != nil })
        #expect(
            checker.schemas.field("cores", of: "sysmon.v1.CpuCores")
                == .init(name: "cores", kind: .message("sysmon.v1.CpuCore"), isRepeated: true))
    }

    /// A small good layout, which each test below spoils in one place.
    private static let good = #"""
        {
          "configById": {
            "Plot!cpu": { "paths": [
              { "timestampMethod": "headerStamp", "value": "/cpu.usage_ratio", "enabled": true },
              { "timestampMethod": "headerStamp", "value": "0.9", "enabled": true }
            ] },
            "Gauge!memory": { "path": "/memory.used_ratio", "minValue": 0, "maxValue": 1 },
            "Publish!rate": { "topicName": "/config", "datatype": "sysmon.v1.Config", "advancedView": true,
              "value": "{\"channels\": {\"/cpu\": {\"rate_hertz\": 20, \"enabled\": true, \"window_seconds\": 0}}}" },
            "Tab!main": { "activeTabIdx": 0, "tabs": [ { "title": "One", "layout":
              { "direction": "row", "first": "Plot!cpu", "second": "Gauge!memory", "splitPercentage": 70 } } ] }
          },
          "globalVariables": {},
          "playbackConfig": { "speed": 1 },
          "layout": { "direction": "column", "first": "Tab!main", "second": "Publish!rate" }
        }
        """#

    @Test func theGoodLayoutIsGood() throws {
        #expect(checker.problems(in: try decode(Self.good)).isEmpty)
    }

    @Test(
        arguments: [
            (#""globalVariables": {}"#, #""globalVariables": []"#, "globalVariables must be an object"),
            (#""speed": 1"#, #""speed": "1""#, "playbackConfig.speed must be a number"),
            (#""layout": { "direction": "column""#, #""version": 2, "layout": { "direction": "column""#, "version"),
            (#""direction": "column""#, #""direction": "down""#, "neither a panel nor a split"),
            (#""splitPercentage": 70"#, #""splitPercentage": 100"#, "splitPercentage"),
            (#""splitPercentage": 70"#, #""split": 70"#, "a node has the key split"),
            (#""second": "Publish!rate""#, #""second": "Plot!cpu""#, "Plot!cpu is used 2 times"),
            (#""second": "Publish!rate""#, #""second": "Gauge!memory""#, "Publish!rate is not used"),
            (#""second": "Publish!rate""#, #""second": "Publish!x""#, "Publish!x has no config"),
            (#""activeTabIdx": 0"#, #""activeTabIdx": 1"#, "activeTabIdx"),
            ("Gauge!memory", "Dial!memory", "the id must be <panel type>!<text>"),
            (#""maxValue": 1"#, #""maxValues": 1"#, "unknown key maxValues"),
            (#""maxValue": 1"#, #""reverse": true"#, "minValue and maxValue must be set"),
            (#"{ "timestampMethod": "headerStamp", "#, #"{ "#, "timestampMethod must be headerStamp"),
            ("/memory.used_ratio", "/memory.used_ratios", "sysmon.v1.Memory has no field used_ratios"),
            ("/cpu.usage_ratio", "/cpus.usage_ratio", "no channel /cpus"),
            (#""topicName": "/config""#, #""topicName": "/cpu""#, "topicName must be /config"),
            ("sysmon.v1.Config", "sysmon.v1.Load", "datatype must be the type of /config"),
            (#"\"rate_hertz\": 20"#, #"\"rate_hertz\": 1001"#, "/cpu.rate_hertz: wrong value"),
            (#"\"rate_hertz\": 20"#, #"\"rate_hertz\": true"#, "/cpu.rate_hertz: wrong value"),
            (#"\"rate_hertz\": 20"#, #"\"rate\": 20"#, "/cpu.rate: no such setting"),
            (#"\"rate_hertz\": 20"#, #"\"id\": 20"#, "/cpu.id: no such setting"),
            (#"\"/cpu\": {"#, #"\"/nothing\": {"#, "no channel /nothing"),
            (#"{\"channels\": "#, #"{\"rates\": "#, "a patch holds channels"),
            (#"\"window_seconds\": 0}}}"#, #"\"window_seconds\": 0}}"#, "value must be the text of a JSON object"),
        ])
    func aSpoiltLayoutIsFound(_ old: String, _ new: String, _ expected: String) throws {
        let spoilt = Self.good.replacingOccurrences(of: old, with: new)
        try #require(spoilt != Self.good)
        let problems = checker.problems(in: try decode(spoilt))
        #expect(problems.contains { $0.contains(expected) }, "\(problems)")
    }

    @Test(arguments: [
        "/cpu.usage_ratio", "/cpu/cores.cores[:]{id==0}.usage_ratio", "/cpu/cores.cores[0].usage_ratio",
        #"/net.interfaces[:]{id=="eth0"}.rx_bytes_total.@derivative"#, "/config.channels[:]{id=='/cpu'}.enabled",
        "/memory.available_is_estimate", "/memory.header.sequence", #"/net.interfaces[0:3]{id=="lo"}.oper_state"#,
        "/cpu{online_count>=2}.usage_ratio", "/cpu/cores.cores[:]{id==$cpu}.usage_ratio",
    ])
    func aGoodPathPasses(_ path: String) {
        #expect(checker.pathProblems(path, .plot).isEmpty)
    }

    @Test(arguments: [
        "cpu.usage_ratio", "/cpu", "/cpu.", "/cpu.usage", "/cpu.usage_ratio.more", "/cpu.usage_ratio[0]",
        "/cpu.usage_ratio[:]", "/cpu/cores.cores", "/cpu/cores.cores.usage_ratio", "/cpu/cores.cores[:].usage_ratio",
        "/cpu/cores.cores[-1].usage_ratio", "/cpu/cores.cores[0:-1]{id==0}.usage_ratio",
        "/cpu/cores.cores{id==0}.usage_ratio", #"/cpu/cores.cores[:]{id=="0"}.usage_ratio"#,
        "/cpu/cores.cores[:]{name==0}.usage_ratio", "/cpu/cores.cores[:]{id==0.5}.usage_ratio",
        "/cpu/cores.cores[:]{id=0}.usage_ratio", "/cpu/cores.cores[:]{id==0.usage_ratio",
        "/cpu/cores.cores[0.usage_ratio",
        "/cpu/cores.cores[x].usage_ratio", "/cpu/cores.cores[]{id==0}.usage_ratio",
        "/cpu/cores.cores[:]{usage_ratio==true}.id", #"/net.interfaces[:]{id=="a\"b"}.rx_bytes_total"#,
        "/net.interfaces[:]{id==eth0}.rx_bytes_total", "/system/info.hostname", "/memory.header", "/net/eth0.100.mtu",
        "/cpu.usage_ratio.@negative", "/cpu.usage_ratio.@derivative.more", "/cpu.usage ratio",
    ])
    func aBadPathFails(_ path: String) {
        #expect(!checker.pathProblems(path, .plot).isEmpty)
    }

    @Test func panelsDifferInWhatTheyShow() {
        #expect(!checker.pathProblems("/kernel.forks_total", .gauge).isEmpty, "a BigInt leaves the gauge empty")
        #expect(checker.pathProblems("/kernel.forks_total", .plot).isEmpty)
        #expect(!checker.pathProblems("/cpu.usage_ratio.@abs", .gauge).isEmpty)
        #expect(checker.pathProblems("/system/info.hostname", .anyScalar).isEmpty)
        #expect(checker.pathProblems("/agent.collectors[:]", .table).isEmpty)
        #expect(!checker.pathProblems("/cpu.usage_ratio", .table).isEmpty)
        #expect(checker.pathProblems("/system/info", .anything).isEmpty)
        #expect(!checker.pathProblems("/system/infos", .anything).isEmpty)
    }

    private func decode(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }
}
