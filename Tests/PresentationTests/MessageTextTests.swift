import HostMetrics
import Telemetry
import TelemetrySchema
import Testing

@testable import Presentation

@Suite struct MessageTextTests {
    private let disks = message([
        "header": .message(message(["sequence": .unsigned(3)])),
        "devices": .list(
            [("sda", 1_500_000, 0.5), ("nvme0n1", Double.nan, 0)].map { id, rate, busy in
                .message(
                    message([
                        "id": .text(id), "read_bytes_per_second": .number(rate), "utilization_ratio": .number(busy),
                        "read_bytes_total": .unsigned(7), "resets_total": .unsigned(1),
                    ]))
            }),
    ])

    @Test func entriesAreATableWithoutHeaderAndWithoutCountersThatHaveARate() {
        #expect(
            MessageText(disks, width: 80).lines == [
                "  ID            READ  UTILIZATION  RESETS TOTAL",
                "  sda      1.50 MB/s       50.0 %             1",
                "  nvme0n1          -        0.0 %             1",
            ])
    }

    @Test func whatDoesNotFitGoesBelow() {
        #expect(
            MessageText(disks, width: 36).lines == [
                "  ID            READ  UTILIZATION",
                "  sda      1.50 MB/s       50.0 %",
                "  nvme0n1          -        0.0 %",
                "  ID       RESETS TOTAL",
                "  sda                 1",
                "  nvme0n1             1",
            ])
    }

    @Test func valuesStandInColumnsDownwards() {
        let memory = message([
            "total_bytes": .number(1_024), "used_ratio": .number(0.5), "free_bytes": .number(.nan),
            "is_estimate": .bool(true),
        ])
        #expect(
            MessageText(memory, width: 50).lines == [
                "  total       1.00 KiB   free               -",
                "  used          50.0 %   is estimate      yes",
            ])
        #expect(MessageText(memory, width: 30).lines.count == 4)
        #expect(MessageText(memory, fields: ["used_ratio"], width: 30).lines == ["  used 50.0 %"])
        #expect(MessageText(memory, fields: [], width: 30).lines == ["  nothing"])
    }

    @Test func partsOfOneKindAreATable() {
        let stall = DecodedValue.message(message(["some_ratio": .number(0.25)]))
        #expect(
            MessageText(message(["cpu": stall, "io": stall]), width: 80).lines == [
                "         SOME", "  cpu  25.0 %", "  io   25.0 %",
            ])
    }

    @Test func namesOfEnumsAreWords() {
        let link = message(["oper_state": .name("OPER_LOWER_LAYER_DOWN"), "level": .name("WARNING")])
        #expect(
            MessageText(link, width: 80).lines
                == [
                    "  oper state lower layer down   level               warning"
                ])
    }

    /// Every type of message, empty and with any text: nothing is wider than it may be but a lonely column.
    @Test(arguments: [20, 80, 200])
    func everyMessageHasAText(width: Int) throws {
        for registration in allCollectors {
            let message = try #require(registration.decode([]))
            let lines = MessageText(message, width: width).lines
            #expect(!lines.isEmpty && lines.allSatisfy { $0.count <= max(width, 60) })
        }
    }

    @Test func theOverviewNamesFieldsThatThereAre() throws {
        let proto = Dictionary(
            uniqueKeysWithValues: allCollectors.map { ($0.channel.topic, $0.channel.schema.descriptorSet) })
        for (topic, names) in Overview.fields {
            let descriptor = String(decoding: try #require(proto[topic]), as: UTF8.self)
            for name in names { #expect(descriptor.contains(name), "\(topic) has no \(name)") }
        }
    }

    @Test func sensorsAreListedWithTheirLimits() {
        let sensors = message([
            "temperatures": .list([
                .message(
                    message([
                        "id": .text("coretemp-isa-0000/temp2"), "chip": .text("coretemp-isa-0000"),
                        "label": .text("Core 0"), "celsius": .number(45), "min_celsius": .number(.nan),
                        "max_celsius": .number(84), "critical_celsius": .number(100), "alarm": .bool(true),
                        "fault": .bool(false),
                    ]))
            ]),
            "fans": .list([
                .message(message(["id": .text("a/fan1"), "label": .text("fan1"), "rpm": .number(.nan)]))
            ]),
        ])
        #expect(
            SensorList(sensors).lines(width: nil) == [
                "ID                       LABEL     VALUE  LIMITS",
                "coretemp-isa-0000/temp2  Core 0  45.0 °C  max 84.0 °C, critical 100.0 °C, ALARM",
                "a/fan1                   fan1          -",
            ])
        #expect(SensorList(sensors).lines(width: 60).allSatisfy { $0.count <= 60 })
    }
}

/// A message of these fields, in this order.
func message(_ fields: KeyValuePairs<String, DecodedValue>) -> DecodedMessage {
    DecodedMessage(fields.map { DecodedMessage.Field($0.key, $0.value) })
}
