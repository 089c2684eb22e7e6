import HostMetrics
import Telemetry
import Testing

/// Datagrams that are cut, bent and swapped.
struct NetlinkFuzzTests {
    @Test func bentMessagesAreHarmless() {
        var random = SeededGenerator.announced()
        for _ in 0..<2_000 {
            let kernel = ScriptedKernel()
            func bend(_ bytes: [UInt8]) -> [UInt8] {
                var bytes = bytes
                for _ in 0..<Int.random(in: 0...6, using: &random) where !bytes.isEmpty {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                return Array(bytes.prefix(Int.random(in: 0...bytes.count * 2, using: &random)))
            }
            func answer(_ build: @escaping (UInt32) -> [UInt8]) -> [ScriptedKernel.Answer] {
                [{ sequence in [.datagram(bend(build(sequence))), .datagram(Wire.done(sequence))] }]
            }
            kernel.answers = [
                Wire.getLink: answer { Wire.link(1, "lo", sequence: $0) + Wire.link(2, "eth0", sequence: $0) },
                Wire.getStats: answer { Wire.statistics(1, 5, sequence: $0) + Wire.statistics(2, 5, sequence: $0) },
                Wire.getAddress: answer {
                    Wire.address(1, [1, 2, 3, 4], prefix: 8, sequence: $0)
                        + Wire.address(2, [UInt8](repeating: 7, count: 16), prefix: 64, sequence: $0)
                },
                Wire.getNeighbour: answer {
                    Wire.neighbour(2, 1, state: 2, sequence: $0) + Wire.neighbour(10, 2, state: 4, sequence: $0)
                },
            ]
            let notifying = ScriptedKernel()
            notifying.pending = [
                .datagram(bend(Wire.link(1, "lo"))), .datagram(bend(Wire.link(1, "lo", isGone: true))),
            ]
            var table = InterfaceTable()
            var neighbours = NeighbourTable()
            var links = LinkMonitor(
                requests: ScriptedTransport(kernel), notifications: ScriptedTransport(notifying), sysfs: "/nowhere")
            var addresses = AddressMonitor(
                requests: ScriptedTransport(kernel), notifications: ScriptedTransport(notifying))
            var neighbourMonitor = NeighbourMonitor(requests: ScriptedTransport(kernel))
            let reading = ManualClock().reading
            _ = try? links.refresh(&table) { reading }
            kernel.pending = []
            _ = try? addresses.refresh()
            kernel.pending = []
            try? neighbourMonitor.refresh(&neighbours)
            #expect(addresses.addresses.count == addresses.links.count)
        }
    }
}
