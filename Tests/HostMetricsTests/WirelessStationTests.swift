import HostMetrics
import Testing

/// nl80211, with a kernel that is a script.
struct WirelessStationTests {
    private let kernel = ScriptedKernel()
    private static let family: UInt16 = 28

    private func answer(_ messages: [[UInt8]], type: UInt16 = family) -> ScriptedKernel.Answer {
        { sequence in
            [.datagram(messages.flatMap { Wire.message(type, sequence, [0, 1, 0, 0] + $0) } + Wire.done(sequence))]
        }
    }

    private func families(_ names: [(UInt16, String)]) -> ScriptedKernel.Answer {
        answer(names.map { Wire.attribute(2, Array($0.1.utf8) + [0]) + Wire.attribute(1, Wire.bytes($0.0)) }, type: 16)
    }

    private func interface(_ index: UInt32, _ name: String, type: UInt32) -> [UInt8] {
        Wire.attribute(3, Wire.bytes(index)) + Wire.attribute(4, Array(name.utf8) + [0])
            + Wire.attribute(5, Wire.bytes(type))
    }

    private func bitrate(narrow: UInt16, wide: UInt32?) -> [UInt8] {
        Wire.attribute(1, Wire.bytes(narrow)) + (wide.map { Wire.attribute(5, Wire.bytes($0)) } ?? [])
    }

    @Test func stationsAreFoundAndTheirLinksTold() throws {
        let link =
            Wire.attribute(7, [UInt8(bitPattern: -52)]) + Wire.attribute(8, bitrate(narrow: 65_535, wide: 120_100))
            + Wire.attribute(14, bitrate(narrow: 8_667, wide: nil))
            + Wire.attribute(11, Wire.bytes(UInt32(4_000_000_000)))
            + Wire.attribute(12, Wire.bytes(UInt32(7))) + Wire.attribute(18, [1])
        kernel.answers = [
            16: [families([(16, "nlctrl"), (Self.family, "nl80211"), (29, "nl80211x")])],
            Self.family: [
                answer([interface(9, "p2p", type: 8), interface(4, "ap0", type: 3), interface(3, "wlan0", type: 2)]),
                answer([]), answer([Wire.attribute(3, Wire.bytes(UInt32(3))) + Wire.attribute(21, link)]),
            ],
        ]
        var stations = try WirelessStations(ScriptedTransport(kernel))
        try stations.refresh()
        let found = stations.stations
        #expect(found.map(\.index) == [3, 9])
        #expect(found.map { String(decoding: $0.name, as: UTF8.self) } == ["wlan0", "p2p"])
        #expect(found[0].signalDBm == -52)
        #expect(found[0].transmitBitsPerSecond == 12_010_000_000)
        #expect(found[0].receiveBitsPerSecond == 866_700_000)
        #expect(found[0].retries == 4_000_000_000 && found[0].failures == 7)
        // Of a counter that is cut nothing is known.
        #expect(found[0].beaconLosses == nil)
        #expect(found[1].signalDBm.isNaN && found[1].transmitBitsPerSecond.isNaN && found[1].retries == nil)
    }

    @Test func aKernelWithoutWirelessHasNone() {
        kernel.answers = [16: [families([(16, "nlctrl")])]]
        #expect(throws: CollectError.open(errno: 2)) { _ = try WirelessStations(ScriptedTransport(kernel)) }
    }

    @Test func anInterfaceThatGoesAwayMeanwhileHasNoLink() throws {
        kernel.answers = [
            16: [families([(Self.family, "nl80211")])],
            Self.family: [answer([interface(3, "wlan0", type: 2)]), { [.datagram(Wire.error(19, $0))] }],
        ]
        var stations = try WirelessStations(ScriptedTransport(kernel))
        try stations.refresh()
        #expect(stations.stations.count == 1)
        #expect(stations.stations[0].signalDBm.isNaN)
    }

    @Test func bentAnswersAreHarmless() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let interfaces = interface(3, "wlan0", type: 2)
        let station = Wire.attribute(21, Wire.attribute(7, [200]) + Wire.attribute(8, bitrate(narrow: 9, wide: 10)))
        for _ in 0..<2_000 {
            let bend = { (bytes: [UInt8]) -> [UInt8] in
                var bent = bytes
                for _ in 0..<Int.random(in: 0...3, using: &generator) {
                    bent[Int.random(in: bent.indices, using: &generator)] = .random(in: 0...255, using: &generator)
                }
                return Array(bent.prefix(Int.random(in: 0...bent.count, using: &generator)))
            }
            kernel.answers = [
                16: [families([(Self.family, "nl80211")])],
                Self.family: [answer([bend(interfaces)]), answer([bend(station)])],
            ]
            kernel.pending = []
            var stations = try WirelessStations(ScriptedTransport(kernel))
            try? stations.refresh()
            #expect(stations.stations.allSatisfy { !$0.transmitBitsPerSecond.isInfinite }, "seed \(seed)")
        }
    }
}
