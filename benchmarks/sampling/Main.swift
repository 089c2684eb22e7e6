import CAllocationCounter
import Glibc
import HostMetrics
import Telemetry

/// What a sample costs beyond the kernel's own work, and whether it allocates.
///
///     sampling-benchmark                    CPU time beside the bare reads of the same sources, hot and cold
///     sampling-benchmark --allocations N    allocations over N samples of every collector; exit status 1 if there is any
@main
enum Benchmark {
    static func main() {
        let arguments = CommandLine.arguments
        if arguments.count == 3, arguments[1] == "--allocations", let count = Int(arguments[2]), count > 0 {
            exit(countAllocations(over: count) == 0 ? 0 : 1)
        }
        guard arguments.count == 1 || arguments == [arguments[0], "--loop"] else {
            print("usage: sampling-benchmark [--allocations N]")
            exit(2)
        }
        if arguments.count == 2 { loop() }
        compare(title: "hot", rounds: 20_000, pauseNanoseconds: 0)
        compare(title: "cold", rounds: 500, pauseNanoseconds: 10_000_000)
    }

    /// What a profiler is to look at.
    private static func loop() {
        var agent = SampledHost(topics: SampledHost.mainTopics)
        for _ in 0..<500_000 { agent.sampleAll() }
    }

    private static func compare(title: String, rounds: Int, pauseNanoseconds: Int) {
        var agent = SampledHost(topics: SampledHost.mainTopics)
        let bare = BareReads()
        for _ in 0..<200 {
            agent.sampleAll()
            bare.readAll()
        }
        var whole: [Double] = []
        var reads: [Double] = []
        whole.reserveCapacity(rounds)
        reads.reserveCapacity(rounds)
        for round in 0..<rounds {
            // Either comes first as often, so that neither always finds the caches as the other left them.
            if round.isMultiple(of: 2) {
                whole.append(pausedMicroseconds(pauseNanoseconds) { agent.sampleAll() })
                reads.append(pausedMicroseconds(pauseNanoseconds) { bare.readAll() })
            } else {
                reads.append(pausedMicroseconds(pauseNanoseconds) { bare.readAll() })
                whole.append(pausedMicroseconds(pauseNanoseconds) { agent.sampleAll() })
            }
        }
        let sample = median(whole)
        let read = median(reads)
        print(
            "\(title): collect + parse + encode \(rounded(sample)) us, bare reads \(rounded(read)) us,",
            "ratio \(rounded(sample / read)) (p50 of \(rounds) rounds, \(agent.byteCount) bytes per round)")
    }

    private static func pausedMicroseconds(_ pauseNanoseconds: Int, _ body: () -> Void) -> Double {
        if pauseNanoseconds > 0 {
            var pause = timespec(tv_sec: 0, tv_nsec: pauseNanoseconds)
            unsafe _ = nanosleep(&pause, nil)
        }
        let start = Clocks.threadNanoseconds()
        body()
        return Double(Clocks.threadNanoseconds() - start) / 1_000
    }

    private static func countAllocations(over count: Int) -> UInt64 {
        var agent = SampledHost(topics: nil)
        // To open and to reserve allocates: a counter that saw nothing of it is not in place.
        precondition(allocation_count() > 100)
        for _ in 0..<100 { agent.sampleAll() }
        var total: UInt64 = 0
        for index in 0..<agent.topics.count {
            let before = allocation_count()
            for _ in 0..<count { agent.sample(index) }
            let allocations = allocation_count() - before
            total += allocations
            print("\(agent.topics[index]): \(allocations) allocations in \(count) samples")
        }
        return total
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

enum Clocks {
    /// CPU time would need a system call; nothing else runs here, and the median leaves out what came between.
    static func threadNanoseconds() -> UInt64 { nanoseconds(CLOCK_MONOTONIC) }

    static func reading() -> ClockReading {
        ClockReading(
            monotonic: Instant(nanoseconds: nanoseconds(CLOCK_MONOTONIC)),
            realtime: Timestamp(unixNanoseconds: nanoseconds(CLOCK_REALTIME)))
    }

    private static func nanoseconds(_ clock: Int32) -> UInt64 {
        var time = timespec()
        unsafe _ = clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
