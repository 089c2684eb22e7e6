import CAllocationCounter
import Glibc
import HostMetrics
import Telemetry

/// What a sample costs beyond the kernel's own work, and whether it allocates.
///
/// sampling-benchmark                     time beside the bare reads of the same sources, hot and cold
/// sampling-benchmark --table [HOST...]   size, time and allocations of a sample of each channel, in Markdown
/// sampling-benchmark --table --only TOPIC
///                                        one line of it, for this machine
/// sampling-benchmark --allocations N [HOST...]
///                                        allocations over N samples of each channel; exit status 1 if there are more
///                                        than may be
/// sampling-benchmark --loop [N]          N ticks of the channels that are compared with bare reads, for a profiler
///
/// HOST is a folder that benchmarks/made-up-hosts made, in the place of this machine; `.` is this machine.
@main
enum Benchmark {
    /// Channels that are due together, tick by tick.
    private struct Job {
        var name: String
        var ticks: [[String]]
    }

    private static let topics = SampledHost.sources.map(\.topic)

    /// Ten ticks of 100 ms, as the default rates have it; `/load` is due in every fifth second and counts as never.
    private static let second = Job(
        name: "a second at the default rates",
        ticks: (0..<10).map { tick in
            ["/cpu", "/kernel", "/net"] + (tick.isMultiple(of: 2) ? ["/memory"] : [])
                + (tick.isMultiple(of: 5) ? ["/cpu/cores"] : []) + (tick == 0 ? ["/system/uptime"] : [])
        })

    static func main() {
        var arguments = CommandLine.arguments.dropFirst()
        switch arguments.popFirst() {
        case nil: compareAll()
        case "--table":
            if arguments.count == 2, arguments.first == "--only", let topic = arguments.last {
                return Table.printRows(of: name(of: "."), SampledHost(topics: [topic]))
            }
            printTable(of: arguments.isEmpty ? ["."] : Array(arguments))
        case "--allocations":
            guard let count = arguments.popFirst().flatMap({ Int($0) }), count > 0 else { fallthrough }
            exit(checkAllocations(of: arguments.isEmpty ? ["."] : Array(arguments), over: count) ? 0 : 1)
        case "--loop": loop(arguments.first.flatMap { Int($0) } ?? .max)
        default:
            print("usage: sampling-benchmark [--table [HOST...] | --allocations N [HOST...] | --loop [N]]")
            exit(2)
        }
    }

    private static func compareAll() {
        compare(second, rounds: 5_000)
        compare(Job(name: "one tick of all channels", ticks: [topics]), rounds: 20_000)
        for topic in topics { compare(Job(name: topic, ticks: [[topic]]), rounds: 10_000) }
        compare(Job(name: "one tick of all channels, 10 ms apart", ticks: [topics]), rounds: 500, pause: 10_000_000)
    }

    private static func loop(_ count: Int) {
        let host = SampledHost(topics: topics)
        let indices = Array(host.topics.indices)
        for _ in 0..<count { host.sample(indices) }
    }

    /// "server" of ".../server".
    private static func name(of host: String) -> String {
        host == "." ? "this machine" : host.split(separator: "/").last.map { String($0) } ?? host
    }

    private static func printTable(of hosts: [String]) {
        Table.printHead()
        for host in hosts { Table.printRows(of: name(of: host), SampledHost(root: host == "." ? nil : host)) }
    }

    private static func checkAllocations(of hosts: [String], over count: Int) -> Bool {
        var gate = AllocationGate()
        for path in hosts {
            let host = SampledHost(root: path == "." ? nil : path)
            // To open and to reserve allocates: a counter that saw nothing of it is not in place.
            precondition(allocation_count() > 100)
            gate.check(name(of: path), host, sampleCount: count)
        }
        return gate.failureCount == 0
    }

    private static func compare(_ job: Job, rounds: Int, pause: Int = 0) {
        let host = SampledHost(topics: topics)
        let ticks = job.ticks.map { due in due.compactMap { host.topics.firstIndex(of: $0) } }
        let bare = BareReads()
        // Each source once per tick, however many channels it feeds.
        let reads = job.ticks.map { due in
            SampledHost.Source.allCases.filter { source in
                SampledHost.sources.contains { due.contains($0.topic) && $0.sources.contains(source) }
            }
        }
        func sample() { for due in ticks { host.sample(due) } }
        func read() { for sources in reads { for source in sources { bare.read(source) } } }
        for _ in 0..<200 {
            sample()
            read()
        }
        var whole: [Double] = []
        var alone: [Double] = []
        for round in 0..<rounds {
            // Either comes first as often, so that neither always finds the caches as the other left them.
            if round.isMultiple(of: 2) { whole.append(microseconds(after: pause, sample)) }
            alone.append(microseconds(after: pause, read))
            if !round.isMultiple(of: 2) { whole.append(microseconds(after: pause, sample)) }
        }
        let (sampled, bareReads) = (median(whole), median(alone))
        print(
            "\(job.name): collect + parse + encode \(rounded(sampled)) us, bare reads \(rounded(bareReads)) us,",
            "ratio \(rounded(sampled / bareReads)) (p50 of \(rounds) rounds)")
    }

    private static func microseconds(after pause: Int, _ body: () -> Void) -> Double {
        if pause > 0 {
            var time = timespec(tv_sec: 0, tv_nsec: pause)
            unsafe _ = nanosleep(&time, nil)
        }
        // CPU time would need a system call; nothing else runs here, and the median leaves out what came between.
        let start = SystemClock.monotonic()
        body()
        return SystemClock.monotonic().seconds(since: start) * 1e6
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}
