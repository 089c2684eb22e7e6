import Glibc
import HostMetrics
import Telemetry
import Testing

/// This machine's interfaces, and some made for the purpose in a network namespace of their own.
struct NetworkTests {
    private static let facts = HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE")

    private struct Source {
        let registration: Registration
        let sampler: any Sampling
        var tick: UInt64 = 0

        /// `procfs`: "/proc" is read by netlink, any other path to the same place by its files.
        init(procfs: String, clock: ManualClock) throws {
            registration = try #require(allCollectors.first { $0.channel.topic == "/net" })
            let host = HostMetrics.Host(procfs: procfs, facts: facts) { clock.reading }
            sampler = try registration.makeSampler(on: host)
        }

        mutating func interfaces() throws -> [WireValue] {
            tick += 1
            _ = try sampler.sample(registration.context(tick: tick))
            return try decode(sampler, schema: registration.channel.schema)["interfaces"]?.entries ?? []
        }
    }

    private static let counters = [
        "rx_bytes", "tx_bytes", "rx_packets", "tx_packets", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped",
        "rx_fifo_errors", "rx_frame_errors", "rx_multicast", "tx_fifo_errors", "tx_collisions", "tx_carrier_errors",
    ].map { $0 + "_total" }

    /// Counters move between two reads, but never back: each must lie between those read before and after it.
    private func compare(_ middle: [WireValue], _ before: [WireValue], _ after: [WireValue], _ equal: [String]) {
        #expect(middle.map { $0["id"]?.text } == before.map { $0["id"]?.text })
        #expect(!middle.isEmpty)
        for (index, interface) in middle.enumerated() where index < before.count && index < after.count {
            for counter in Self.counters {
                guard case .unsigned(let value) = interface[counter], case .unsigned(let low) = before[index][counter],
                    case .unsigned(let high) = after[index][counter]
                else {
                    Issue.record("\(counter)")
                    continue
                }
                #expect(low <= value && value <= high, "\(interface["id"]?.text ?? "") \(counter)")
            }
            for field in equal { #expect("\(interface[field] as Any)" == "\(before[index][field] as Any)", "\(field)") }
        }
    }

    @Test func netlinkAndFilesAgreeOnThisMachine() throws {
        let clock = ManualClock()
        var netlink = try Source(procfs: "/proc", clock: clock)
        var files = try Source(procfs: "/proc/.", clock: clock)
        // No net/dev there: the statistics folders of sysfs.
        var folders = try Source(procfs: "/proc/sys", clock: clock)
        let attributes = [
            "index", "oper_state", "duplex", "mtu_bytes", "speed_bits_per_second", "carrier_changes_total",
        ]
        let before = try files.interfaces()
        let middle = try netlink.interfaces()
        let after = try files.interfaces()
        compare(middle, before, after, attributes)
        let last = try folders.interfaces()
        compare(after, middle, last, attributes)
    }

    @Test(.enabled(if: canMakeNamespaces))
    func interfacesThatComeGoAndChangeAreFollowed() throws {
        let namespace = try NetworkNamespace()
        defer { namespace.leave() }
        try namespace.ip("link", "set", "lo", "up")
        let clock = ManualClock()
        var netlink = try Source(procfs: "/proc", clock: clock)
        #expect(try netlink.interfaces().map { $0["id"]?.text } == ["lo"])

        try namespace.ip("link", "add", "left", "type", "veth", "peer", "name", "right")
        try namespace.ip("link", "set", "left", "up", "mtu", "1400")
        try namespace.ip("link", "set", "right", "up")
        // The kernel settles the state of a link a moment later.
        var isUp = false
        for _ in 0..<500 where !isUp {
            var other = try Source(procfs: "/proc", clock: clock)
            isUp = try other.interfaces().contains {
                $0["id"]?.text == "left" && $0["oper_state"]?.text == "OPER_UP"
            }
            if !isUp { usleep(10_000) }
        }
        clock.advance(nanoseconds: 1_000_000_000)
        var interfaces = try netlink.interfaces()
        #expect(Set(interfaces.compactMap { $0["id"]?.text }) == ["lo", "left", "right"])
        let left = try #require(interfaces.first { $0["id"]?.text == "left" })
        #expect(left["mtu_bytes"]?.number == 1_400 && left["oper_state"]?.text == "OPER_UP")
        #expect(try #require(left["rx_bytes_per_second"]?.number).isNaN)

        var files = try Source(procfs: "/proc/thread-self", clock: clock)
        let before = try files.interfaces().sorted { ($0["id"]?.text ?? "") < ($1["id"]?.text ?? "") }
        let middle = try netlink.interfaces().sorted { ($0["id"]?.text ?? "") < ($1["id"]?.text ?? "") }
        let after = try files.interfaces().sorted { ($0["id"]?.text ?? "") < ($1["id"]?.text ?? "") }
        compare(middle, before, after, [])

        clock.advance(nanoseconds: 1_000_000_000)
        interfaces = try netlink.interfaces()
        #expect(interfaces.allSatisfy { $0["rx_bytes_per_second"]?.number?.isNaN == false })

        // A new name is a new interface; one that is gone is not told of.
        try namespace.ip("link", "set", "left", "down")
        try namespace.ip("link", "set", "left", "name", "other")
        clock.advance(nanoseconds: 1_000_000_000)
        interfaces = try netlink.interfaces()
        let other = try #require(interfaces.first { $0["id"]?.text == "other" })
        #expect(other["oper_state"]?.text == "OPER_DOWN" && other["rx_bytes_per_second"]?.number?.isNaN == true)
        #expect(other["index"] == left["index"])
        try namespace.ip("link", "del", "other")
        #expect(try netlink.interfaces().map { $0["id"]?.text } == ["lo"])
    }

    @Test(.enabled(if: canMakeNamespaces))
    func noMoreThanTheCapIsPublished() throws {
        let namespace = try NetworkNamespace()
        defer { namespace.leave() }
        let batch = (0..<150).map { "link add a\($0) type veth peer name b\($0)" }.joined(separator: "\n")
        let folder = try TemporaryDirectory()
        try folder.write(batch + "\n", to: "batch")
        let clock = ManualClock()
        let netlink = try Source(procfs: "/proc", clock: clock)
        try namespace.ip("-batch", folder.path + "/batch")
        let sample = try netlink.sampler.sample(netlink.registration.context(tick: 1))
        #expect(sample.entryCount == 256 && sample.suppressedCount == 301 - 256)
        let message = try decode(netlink.sampler, schema: netlink.registration.channel.schema)
        let indices = message["interfaces"]?.entries.compactMap { $0["index"]?.number } ?? []
        #expect(indices.count == 256 && indices == indices.sorted())
    }
}
