import HostMetrics
import Testing

/// Texts of line after line, broken at random: no parser may trap, and what it tells keeps its promises.
struct HostileTextTests {
    private static let seeds = [
        "CPU0 CPU1 CPU7\n", " 24:  1  0  4294967295 IO-APIC 5-edge ACPI:Ged\n", "NMI: 1 2 3 Non-maskable\n", "ERR: 0\n",
        "version 15\ntimestamp 1\ncpu0 1 2 3 4 5 6 7 8 9\n", "cpu1 1 2 3 4 5 6 18446744073709551615 8 9\n",
        "Node 0 MemTotal: 18446744073709551615 kB\n", "Node 1 HugePages_Free: 3\n", "numa_hit 5\nother_node 6\n",
        "1 2 3 4 5 6 7 8 9\n", "processor : 0\ncpu MHz : 800.021\n", "\n", "-45123\n",
    ]

    private func text(_ random: inout SeededGenerator) -> [UInt8] {
        // Few texts get far without a heading.
        let isTable = Bool.random(using: &random)
        var bytes: [UInt8] = isTable ? Array(Self.seeds[0].utf8) : []
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            bytes += Array(Self.seeds[Int.random(in: 0..<Self.seeds.count, using: &random)].utf8)
        }
        for _ in 0..<Int.random(in: 0...12, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.insert(UInt8(ascii: "9"), at: index)
            default: bytes.remove(at: index)
            }
        }
        return bytes
    }

    @Test func randomTextsAreSurvived() {
        var random = SeededGenerator.announced()
        var counters = PerCPUCounters(lineCountMax: 3, filter: EntryFilter(EntrySettings()))
        var scheduler = SchedulerStatistics()
        var memory = NodeMemory()
        var node = NamedNumbers(["numa_hit", "other_node"])
        var zram = ZRAMStatistics()
        var frequencies = CPUInfoFrequencies()
        var readCount = 0
        for _ in 0..<4_000 {
            let bytes = text(&random)
            counters.parse(bytes.span)
            scheduler.parse(bytes.span)
            memory.parse(bytes.span)
            node.parse(bytes.span)
            zram.parse(bytes.span)
            frequencies.parse(bytes.span)
            _ = bytes.span.signedValue
            readCount += counters.count
            #expect(counters.count <= 3)
            for line in 0..<counters.count {
                let share = counters[line].busiestShare
                #expect(share.isNaN || share > 0 && share <= 1)
            }
            let ids = scheduler.cores.map(\.id)
            #expect(ids == ids.sorted() && Set(ids).count == ids.count)
            #expect(!(memory[.total] < 0) && !(zram[.original] < 0) && !((frequencies.hertz(of: 0) ?? 1) <= 0))
        }
        // Not all of them are beyond reading.
        #expect(readCount > 500)
    }
}
