import HostMetrics
import Testing

struct CompressedMemoryTests {
    private func statistics(_ text: String) -> ZRAMStatistics {
        var statistics = ZRAMStatistics()
        statistics.parse(Array(text.utf8).span)
        return statistics
    }

    @Test func columnsGrewMore() {
        let old = statistics("  1000  200  300  0  400  5  6\n")
        #expect(old[.original] == 1_000 && old[.usedMax] == 400 && old[.samePages] == 5 && old[.hugePages].isNaN)
        let new = statistics("1 2 3 4 5 6 7 8 9\n")
        #expect(new[.hugePages] == 8 && new.parseErrorCount == 0)
        let bad = statistics("1 -2 3")
        #expect(bad[.compressed].isNaN && bad[.used] == 3 && bad.parseErrorCount == 1)
        #expect(statistics("")[.original].isNaN)
    }

    @Test func devicesAreTold() throws {
        let host = try CollectorUnderTest("/memory/compressed")
        #expect(throws: CollectError.open(errno: 2)) { try host.start() }
        try host.write("8192000\n", to: "sys/block/zram1/disksize")
        try host.write("4096000 1024000 1100000 2000000 1200000 10 3 20 0\n", to: "sys/block/zram1/mm_stat")
        try host.write("0\n", to: "sys/block/zram0/disksize")
        try host.write("0 0 0 0 0 0 0\n", to: "sys/block/zram0/mm_stat")
        try host.write("5\n", to: "sys/block/sda/disksize")
        let (sample, message) = try host.sample()
        #expect(message.ids("zram") == ["zram0", "zram1"] && sample.entryCount == 2)
        let values = [
            "disk": 8_192_000, "original": 4_096_000, "compressed": 1_024_000, "used": 1_100_000, "limit": 2_000_000,
            "used_max": 1_200_000, "same_filled": 40_960, "incompressible": 81_920,
        ]
        for (name, value) in values { #expect(message["zram[1].\(name)_bytes"]?.number == Double(value), "\(name)") }
        #expect(message["zram[1].compressed_ratio"]?.number == 0.25)
        #expect(message["zram[0].compressed_ratio"]?.isNaN == true && message["zram[0].limit_bytes"]?.isNaN == true)
        #expect(message["zram[0].incompressible_bytes"]?.isNaN == true && message["zram[0].used_bytes"]?.number == 0)
        #expect(message["ksm_state"]?.text == "KSM_UNKNOWN" && message["ksm_shared_bytes"]?.isNaN == true)
    }

    @Test func pagesThatAreAlikeAreTold() throws {
        let host = try CollectorUnderTest("/memory/compressed")
        let folder = "sys/kernel/mm/ksm"
        for (name, value) in [
            ("pages_shared", "1"), ("pages_sharing", "2"), ("pages_unshared", "3"), ("pages_volatile", "4"),
            ("ksm_zero_pages", "5"), ("general_profit", "-4096"), ("full_scans", "7"),
        ] { try host.write(value + "\n", to: "\(folder)/\(name)") }
        for (run, state) in [("0", "KSM_STOPPED"), ("1", "KSM_RUNNING"), ("2", "KSM_UNMERGING"), ("3", "KSM_UNKNOWN")] {
            try host.write(run + "\n", to: "\(folder)/run")
            #expect(try host.sample().1["ksm_state"]?.text == state)
        }
        let (_, message) = try host.sample()
        for (index, name) in ["shared", "sharing", "unshared", "volatile", "zero"].enumerated() {
            #expect(message["ksm_\(name)_bytes"]?.number == Double(4_096 * (index + 1)), "\(name)")
        }
        #expect(message["ksm_profit_bytes"]?.number == -4_096 && message["ksm_full_scans_total"] == .unsigned(7))
        try host.write("x\n", to: "\(folder)/general_profit")
        try host.remove("\(folder)/ksm_zero_pages")
        let (_, older) = try host.sample()
        #expect(older["ksm_profit_bytes"]?.isNaN == true && older["ksm_zero_bytes"]?.isNaN == true)
        try host.remove("\(folder)/run")
        #expect(throws: CollectError.nothingUsable) { try host.sample() }
    }

    @Test func aDeviceMayComeAndGo() throws {
        let host = try CollectorUnderTest("/memory/compressed")
        try host.write("1\n", to: "sys/kernel/mm/ksm/run")
        #expect(try host.sample().1.ids("zram") == [])
        try host.write("10\n", to: "sys/block/zram3/disksize")
        let (_, message) = try host.sample(after: 10)
        #expect(message.ids("zram") == ["zram3"] && message["zram[0].used_bytes"]?.isNaN == true)
        try host.remove("sys/block/zram3/disksize")
        #expect(try host.sample().1.ids("zram") == [])
        try host.write("x\n", to: "sys/block/zram3/disksize")
        let (sample, back) = try host.sample()
        #expect(back["zram[0].disk_bytes"]?.isNaN == true && sample.parseErrorCount == 1)
    }
}
