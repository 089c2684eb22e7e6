import CAllocationCounter
import HostMetrics
import Telemetry

/// Counts what samples allocate in steady state, which must be nothing.
struct AllocationGate {
    /// Where nothing is not possible.
    private struct Exception {
        var topic: String
        var perSampleMax: Double
        var reason: String
        /// Hosts that are made of files have no libraries to ask, and no processes that come.
        var isForThisMachineOnly = true
    }

    private static let exceptions = [
        Exception(topic: "/sensors", perSampleMax: 100, reason: "libsensors opens a stream for each value"),
        Exception(topic: "/gpu", perSampleMax: 100, reason: "what NVIDIA's library does"),
        Exception(topic: "/systemd", perSampleMax: 10_000, reason: "sd-bus makes a message of each answer"),
        Exception(topic: "/processes", perSampleMax: 0.1, reason: "there may be more than ever before"),
        Exception(
            topic: "/cpu/frequency", perSampleMax: 0.1, reason: "a note, where cpufreq is slow or the machine busy",
            isForThisMachineOnly: false),
    ]

    private static let warmUpCount = 100
    private static let sampleCountMin = 100
    /// A channel gets no more time, however many samples were asked for.
    private static let secondsMax = 2.0

    private(set) var failureCount = 0

    mutating func check(_ name: String, _ host: SampledHost, sampleCount: Int) {
        for (index, registration) in host.registrations.enumerated() where !registration.isEventDriven {
            let topic = registration.channel.topic
            let (allocations, samples) = Self.count(index, host, sampleCount)
            let exception = Self.exceptions.first {
                $0.topic == topic && (host.isThisMachine || !$0.isForThisMachineOnly)
            }
            let isTooMany = Double(allocations) > Double(samples) * (exception?.perSampleMax ?? 0)
            if isTooMany { failureCount += 1 }
            let note = exception.map { "; up to \($0.perSampleMax) a sample: \($0.reason)" } ?? ""
            print(
                "\(isTooMany ? "FAILED " : "")\(name) \(topic): \(allocations) allocations in \(samples) samples\(note)"
            )
        }
    }

    private static func count(_ index: Int, _ host: SampledHost, _ sampleCount: Int) -> (UInt64, Int) {
        let one = [index]
        for _ in 0..<warmUpCount {
            host.wait(for: index)
            host.sample(one)
        }
        let before = allocation_count()
        let start = SystemClock.monotonic()
        var samples = 0
        while samples < sampleCount,
            samples < sampleCountMin || SystemClock.monotonic().seconds(since: start) < secondsMax
        {
            host.wait(for: index)
            host.sample(one)
            samples += 1
        }
        return (allocation_count() - before, samples)
    }
}
