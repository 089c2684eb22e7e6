/// A point on CLOCK_MONOTONIC. Schedules, spans and time-outs are kept in this unit and in no other.
package struct Instant: Comparable, Hashable, Sendable {
    /// Nanoseconds since an arbitrary start.
    package var nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
    package static func + (left: Self, right: Period) -> Self {
        Self(nanoseconds: left.nanoseconds + right.nanoseconds)
    }

    /// The first of points that may not be set.
    package static func earliest(_ left: Self?, _ right: Self?) -> Self? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }

    /// Seconds from `earlier` to this point; 0 if `earlier` is later.
    package func seconds(since earlier: Self) -> Double {
        self > earlier ? Double(nanoseconds - earlier.nanoseconds) / 1e9 : 0
    }
}

/// A wall-clock time, as published: nanoseconds since the Unix epoch.
package struct Timestamp: Comparable, Hashable, Sendable {
    package var unixNanoseconds: UInt64
    package init(unixNanoseconds: UInt64) { self.unixNanoseconds = unixNanoseconds }

    package static func < (left: Self, right: Self) -> Bool { left.unixNanoseconds < right.unixNanoseconds }
}

/// A stretch of time that is never zero: between two samples of a channel, or until a time-out.
package struct Period: Hashable, Sendable {
    package let nanoseconds: UInt64

    package init?(nanoseconds: UInt64) {
        guard nanoseconds > 0 else { return nil }
        self.nanoseconds = nanoseconds
    }

    /// `rate` in samples per second, finite and above 0; bounds are the caller's business.
    package init(hertz rate: Double) {
        precondition(rate.isFinite && rate > 0)
        nanoseconds = max(1, UInt64(1e9 / rate + 0.5))
    }

    package static func milliseconds(_ count: UInt64) -> Self {
        precondition(count > 0)
        return Self(nanoseconds: count * 1_000_000) ?? Self(hertz: 1_000)
    }

    package static func seconds(_ count: UInt64) -> Self { .milliseconds(count * 1_000) }

    package var seconds: Double { Double(nanoseconds) / 1e9 }
}
