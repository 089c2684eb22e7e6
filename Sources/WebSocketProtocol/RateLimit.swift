package import Telemetry

/// A token bucket: so many events at once, and so many per second in the long run.
///
/// Kept as a point in time, in whole nanoseconds: no fraction of an event is lost to rounding, however often it is
/// asked.
package struct RateLimit: Sendable {
    /// What one event costs.
    private let interval: Period
    /// How far ahead of the clock the events taken may be.
    private let leadNanoseconds: UInt64
    /// When the events taken so far are made up for: the bucket is full again.
    private var fullAt = Instant(nanoseconds: 0)

    package init(perSecond: Double, burst: Double) {
        interval = Period(hertz: perSecond)
        leadNanoseconds = UInt64(max(0, burst - 1) * Double(interval.nanoseconds))
    }

    /// Takes one event, or one that counts as `cost`; returns false if it is one too many.
    package mutating func allow(now: Instant, cost: Int = 1) -> Bool {
        let start = max(fullAt, now)
        guard start.nanoseconds - now.nanoseconds <= leadNanoseconds else { return false }
        fullAt = Instant(nanoseconds: start.nanoseconds + UInt64(cost) * interval.nanoseconds)
        return true
    }
}
