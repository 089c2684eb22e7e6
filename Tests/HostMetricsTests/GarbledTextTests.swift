import HostMetrics
import Testing

/// Kernel texts with bytes exchanged, doubled and cut off at random: nothing traps, nothing grows without bound.
struct GarbledTextTests {
    private static let texts = [
        "8 0 sda 100 10 2000 400 50 5 800 600 2 3000 9000 7 1 64 30 4 20\n8 1 sda1 1 2 3 4\n"
            + "253 0 dm-0 1 2 3 4 5 6 7 8 9 10 11\n",
        "nr_free_pages 5\npgpgin 10\npgpgout 20\noom_kill 1\n",
        "some avg10=1.50 avg60=0.80 avg300=0.55 total=9\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        "md8 : active raid1 sdb1[1] sda1[0](F)\n      195310144 blocks [2/1] [U_]\n"
            + "      [=>...]  resync =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec\n",
        "rpc 500 3 7\nproc3 5 1 2 3 4 5\nth 8 0\nproc4ops 3 1 2 3\n",
    ]

    @Test func theyAreSurvived() {
        var generator = SeededGenerator.announced()
        var disks = DiskTable(DiskSelection(EntrySettings()))
        var numbers = NamedNumbers(["pgpgin", "pgpgout", "oom_kill"])
        var stalls = PressureStalls()
        var raid = RAIDStatus()
        var rpc = RPCStatistics()
        for _ in 0..<2_000 {
            let text = Self.garbled(&generator)
            disks.parse(text.span)
            numbers.parse(text.span)
            stalls.parse(text.span)
            raid.parse(text.span)
            rpc.parse(text.span)
            let lineCount = text.count { $0 == UInt8(ascii: "\n") } + 1
            #expect(disks.entries.count <= lineCount && raid.arrays.count <= lineCount)
            #expect(Set(disks.entries.map(\.name)).count == disks.entries.count)
            #expect(Set(raid.arrays.map(\.name)).count == raid.arrays.count)
        }
    }

    private static func garbled(_ generator: inout SeededGenerator) -> [UInt8] {
        var text = Array((texts.randomElement(using: &generator) ?? "").utf8)
        let alphabet = Array("0123456789 \n\t[]()/=:_-.xU\u{0}\u{7F}".utf8) + [0x80, 0xFF]
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            let index = Int.random(in: 0..<text.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: text[index] = alphabet.randomElement(using: &generator) ?? 0
            case 1: text.insert(alphabet.randomElement(using: &generator) ?? 0, at: index)
            case 2: text.append(contentsOf: text[index...])
            default: text.removeLast(text.count - index - 1)
            }
        }
        return text
    }
}
