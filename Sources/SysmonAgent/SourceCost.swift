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
    /// Of those in a row: whether they ask for less, and the quickest of them.
    private var isRunSlow = false
    private var quickest = Double.infinity
    private var count = 0

    /// Takes the duration of a reading; true: ``hertzMax`` is another one now.
    mutating func record(seconds: Double) -> Bool {
        // Once limited, twice or half as much is asked for, so that it does not go back and forth.
        let isSlow = seconds > (hertzMax.map { 2 * Self.shareMax / $0 } ?? Self.slowSeconds)
        let isQuick = hertzMax != nil && seconds < Self.slowSeconds / 2
        if isSlow != isRunSlow || !isSlow && !isQuick { beginRun() }
        guard isSlow || isQuick else { return false }
        isRunSlow = isSlow
        count += 1
        quickest = min(quickest, seconds)
        guard count == Self.decisiveCount else { return false }
        hertzMax = isSlow ? Self.shareMax / quickest : nil
        beginRun()
        return true
    }

    private mutating func beginRun() {
        count = 0
        quickest = .infinity
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
