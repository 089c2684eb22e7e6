import Foundation
import HostMetrics
import SysmonAgent
import Telemetry
import TelemetrySchema
import Testing

/// The table of metrics against our messages and against the rules of both formats.
struct MetricTableTests {
    @Test(arguments: MetricTable.families.filter { !$0.topic.isEmpty })
    func fieldsAreThereInMessagesOfTheChannel(family: MetricFamily) throws {
        let registration = try #require(allCollectors.first { $0.channel.topic == family.topic })
        // Traps where one is not.
        _ = FamilyWriter(family, at: 0, type: registration.messageType, pageSizeBytes: 4_096)
    }

    @Test func namesAreValidAndNoTwoFamiliesShareOneInEitherFormat() {
        var names: Set<String> = []
        for family in MetricTable.families {
            let ending: String? =
                switch family.kind {
                case .counter: "_total"
                case .info: "_info"
                case .gauge, .unknown: nil
                }
            let bare = ending.map { String(family.name.dropLast($0.utf8.count)) } ?? family.name
            #expect(ending.map(family.name.hasSuffix) ?? true, "\(family.name)")
            if ending == nil { #expect(!family.name.hasSuffix("_total"), "\(family.name)") }
            #expect(family.name.wholeMatch(of: /[a-z][a-zA-Z0-9_]*/) != nil, "\(family.name)")
            for name in Set([family.name, bare]) { #expect(names.insert(name).inserted, "\(name) is there twice") }
            #expect(!family.help.isEmpty && !family.help.contains { "\"\\\n".contains($0) }, "\(family.name)")
        }
    }

    @Test func whatIsOursIsNamedSo() {
        for family in MetricTable.families {
            #expect(["node", "sysmon", "process"].contains(family.name.prefix { $0 != "_" }), "\(family.name)")
        }
    }

    /// `METRICS_DOCUMENT=write swift test --filter MetricTableTests` writes it anew.
    @Test func theDocumentListsThem() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/metrics.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let heading = "## All metrics\n"
        let start = try #require(text.range(of: heading)).upperBound
        let isWriting = ProcessInfo.processInfo.environment["METRICS_DOCUMENT"] == "write"
        if isWriting { try (text[..<start] + table).write(to: file, atomically: true, encoding: .utf8) }
        #expect(isWriting || text[start...] == table, "write docs/metrics.md anew with METRICS_DOCUMENT=write")
    }

    private var table: String {
        var table = """

            <!-- Made by MetricTableTests from the table in Sources/SysmonAgent/Exposition. Do not edit. -->

            | metric | type | labels | channel | meaning |
            | --- | --- | --- | --- | --- |

            """
        for family in MetricTable.families {
            let labels = family.topic.isEmpty && family.name.contains("collector") ? ["topic"] : family.labelNames
            let words = labels.map { "`\($0)`" }.joined(separator: ", ")
            let channel = family.topic.isEmpty ? "" : "`\(family.topic)`"
            table += "| `\(family.name)` | \(family.kind.rawValue) | \(words) | \(channel) | \(family.help) |\n"
        }
        return table
    }
}
