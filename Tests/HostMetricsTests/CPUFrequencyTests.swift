import HostMetrics
import Testing

struct CPUFrequencyTests {
    private func host(settings: EntrySettings = EntrySettings()) throws -> CollectorUnderTest {
        let host = try CollectorUnderTest("/cpu/frequency", settings: settings)
        try host.write("cpu  1 1 1 1\ncpu0 1 1 1 1\ncpu2 1 1 1 1\n", to: "proc/stat")
        return host
    }

    private func writeCPU(_ id: Int, current: String, _ host: CollectorUnderTest) throws {
        let folder = "sys/devices/system/cpu/cpu\(id)/cpufreq"
        try host.write(current, to: "\(folder)/scaling_cur_freq")
        try host.write("400000\n", to: "\(folder)/scaling_min_freq")
        try host.write("4200000\n", to: "\(folder)/scaling_max_freq")
        try host.write("powersave\n", to: "\(folder)/scaling_governor")
    }

    private func frequencies(_ text: String) -> CPUInfoFrequencies {
        var frequencies = CPUInfoFrequencies()
        frequencies.parse(Array(text.utf8).span)
        return frequencies
    }

    @Test func cpuinfoTellsMegahertzByProcessor() {
        var frequencies = frequencies(
            "processor\t: 3\ncpu MHz\t\t: 800.021\n\nprocessor\t: 1\nmodel: x\ncpu MHz : 2000\ncpu MHz : 1\n")
        #expect(frequencies.hertz(of: 1) == 2e9)
        #expect(abs((frequencies.hertz(of: 3) ?? 0) - 800_021_000) < 1)
        #expect(frequencies.hertz(of: 0) == nil && frequencies.parseErrorCount == 0)
    }

    @Test(arguments: [
        ("processor : 0\ncpu MHz : 1x\n", 1), ("processor : 0\ncpu MHz : -5\n", 1), ("processor : 0\ncpu MHz :\n", 1),
        ("processor : 0\ncpu MHz : 0.000\n", 1), ("processor : 0\ncpu MHz : 5 6\n", 1), ("cpu MHz : 5\n", 0),
        ("processor : x\ncpu MHz : 5\n", 0), ("processor : 0\n\ncpu MHz : 5\n", 0), ("", 0),
        ("processor : 0\ncpu MHz : nan\n", 1),
    ])
    func whatIsNoFrequencyIsNotTold(text: String, errorCount: Int) {
        var frequencies = frequencies(text)
        #expect(frequencies.isEmpty && frequencies.hertz(of: 0) == nil)
        #expect(frequencies.parseErrorCount == errorCount)
    }

    @Test func asManyProcessorsAreReadAsThereMayBe() {
        let lines = (0..<8_193).map { "processor : \($0)\ncpu MHz : \($0 + 1)\n" }
        var frequencies = frequencies(lines.joined())
        #expect(frequencies.hertz(of: 8_191) == 8_192e6 && frequencies.hertz(of: 8_192) == nil)
    }

    @Test(arguments: [32, 33])
    func aGovernorsNameHasABound(byteCount: Int) throws {
        let host = try host()
        try writeCPU(0, current: "1000\n", host)
        let name = String(repeating: "g", count: byteCount) + "\n"
        try host.write(name, to: "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
        #expect(try host.sample().1["cpus[0].governor"]?.text?.count == 32)
    }

    @Test func withoutAnySourceThereIsNoChannel() throws {
        let host = try host()
        try host.write("processor : 0\nmodel name : x\n", to: "proc/cpuinfo")
        #expect(throws: CollectError.open(errno: 2)) { try host.start() }
        try host.remove("proc/stat")
        #expect(throws: CollectError.open(errno: 2)) { try host.start() }
    }

    @Test func eachCPUTellsBySysfsOrElseByCpuinfo() throws {
        let host = try host()
        try writeCPU(0, current: "1000000\n", host)
        try host.write("processor : 0\ncpu MHz : 9\n\nprocessor : 2\ncpu MHz : 3000.5\n", to: "proc/cpuinfo")
        let (sample, message) = try host.sample()
        #expect(message.ids("cpus") == ["0", "2"] && sample.entryCount == 2 && sample.parseErrorCount == 0)
        #expect(message["cpus[0].current_hertz"]?.number == 1e9)
        #expect(
            message["cpus[0].min_limit_hertz"]?.number == 4e8 && message["cpus[0].max_limit_hertz"]?.number == 4.2e9)
        #expect(message["cpus[0].governor"]?.text == "powersave")
        #expect(message["cpus[1].current_hertz"]?.number == 3_000_500_000)
        #expect(message["cpus[1].min_limit_hertz"]?.isNaN == true && message["cpus[1].governor"]?.text == "")
        #expect(message["average_hertz"]?.number == 2_000_250_000)
        #expect(message["maximum_hertz"]?.number == 3_000_500_000)
    }

    @Test(arguments: [("<unknown>\n", 0), ("-1\n", 1), ("0\n", 1), ("", 0), ("18446744073709551616", 1), ("12 13", 1)])
    func whatSysfsCannotTellIsNaN(text: String, errorCount: Int) throws {
        let host = try host()
        try writeCPU(0, current: text, host)
        try writeCPU(2, current: "5000\n", host)
        let (sample, message) = try host.sample()
        #expect(message["cpus[0].current_hertz"]?.isNaN == true && message["average_hertz"]?.number == 5e6)
        #expect(sample.parseErrorCount == errorCount)
        try writeCPU(2, current: "<unknown>\n", host)
        #expect(throws: CollectError.nothingUsable) { try host.sample() }
    }

    @Test func limitsAreLookedAtEveryTenSecondsOrWhenOtherCPUsAreOnline() throws {
        let host = try host()
        try writeCPU(0, current: "1000000\n", host)
        try writeCPU(2, current: "1000000\n", host)
        try host.sample()
        try host.write("performance\n", to: "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
        #expect(try host.sample(after: 9.9).1["cpus[0].governor"]?.text == "powersave")
        #expect(try host.sample(after: 0.1).1["cpus[0].governor"]?.text == "performance")
        try host.write("500\n", to: "sys/devices/system/cpu/cpu0/cpufreq/scaling_min_freq")
        try host.write("cpu  1 1 1 1\ncpu0 1 1 1 1\n", to: "proc/stat")
        let (_, message) = try host.sample()
        #expect(message.ids("cpus") == ["0"] && message["cpus[0].min_limit_hertz"]?.number == 500_000)
    }

    @Test func aKernelThatSleepsIsAskedThreeTimesAndThenNoMore() throws {
        let host = try host()
        try writeCPU(0, current: "1000000\n", host)
        try writeCPU(2, current: "1000000\n", host)
        try host.write("processor : 0\ncpu MHz : 9\n\nprocessor : 2\ncpu MHz : 7\n", to: "proc/cpuinfo")
        func current() throws -> [Double?] {
            let (sample, message) = try host.sample()
            noteCount += sample.notes.count
            return [message["cpus[0].current_hertz"]?.number, message["cpus[1].current_hertz"]?.number]
        }
        var noteCount = 0
        host.nanosecondsPerLook = 500_000
        for _ in 0..<5 { #expect(try current() == [1e9, 1e9]) }
        host.nanosecondsPerLook = 500_001
        // What was read slowly is told; the rest is not asked.
        for _ in 0..<2 { #expect(try current() == [1e9, 7e6]) }
        host.nanosecondsPerLook = 0
        #expect(try current() == [1e9, 1e9])
        host.nanosecondsPerLook = 500_001
        #expect(noteCount == 0)
        for _ in 0..<3 { #expect(try current() == [1e9, 7e6]) }
        #expect(noteCount == 1)
        host.nanosecondsPerLook = 0
        for _ in 0..<3 { #expect(try current() == [9e6, 7e6]) }
        #expect(noteCount == 1)
    }

    @Test func slowIsBetterThanNothing() throws {
        let host = try host()
        try writeCPU(0, current: "1000000\n", host)
        try writeCPU(2, current: "2000000\n", host)
        host.nanosecondsPerLook = 30_000_000
        for _ in 0..<5 {
            let (sample, message) = try host.sample()
            #expect(message["cpus[1].current_hertz"]?.number == 2e9 && sample.notes.isEmpty)
        }
    }

    @Test func onlyWhatTheOwnerWantsIsRead() throws {
        var settings = EntrySettings()
        settings.exclude = try Pattern("0|1.*")
        settings.entryCountMax = 1
        let host = try host(settings: settings)
        try host.write("cpu0 1 1 1 1\ncpu2 1 1 1 1\ncpu3 1 1 1 1\ncpu12 1 1 1 1\n", to: "proc/stat")
        for id in [0, 2, 3, 12] { try writeCPU(id, current: "\(id + 1)000\n", host) }
        let (sample, message) = try host.sample()
        #expect(message.ids("cpus") == ["2"] && sample.suppressedCount == 1)
        #expect(message["average_hertz"]?.number == 3e6)
    }
}
