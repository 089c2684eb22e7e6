import SysmonAgent
import Telemetry
import TelemetrySchema
import Testing

/// Messages of `/thermal`, in wire bytes written by hand, and the lines that must come of them.
struct FamilyWriterTests {
    /// A zone: id, type, and celsius unless nil.
    private static func zone(_ id: [UInt8], _ type: [UInt8], _ celsius: Double?) -> [UInt8] {
        var zone = [0x0A, UInt8(id.count)] + id + [0x12, UInt8(type.count)] + type
        if let celsius {
            zone.append(0x19)
            for shift in 0..<8 { zone.append(UInt8(truncatingIfNeeded: celsius.bitPattern >> (8 * shift))) }
        }
        return [0x12, UInt8(zone.count)] + zone
    }

    private static func zone(_ id: String, _ type: String, _ celsius: Double?) -> [UInt8] {
        zone(Array(id.utf8), Array(type.utf8), celsius)
    }

    private func lines(_ name: String, _ bytes: [UInt8]) throws -> String {
        let family = try #require(MetricTable.families.first { $0.name == name })
        let type = MessageType(of: ThermalMessage.self)
        guard let message = UnpackedMessage(bytes, as: type) else { throw CancellationError() }
        let writer = FamilyWriter(family, at: 0, type: type, pageSizeBytes: 4_096)
        let lines = writer.lines(of: message, stamp: Timestamp(unixNanoseconds: 0))
        #expect(lines.seriesCount == lines.bytes.count { $0 == UInt8(ascii: "\n") })
        return String(decoding: lines.bytes, as: UTF8.self)
    }

    @Test func eachEntryGivesALineWithItsLabels() throws {
        let bytes =
            Self.zone("thermal_zone0", "acpitz", 27.75) + Self.zone("thermal_zone1", "", -5)
            + Self.zone("thermal_zone2", "big", 1e20) + Self.zone("thermal_zone3", "none", nil)
        #expect(
            try lines("node_thermal_zone_temp", bytes) == """
                node_thermal_zone_temp{zone="0",type="acpitz"} 27.75
                node_thermal_zone_temp{zone="1",type=""} -5
                node_thermal_zone_temp{zone="2",type="big"} 1e+20
                node_thermal_zone_temp{zone="3",type="none"} 0

                """)
    }

    @Test func labelsAreEscapedAndWhatIsNoTextIsReplaced() throws {
        let bytes =
            Self.zone("thermal_zone0", "a\"b\\c\nd", 1)
            + Self.zone(Array("thermal_zone1".utf8), [0x66, 0xFF, 0xC3, 0x28, 0xE2, 0x82], 2)
        #expect(
            try lines("node_thermal_zone_temp", bytes)
                == #"node_thermal_zone_temp{zone="0",type="a\"b\\c\nd"} 1"# + "\n"
                + "node_thermal_zone_temp{zone=\"1\",type=\"f\u{FFFD}\u{FFFD}(\u{FFFD}\"} 2\n")
    }

    @Test func whatIsNotKnownIsLeftOut() throws {
        let bytes =
            Self.zone("thermal_zone0", "a", .nan) + Self.zone("thermal_zone1", "b", .infinity)
            + Self.zone("thermal_zone2", "c", 3)
        #expect(try lines("node_thermal_zone_temp", bytes) == "node_thermal_zone_temp{zone=\"2\",type=\"c\"} 3\n")
    }

    @Test func seriesThatWouldBeTheSameAreKeptApart() throws {
        // The last one has the name that the second one would get.
        let bytes =
            Self.zone("thermal_zone0", "a", 1) + Self.zone("thermal_zone0", "a", 2) + Self.zone("0", "a", 3)
            + Self.zone("0", "b", 4) + Self.zone("0 #2", "a", 5)
        #expect(
            try lines("node_thermal_zone_temp", bytes) == """
                node_thermal_zone_temp{zone="0",type="a"} 1
                node_thermal_zone_temp{zone="0 #2",type="a"} 2
                node_thermal_zone_temp{zone="0 #3",type="a"} 3
                node_thermal_zone_temp{zone="0",type="b"} 4
                node_thermal_zone_temp{zone="0 #2 #2",type="a"} 5

                """)
    }

    @Test func manyAlikeTakeNoLongerThanManyOthers() throws {
        var bytes: [UInt8] = []
        for _ in 0..<4_096 { bytes += Self.zone("thermal_zone0", "a", 1) }
        #expect(try lines("node_thermal_zone_temp", bytes).hasSuffix("{zone=\"0 #4096\",type=\"a\"} 1\n"))
    }

    @Test func aMessageWithoutEntriesGivesNothing() throws {
        #expect(try lines("node_thermal_zone_temp", []) == "")
    }
}
