package import Telemetry

/// A token bucket: so many events at once, and so many per second in the long run.
package struct RateLimit: Sendable {
    package let perSecond: Double
    package let burst: Double
    private var tokens: Double
    private var last: Instant?

    package init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
        tokens = burst
    }

    /// Takes one event; returns false if it is one too many.
    package mutating func allow(now: Instant) -> Bool {
        if let last { tokens = min(burst, tokens + now.seconds(since: last) * perSecond) }
        last = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
