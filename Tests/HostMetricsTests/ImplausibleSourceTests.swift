import HostMetrics
import Testing

/// What sources tell that cannot be so, each of it found by ``SourceFuzzTests``.
struct ImplausibleSourceTests {
    @Test(arguments: [(-1, "errno -1"), (.min, "errno -2147483648"), (9_999, "errno 9999"), (0, "errno 0")])
    func anErrorWithoutANameIsToldByItsNumber(code: Int32, name: String) {
        var text: [UInt8] = []
        ErrnoValue(code: code).describe(into: &text)
        #expect(String(decoding: text, as: UTF8.self) == name)
    }

    /// Files by path, each with a text that tells of the whole, and one of a trifle more.
    @Test(arguments: [
        ("/power", "sys/class/power_supply/BAT9/capacity", "100", "101", "supplies[0].capacity_ratio"),
        ("/thermal", "sys/class/thermal/cooling_device0/cur_state", "3", "4", "cooling[0].state_ratio"),
        ("/pressure", "proc/pressure/io", "some avg10=100.00", "some avg10=100.01", "io.some_avg10_ratio"),
        ("/memory/compressed", "sys/block/zram0/mm_stat", "9 9 9", "9 10 10", "zram[0].compressed_ratio"),
        (
            "/gpu", "sys/class/drm/card0/device/mem_info_vram_used", "4294967296", "4294967297",
            "gpus[0].memory_used_ratio"
        ),
    ])
    func moreThanTheWholeIsUnknown(
        topic: String, path: String, whole: String, more: String, ratio: String
    ) throws {
        let rest = path.hasPrefix("proc/pressure") ? " avg60=0.00 avg300=0.00 total=1" : ""
        let source = try CollectorUnderTest(topic, files: ExtraSources.files)
        for (text, isKnown) in [(whole, true), (more, false)] {
            try source.root.write("\(text)\(rest)\n", to: path)
            let value = try #require(try source.sample().message[ratio]?.number)
            #expect(isKnown ? value == 1 : value.isNaN, "\(text): \(value)")
        }
    }

    @Test(arguments: [
        ("/system/info", "proc/sys/kernel/hostname", "", "hostname", 256),
        ("/system/info", "etc/os-release", "ID=", "os_id", 256),
        ("/system/info", "proc/cpuinfo", "model name\t: ", "cpu_model", 8_192),
        ("/system/info", "run/systemd/container", "", "container", 256),
        ("/gpu", "sys/class/drm/card0/device/product_name", "", "gpus[0].name", 256),
        ("/processes", "proc/1/stat", "1 (", "top[0].name", 64),
    ])
    func longNamesAreCut(topic: String, path: String, before: String, field: String, byteCountMax: Int) throws {
        var files = ExtraSources.files.filter { topic != "/processes" || !$0.key.hasPrefix("proc/2/") }
        files = files.filter { topic != "/processes" || !$0.key.hasPrefix("proc/717/") }
        files["proc/stat"] = "cpu  1 2 3 4\ncpu0 1 2 3 4\nbtime 1000\n"
        let source = try CollectorUnderTest(topic, files: files)
        let after = path.hasSuffix("stat") ? ") S 1 1 1 0 -1 0 0 0 0 0 700 300 0 0 20 0 4 0 5000 1000000 250" : ""
        for length in [byteCountMax, byteCountMax + 1, 20_000] {
            try source.root.write(before + String(repeating: "n", count: length) + after + "\n", to: path)
            let text = try #require(try source.sample(after: 20).message[field]?.text)
            #expect(text == String(repeating: "n", count: byteCountMax))
        }
    }

    @Test func longNamesOfChipsAreCut() throws {
        let source = try CollectorUnderTest("/sensors", files: ["sys/class/hwmon/hwmon0/temp1_input": "40000\n"])
        try source.root.write(String(repeating: "n", count: 20_000) + "\n", to: "sys/class/hwmon/hwmon0/name")
        let chip = try #require(try source.sample().message["temperatures[0].chip"]?.text)
        #expect(chip == String(repeating: "n", count: 256) + "-virtual-0")
    }

    @Test func moreThreadsThanNumbersIsUnknown() throws {
        let source = try CollectorUnderTest("/processes", files: ExtraSources.files)
        // Three processes of four threads each.
        for (limit, ratio) in [("24", 0.5), ("12", 1), ("11", .nan), ("0", .nan)] {
            try source.root.write(limit + "\n", to: "proc/sys/kernel/pid_max")
            let value = try #require(try source.sample(after: 10).message["pid_used_ratio"]?.number)
            #expect(ratio.isNaN ? value.isNaN : value == ratio, "\(limit): \(value)")
        }
    }

    @Test func aStallThatIsNotKnownIsNotTheWholeTime() throws {
        let source = try CollectorUnderTest("/fast", files: ExtraSources.files)
        _ = try source.sample()
        #expect(try source.sample().message["cpu_stall_ratio"]?.number == 0)
        try source.root.write("some avg10=x\n", to: "proc/pressure/cpu")
        let (sample, message) = try source.sample()
        #expect(message.isNaN("cpu_stall_ratio") && sample.parseErrorCount > 0)
    }

    @Test func countsOfMemoryErrorsThatAreNoneAreTold() throws {
        let source = try CollectorUnderTest("/edac", files: ExtraSources.files)
        #expect(try source.sample().sample.parseErrorCount == 0)
        try source.root.write("x\n", to: "sys/devices/system/edac/mc/mc0/ce_count")
        let (sample, message) = try source.sample()
        #expect(sample.parseErrorCount == 1 && message.ids("controllers") == ["mc1"])
    }

    @Test(arguments: [
        ("/mnt/a\nb\u{7F} is mounted", "/mnt/a?b? is mounted"), (String(repeating: "é", count: 501), nil),
        ("grün", "grün"),
    ])
    func aNoteIsOneShortLine(written: String, kept: String?) {
        #expect(Note(.info, written).text == kept ?? String(repeating: "é", count: 500))
    }

    @Test(arguments: [(21, 2), (22, 1), (20_000, 1)])
    func aLongNameLeavesRoomForOthers(byteCount: Int, entryCount: Int) throws {
        let line = "192.168.1.1  0x1  0x2  aa:bb:cc:dd:ee:ff  *  "
        let name = String(repeating: "n", count: byteCount)
        let source = try CollectorUnderTest(
            "/net/neighbours", files: ["proc/net/arp": "IP address\n\(line)\(name)\n\(line)eth0\n"])
        let (sample, message) = try source.sample()
        #expect(message.ids("interfaces").last == "eth0" && sample.entryCount == entryCount)
        #expect(sample.parseErrorCount == 2 - entryCount)
    }

    @Test(arguments: [(4_096, 4_096, 64, true), (4_097, 1, 1, false), (1, 4_097, 1, false), (1, 1, 65, false)])
    func mountsWithLongTextsAreNone(point: Int, source: Int, type: Int, isOne: Bool) {
        func text(_ count: Int) -> String { String(repeating: "n", count: count) }
        let line = "20 1 8:1 / /\(text(point - 1)) rw - \(text(type)) \(text(source)) rw\n"
        let table = MountTable(parsing: Array(line.utf8).span, rootfs: "/")
        #expect(table.mounts.count == (isOne ? 1 : 0) && table.parseErrorCount == (isOne ? 0 : 1))
    }

    @Test func howLongToChargeIsUnknownWithoutACapacity() {
        var battery = PowerSupplyProperties()
        battery.energyJoules = 100
        battery.watts = 10
        battery.derive(.charging)
        #expect(battery.secondsToFull.isNaN)
        for (full, seconds) in [(150.0, 5.0), (90, 0)] {
            battery.secondsToFull = .nan
            battery.energyFullJoules = full
            battery.derive(.charging)
            #expect(battery.secondsToFull == seconds)
        }
    }

    /// The time for each byte must not grow with their number.
    @Test func aNameOfAMebibyteIsReadAtOnce() throws {
        let source = try CollectorUnderTest("/rapl", files: ExtraSources.files)
        let name = String(repeating: "n", count: 1 << 20)
        try source.root.write(name + "\n", to: "sys/class/powercap/intel-rapl:7/name")
        let duration = try ContinuousClock().measure { _ = try source.sample() }
        #expect(duration < .seconds(5))
    }
}
