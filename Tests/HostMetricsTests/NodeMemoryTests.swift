import HostMetrics
import Testing

struct NodeMemoryTests {
    private func memory(_ text: String) -> NodeMemory {
        var memory = NodeMemory()
        memory.parse(Array(text.utf8).span)
        return memory
    }

    @Test func linesAreFoundByName() {
        let memory = memory(
            """
            Node 1 MemTotal:       24684084 kB
            Node 1 Active:          1608972 kB
            Node 1 Active(anon):       1544 kB
            Node 1 New:                   1 kB
            Node 1 HugePages_Total:     12

            """)
        #expect(memory[.total] == 24_684_084 * 1_024 && memory[.active] == 1_608_972 * 1_024)
        #expect(memory[.hugePagesTotal] == 12 && memory[.free].isNaN && memory.parseErrorCount == 0)
    }

    @Test(arguments: [
        ("Node 0 MemTotal: x kB", 1), ("Node 0 MemTotal: -1 kB", 1), ("Node 0 MemTotal:", 1), ("MemTotal: 1 kB", 1),
        ("Node x MemTotal: 1 kB", 1), ("Node 0", 0), ("Node 0 MemTotal 1 kB", 0), ("", 0), ("\n  \n", 0),
    ])
    func whatIsNoSizeIsNotTold(text: String, errorCount: Int) {
        let memory = memory(text)
        #expect(memory[.total].isNaN && memory.parseErrorCount == errorCount)
    }

    private func write(_ node: Int, total: Int, free: Int, hits: String, _ host: CollectorUnderTest) throws {
        let folder = "sys/devices/system/node/node\(node)"
        try host.write(
            "Node \(node) MemTotal: \(total) kB\nNode \(node) MemFree: \(free) kB\nNode \(node) FilePages: 3 kB\n",
            to: "\(folder)/meminfo")
        try host.write("numa_hit \(hits)\nnuma_miss 5\nnuma_foreign 6\nlocal_node 7\n", to: "\(folder)/numastat")
    }

    @Test func nodesAreTold() throws {
        let host = try CollectorUnderTest("/memory/numa")
        #expect(throws: CollectError.open(errno: 2)) { try host.start() }
        // More than one digit, so not in the order of their names; and what is no node.
        for name in ["node01", "node", "nodex", "has_memory", "node123456"] {
            try host.write("x", to: "sys/devices/system/node/\(name)/meminfo")
        }
        try write(10, total: 0, free: 0, hits: "100", host)
        try write(2, total: 1_000, free: 250, hits: "50", host)
        let (first, before) = try host.sample()
        #expect(before.ids("nodes") == ["2", "10"] && first.parseErrorCount == 0 && first.intervalSeconds.isNaN)
        #expect(before["nodes[0].used_bytes"]?.number == 768_000 && before["nodes[0].used_ratio"]?.number == 0.75)
        #expect(before["nodes[0].file_bytes"]?.number == 3_072 && before["nodes[0].slab_bytes"]?.isNaN == true)
        #expect(before["nodes[1].used_ratio"]?.isNaN == true && before["nodes[1].total_bytes"]?.number == 0)
        #expect(before["nodes[0].numa_hit_per_second"]?.isNaN == true)
        try write(10, total: 0, free: 0, hits: "160", host)
        try write(2, total: 1_000, free: 1_001, hits: "49", host)
        let (second, after) = try host.sample(after: 2)
        #expect(second.resetCount == 1 && after["nodes[0].numa_hit_per_second"]?.isNaN == true)
        #expect(after["nodes[0].used_bytes"]?.number == 0)
        #expect(
            after["nodes[1].numa_hit_per_second"]?.number == 30 && after["nodes[1].numa_hit_total"] == .unsigned(160))
        #expect(after["nodes[1].local_node_per_second"]?.number == 0)
        // Not told by this kernel.
        #expect(after["nodes[1].interleave_hit_per_second"]?.isNaN == true)
        #expect(after["nodes[1].interleave_hit_total"] == .unsigned(0))
    }

    /// A counter that is told from now on did not grow from 0.
    @Test func countersThatAreNewHaveNoRate() throws {
        let host = try CollectorUnderTest("/memory/numa")
        let file = "sys/devices/system/node/node0/numastat"
        try host.write("numa_miss 2\nnuma_hit 1\nnew 9\nnuma_hit 7\nother_node x\n", to: file)
        let (first, before) = try host.sample()
        #expect(first.parseErrorCount == 1 && before["nodes[0].numa_hit_total"] == .unsigned(1))
        #expect(before["nodes[0].other_node_total"] == .unsigned(0) && before.isNaN("nodes[0].total_bytes"))
        try host.write("numa_miss 6\nnuma_hit 4\nother_node 1000\n", to: file)
        let after = try host.sample().message
        #expect(after["nodes[0].numa_hit_per_second"]?.number == 3)
        #expect(after["nodes[0].numa_miss_per_second"]?.number == 4)
        #expect(after.isNaN("nodes[0].other_node_per_second"))
        #expect(after["nodes[0].other_node_total"] == .unsigned(1_000))
    }

    @Test func nodesComeAndGo() throws {
        let host = try CollectorUnderTest("/memory/numa")
        try write(0, total: 10, free: 1, hits: "1", host)
        try host.sample()
        try write(1, total: 20, free: 1, hits: "1", host)
        #expect(try host.sample(after: 5).1.ids("nodes") == ["0"])
        #expect(try host.sample(after: 5).1.ids("nodes") == ["0", "1"])
        for file in ["meminfo", "numastat"] { try host.remove("sys/devices/system/node/node0/\(file)") }
        #expect(try host.sample().1.ids("nodes") == ["1"])
        try host.write("Node 0 MemTotal: 7 kB\n", to: "sys/devices/system/node/node0/meminfo")
        let (_, message) = try host.sample()
        #expect(message.ids("nodes") == ["0", "1"] && message["nodes[0].total_bytes"]?.number == 7_168)
        #expect(message["nodes[0].numa_hit_per_second"]?.isNaN == true)
    }
}
