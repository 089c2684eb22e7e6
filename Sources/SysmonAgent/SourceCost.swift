internal import HostMetrics
internal import Telemetry

/// How slow a source on the loop's thread has been of late, and what it may be asked for because of that.
///
/// What the kernel writes grows with the machine: the sums of all interrupts in /proc/stat take milliseconds on
/// hundreds of CPUs. Such a source is read more seldom, so that it takes at most ``shareMax`` of a core.
struct SourceCost {
    static let slowSeconds = 0.002
    static let shareMax = 0.02
    /// As many readings in a row decide, so that one that was interrupted does not.
    static let decisiveCount = 5

    /// Samples per second that it is limited to; nil: it is not slow.
    private(set) var hertzMax: Double?
    private var quickest = Double.infinity
    private var count = 0

    /// Takes the duration of a reading; true: ``hertzMax`` is another one now.
    mutating func record(seconds: Double) -> Bool {
        let isSlow = seconds > Self.slowSeconds
        // Once limited, half of the bound is asked for, so that it does not go back and forth.
        guard hertzMax == nil ? isSlow : seconds < Self.slowSeconds / 2 else {
            count = 0
            quickest = .infinity
            return false
        }
        count += 1
        quickest = min(quickest, seconds)
        guard count == Self.decisiveCount else { return false }
        hertzMax = hertzMax == nil ? Self.shareMax / quickest : nil
        count = 0
        quickest = .infinity
        return true
    }
}

extension Agent {
    /// Lowers the rate of a source that is slow to read, and restores it when it is not any more.
    func recordCost(seconds: Double, of index: Int, now: Instant) {
        guard let before = effectiveHertz(of: index), sources[index].cost.record(seconds: seconds),
            let after = effectiveHertz(of: index), after != before
        else { return }
        let topic = sources[index].topic
        tell(after < before ? .slowed(topic: topic, hertz: after) : .quickAgain(topic: topic))
        applyRates(now: now)
    }
}
