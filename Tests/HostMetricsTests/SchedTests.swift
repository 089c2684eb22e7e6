import HostMetrics
import Testing

struct SchedTests {
    private func parse(_ text: String) -> SchedulerStatistics {
        var statistics = SchedulerStatistics()
        statistics.parse(Array(text.utf8).span)
        return statistics
    }

    private static let domains = "domain0 03 1 2 3 4\n"

    @Test(arguments: ["15", "16", "17"])
    func theFieldsAreThoseOfTheVersion(version: String) {
        let domain = version == "17" ? "domain0 MC 03 1 2 3\n" : Self.domains
        let statistics = parse(
            "version \(version)\ntimestamp 4\ncpu0 1 0 3 4 5 6 7000 8000 9\n\(domain)cpu3 0 0 0 0 0 0 17 18 19 20\n"
        )
        #expect(statistics.cores.map(\.id) == [0, 3])
        #expect(statistics.cores.map(\.runNanoseconds) == [7_000, 17])
        #expect(statistics.cores.map(\.waitNanoseconds) == [8_000, 18])
        #expect(statistics.cores.map(\.timeslices) == [9, 19])
        #expect(statistics.parseErrorCount == 0)
    }

    @Test(arguments: ["version 14\n", "version x\n", "version\n", "", "timestamp 1\nversion 15\n"])
    func otherVersionsAreNotRead(heading: String) {
        let statistics = parse(heading + "cpu0 1 2 3 4 5 6 7 8 9\n")
        #expect(statistics.cores.isEmpty && statistics.parseErrorCount == 1)
    }

    @Test(arguments: [
        "cpu1 1 2 3 4 5 6 7 8", "cpu1 1 2 3 4 5 6 -7 8 9", "cpu 1 2 3 4 5 6 7 8 9", "cpu100000 1 2 3 4 5 6 7 8 9",
        "cpux 1 2 3 4 5 6 7 8 9", "cpu0 1 2 3 4 5 6 7 8 9", "cpu1",
    ])
    func badLinesAreLeftOut(line: String) {
        let statistics = parse("version 15\ncpu0 1 2 3 4 5 6 7 8 9\n\(line)\ncpu2 1 2 3 4 5 6 7 8 9\n")
        #expect(statistics.cores.map(\.id) == [0, 2] && statistics.parseErrorCount == 1)
    }

    @Test func asManyCPUsAreReadAsThereMayBe() {
        let lines = (0..<8_193).map { "cpu\($0) 1 2 3 4 5 6 7 8 9\n" }
        #expect(parse("version 15\n" + lines.joined()).cores.count == 8_192)
    }

    private func write(_ first: String, _ second: String?, _ host: CollectorUnderTest) throws {
        let last = second.map { "cpu2 0 0 0 0 0 0 \($0)\n\(Self.domains)" } ?? ""
        try host.write(
            "version 15\ntimestamp 1\ncpu0 0 0 0 0 0 0 \(first)\n\(Self.domains)\(last)", to: "proc/schedstat")
    }

    @Test func sharesAreOfTheTimeThatPassed() throws {
        let host = try CollectorUnderTest("/cpu/sched")
        #expect(throws: CollectError.open(errno: 2)) { try host.start() }
        try write("1000000000 500000000 10", "3000000000 1 2", host)
        let (first, before) = try host.sample()
        #expect(first.intervalSeconds.isNaN && before.ids("cores") == ["0", "2"])
        #expect(
            before["cores[0].run_seconds_total"]?.number == 1 && before["cores[0].timeslices_total"] == .unsigned(10))
        #expect(before["cores[0].run_ratio"]?.isNaN == true)
        // CPU 2 goes offline and comes back.
        try write("2500000000 3500000000 30", nil, host)
        let (_, middle) = try host.sample(after: 2)
        #expect(middle.ids("cores") == ["0"] && middle["cores[0].run_ratio"]?.number == 0.75)
        #expect(middle["cores[0].wait_ratio"]?.number == 1.5 && middle["cores[0].timeslices_per_second"]?.number == 10)
        try write("2500000000 3500000000 30", "3000000000 1 2", host)
        let (_, back) = try host.sample()
        #expect(back["cores[0].run_ratio"]?.number == 0 && back["cores[1].run_ratio"]?.isNaN == true)
        try write("3000000000 3500000000 30", "1 1 2", host)
        let (sample, reset) = try host.sample()
        #expect(sample.resetCount == 1 && reset["cores[1].run_ratio"]?.isNaN == true)
        #expect(reset["cores[0].run_ratio"]?.number == 0.5)
    }

    @Test(arguments: [("x86_64", true), ("armv7l", false)])
    func timeslicesWrapWhereWordsHave32Bits(machine: String, isReset: Bool) throws {
        let host = try CollectorUnderTest("/cpu/sched", machine: machine)
        try write("5 5 4294967295", nil, host)
        try host.sample()
        try write("1000000005 5 9", nil, host)
        let (sample, message) = try host.sample()
        #expect(sample.resetCount == (isReset ? 1 : 0) && message["cores[0].run_ratio"]?.number == 1)
        #expect(message["cores[0].timeslices_per_second"]?.isNaN == isReset)
        #expect(isReset || message["cores[0].timeslices_per_second"]?.number == 10)
    }

    @Test func withoutCPUsThereIsNothingToTell() throws {
        let host = try CollectorUnderTest("/cpu/sched")
        try host.write("version 15\ntimestamp 1\n", to: "proc/schedstat")
        #expect(throws: CollectError.nothingUsable) { try host.sample() }
    }
}
