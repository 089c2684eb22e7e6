/// How late the agent's timer woke it: recorded by the agent, told by `/jitter` and `/fast`.
package final class WakeupLateness {
    private let histogram = LoopCell(LatenessHistogram())
    package private(set) var lastNanoseconds: UInt64?
    package private(set) var wakeupCount: UInt64 = 0

    package func record(nanoseconds: UInt64) {
        histogram.value.record(nanoseconds: nanoseconds)
        lastNanoseconds = nanoseconds
        wakeupCount += 1
    }

    /// Of everything since the last ``reset()``, in seconds; NaN where there is nothing.
    var percentiles: (p50: Double, p99: Double, max: Double) {
        (
            Self.seconds(histogram.value.medianNanoseconds), Self.seconds(histogram.value.percentile99Nanoseconds),
            Self.seconds(histogram.value.maxNanoseconds)
        )
    }

    var lastSeconds: Double { Self.seconds(lastNanoseconds) }

    func reset() { histogram.value.reset() }

    private static func seconds(_ nanoseconds: UInt64?) -> Double { nanoseconds.map { Double($0) / 1e9 } ?? .nan }
}
