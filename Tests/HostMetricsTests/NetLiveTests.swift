import Glibc
import HostMetrics
import Telemetry
import Testing

/// This machine's addresses and neighbours, and some made for the purpose in a network namespace of their own, as ip(8)
/// tells them.
struct NetLiveTests {
    private final class Source {
        let clock = ManualClock()
        let registration: Registration
        let sampler: any Sampling
        private var tick: UInt64 = 0

        init(_ topic: String, settings: EntrySettings = EntrySettings()) throws {
            registration = try #require(allCollectors.first { $0.channel.topic == topic })
            let facts = HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE")
            let clock = clock
            let host = HostMetrics.Host(facts: facts, entrySettings: [topic: settings]) { clock.reading }
            sampler = try registration.makeSampler(on: host)
        }

        func sample(isFirst: Bool = false) throws -> (sample: Sample, message: WireValue) {
            tick += 1
            clock.advance(nanoseconds: 1_000_000_000)
            var context = registration.context(tick: tick)
            context.isFirst = isFirst
            let sample = try sampler.sample(context)
            return (sample, try decode(sampler, schema: registration.channel.schema))
        }

        func addresses() throws -> [WireValue] { try sample().message["addresses"]?.entries ?? [] }

        /// Whether there is news, within some seconds where it is expected.
        func isReady(isExpected: Bool) throws -> Bool {
            var poll = pollfd(fd: try #require(sampler.eventDescriptor), events: Int16(POLLIN), revents: 0)
            return unsafe Glibc.poll(&poll, 1, isExpected ? 5_000 : 0) == 1
        }
    }

    private func addressesByIP() throws -> [String] {
        try NetworkNamespace.json("address show").flatMap { link in
            (link["addr_info"] as? [[String: Any]] ?? []).map { address in
                let fields: [Any?] = [
                    link["ifname"], address["family"], address["local"], address["prefixlen"], link["address"],
                    address["scope"] as? String == "link" && address["family"] as? String == "inet6"
                        ? link["ifindex"] : 0, (link["flags"] as? [String])?.contains("LOOPBACK"),
                ]
                return fields.map { $0.map { "\($0)" } ?? "" }.joined(separator: " ")
            }
        }.sorted()
    }

    private func texts(_ addresses: [WireValue]) -> [String] {
        addresses.map { address in
            [
                address["interface"]?.text, address["family"]?.text == "IPv6" ? "inet6" : "inet",
                address["address"]?.text, address["prefix_length"]?.number.map { "\(Int($0))" }, address["mac"]?.text,
                address["scope_id"]?.number.map { "\(Int($0))" }, address["internal"] == .bool(true) ? "true" : "false",
            ].map { $0 ?? "?" }.joined(separator: " ")
        }.sorted()
    }

    @Test(.enabled(if: canMakeNamespaces))
    func thisMachinesAddressesAreThoseOfIP() throws {
        let addresses = try Source("/net/addresses").addresses()
        let expected = try addressesByIP()
        #expect(texts(addresses) == expected)
        for address in addresses {
            #expect(
                address["id"]?.text == "\(address["interface"]?.text ?? "") \(address["address"]?.text ?? "")"
                    + "/\(Int(address["prefix_length"]?.number ?? 0))")
        }
    }

    @Test(.enabled(if: canMakeNamespaces))
    func addressesThatComeAndGoAreNews() throws {
        let namespace = try NetworkNamespace()
        defer { namespace.leave() }
        let source = try Source("/net/addresses")
        #expect(try source.addresses().isEmpty)
        #expect(throws: CollectError.nothingUsable) { try source.sample() }
        #expect(try !source.isReady(isExpected: false))

        try namespace.ip("address", "add", "192.0.2.7/24", "dev", "lo")
        #expect(try source.isReady(isExpected: true))
        var addresses = try source.addresses()
        #expect(addresses.ids == ["lo 192.0.2.7/24"] && addresses[0]["netmask"]?.text == "255.255.255.0")
        #expect(throws: CollectError.nothingUsable) { try source.sample() }
        // Who begins to listen, or asks for a sample, gets what is.
        #expect(try source.sample(isFirst: true).message["addresses"]?.entries.ids == ["lo 192.0.2.7/24"])
        #expect(try !source.isReady(isExpected: false))

        // Two that differ in their peers only.
        try namespace.ip("address", "add", "10.0.0.1", "peer", "10.0.0.2/32", "dev", "lo")
        try namespace.ip("address", "add", "10.0.0.1", "peer", "10.0.0.3/32", "dev", "lo")
        try namespace.ip("link", "set", "lo", "up")
        try namespace.ip("address", "add", "2001:db8::7/64", "dev", "lo", "nodad")
        #expect(try source.isReady(isExpected: true))
        addresses = try source.addresses()
        #expect(texts(addresses) == (try addressesByIP()))
        #expect(
            Set(addresses.ids) == [
                "lo 192.0.2.7/24", "lo 10.0.0.1/32", "lo 10.0.0.1/32 #2", "lo 127.0.0.1/8", "lo 2001:db8::7/64",
                "lo ::1/128",
            ])
        let last = try #require(addresses.last { $0["address"]?.text == "2001:db8::7" })
        #expect(last["netmask"]?.text == "ffff:ffff:ffff:ffff::" && last["scope_id"] == .unsigned(0))

        try namespace.ip("address", "del", "192.0.2.7/24", "dev", "lo")
        #expect(try source.isReady(isExpected: true))
        #expect(try !source.addresses().ids.contains("lo 192.0.2.7/24"))
    }

    @Test(.enabled(if: canMakeNamespaces))
    func aNewNameIsNewsAndTheHostsOwnerChooses() throws {
        let namespace = try NetworkNamespace()
        defer { namespace.leave() }
        try namespace.ip("link", "add", "left", "type", "veth", "peer", "name", "right")
        try namespace.ip("address", "add", "192.0.2.1/24", "dev", "left")
        try namespace.ip("address", "add", "192.0.2.2/24", "dev", "right")
        var settings = EntrySettings()
        settings.include = try Pattern("(left|wan) .*")
        let source = try Source("/net/addresses", settings: settings)
        #expect(try source.addresses().ids == ["left 192.0.2.1/24"])
        try namespace.ip("link", "set", "left", "name", "wan")
        #expect(try source.isReady(isExpected: true))
        #expect(try source.addresses().ids == ["wan 192.0.2.1/24"])
        settings.include = nil
        settings.entryCountMax = 1
        #expect(try Source("/net/addresses", settings: settings).sample().sample.suppressedCount == 1)
    }

    @Test(.enabled(if: canMakeNamespaces))
    func neighboursAreThoseOfIP() throws {
        let namespace = try NetworkNamespace()
        defer { namespace.leave() }
        try namespace.ip("link", "add", "left", "type", "veth", "peer", "name", "right")
        try namespace.ip("link", "set", "left", "up")
        for (address, state) in [("192.0.2.1", "stale"), ("192.0.2.2", "permanent"), ("2001:db8::1", "noarp")] {
            try namespace.ip("neigh", "add", address, "lladdr", "02:00:00:00:00:01", "dev", "left", "nud", state)
        }
        try namespace.ip("neigh", "add", "192.0.2.9", "lladdr", "02:00:00:00:00:01", "dev", "right", "nud", "failed")
        let source = try Source("/net/neighbours")
        let message = try source.sample().message
        let interfaces = message["interfaces"]?.entries ?? []
        let all = try NetworkNamespace.json("neigh show nud all")
        #expect(interfaces.ids.sorted() == Set(all.compactMap { $0["dev"] as? String }).sorted())
        for interface in interfaces {
            let own = all.filter { $0["dev"] as? String == interface["id"]?.text }
            #expect(interface["entries"]?.number == Double(own.count))
            for state in ["INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "NOARP", "PERMANENT"] {
                let count = own.count { ($0["state"] as? [String])?.contains(state) == true }
                let field = state == "NOARP" ? "no_arp" : state.lowercased()
                #expect(interface[field]?.number == Double(count), "\(state)")
            }
        }
        let left = try #require(interfaces.first { $0["id"]?.text == "left" })
        #expect(left["stale"]?.number == 1 && left["permanent"]?.number == 1)
    }

    @Test func withAnotherProcfsThereAreNoAddresses() throws {
        let source = try CollectorUnderTest("/net/addresses", files: ["proc/net/dev": ""])
        #expect(throws: CollectError.open(errno: 2)) { try source.sample() }
    }

    @Test(.enabled(if: canMakeNamespaces))
    func aLostLinkRaisesTheAlarmOnce() throws {
        let namespace = try NetworkNamespace()
        defer { namespace.leave() }
        try namespace.ip("link", "add", "left", "type", "veth", "peer", "name", "right")
        try namespace.ip("link", "set", "left", "up")
        try namespace.ip("link", "set", "right", "up")
        var settings = EntrySettings()
        settings.exclude = try Pattern("right|hidden")
        let source = try Source("/net", settings: settings)
        var isUp = false
        for _ in 0..<500 where !isUp {
            let (sample, message) = try source.sample()
            #expect(sample.notes.isEmpty && sample.alarm == nil)
            #expect(sample.suppressedCount == 0 && message["interfaces"]?.ids.contains("right") == false)
            isUp =
                message["interfaces"]?.entries.contains {
                    $0["id"]?.text == "left" && $0["oper_state"]?.text == "OPER_UP"
                } == true
            if !isUp { usleep(10_000) }
        }
        try #require(isUp)
        // The link of a veth is lost when its peer goes down; the kernel settles that a moment later.
        try namespace.ip("link", "set", "right", "down")
        var sample = try source.sample().sample
        for _ in 0..<500 where sample.alarm == nil {
            usleep(10_000)
            sample = try source.sample().sample
        }
        #expect(sample.alarm == .linkLost && sample.notes == [Note(.warning, "left lost its link")])
        sample = try source.sample().sample
        #expect(sample.alarm == nil && sample.notes.isEmpty)
        // Neither what the owner leaves out, nor what is taken away.
        try namespace.ip("link", "add", "hidden", "type", "veth", "peer", "name", "seen")
        sample = try source.sample().sample
        #expect(sample.notes == [Note(.info, "seen appeared")] && sample.alarm == nil)
        try namespace.ip("link", "del", "left")
        sample = try source.sample().sample
        #expect(sample.notes == [Note(.info, "left vanished")] && sample.alarm == nil)
    }

    @Test func interfacesOfFilesAreFollowedToo() throws {
        let heading = "Inter-| Receive | Transmit\n face |bytes | bytes\n"
        let rest = ": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
        let source = try CollectorUnderTest("/net", files: ["proc/net/dev": heading + "eth0" + rest])
        for (name, text) in [("operstate", "up\n"), ("ifindex", "2\n")] {
            try source.root.write(text, to: "sys/class/net/eth0/\(name)")
        }
        #expect(try source.sample().sample.notes.isEmpty)
        try source.root.write("down\n", to: "sys/class/net/eth0/operstate")
        try source.root.write(heading + "eth0" + rest + "eth1" + rest, to: "proc/net/dev")
        var sample = try source.sample(after: 2).sample
        #expect(Set(sample.notes.map(\.text)) == ["eth1 appeared", "eth0 lost its link"])
        #expect(sample.alarm == .linkLost)
        try source.root.write(heading + "eth0" + rest, to: "proc/net/dev")
        sample = try source.sample(after: 2).sample
        #expect(sample.notes == [Note(.info, "eth1 vanished")] && sample.alarm == nil)
    }

    @Test func namesOfFilesHaveABound() throws {
        let rest = ": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
        let longest = String(repeating: "a", count: Limits.interfaceNameByteCountMax)
        let source = try CollectorUnderTest("/net", files: ["proc/net/dev": longest + rest + longest + "b" + rest])
        let (sample, message) = try source.sample()
        #expect(message["interfaces"]?.ids == [longest] && sample.parseErrorCount == 1)
    }
}
