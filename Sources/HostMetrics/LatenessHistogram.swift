/// How late something was, many times over: percentiles of any span in memory of a fixed size.
///
/// Buckets are log-linear: 64 of the same width between one power of two and the next, so that a value is known to
/// within 1/64 of itself, 1.6 %; below 128 ns there is a bucket for each nanosecond. A percentile is told as the top of
/// its bucket: never less than it was, and never more than the largest value, which is exact.
package struct LatenessHistogram: ~Copyable {
    /// Buckets between one power of two and the next.
    private static let stepsPerOctave = 64
    private static let stepBits = 6
    /// Those of all of UInt64: two octaves of single nanoseconds below, 57 above.
    private static let bucketCount = 128 + 57 * stepsPerOctave

    private var counts: [UInt32]
    /// Buckets in use.
    private var lowest = bucketCount
    private var highest = -1
    /// How many values were recorded since the last reset.
    package private(set) var count: UInt64 = 0
    private var largest: UInt64 = 0

    package init() { counts = Array(repeating: 0, count: Self.bucketCount) }

    package mutating func record(nanoseconds: UInt64) {
        let bucket = Self.bucket(of: nanoseconds)
        // Full after years at any rate that there is.
        guard counts[bucket] < .max else { return }
        counts[bucket] += 1
        count += 1
        largest = max(largest, nanoseconds)
        lowest = min(lowest, bucket)
        highest = max(highest, bucket)
    }

    /// Begins a new span.
    package mutating func reset() {
        if lowest <= highest { for bucket in lowest...highest { counts[bucket] = 0 } }
        lowest = Self.bucketCount
        highest = -1
        count = 0
        largest = 0
    }

    /// nil: nothing was recorded. So for all of them.
    package var medianNanoseconds: UInt64? { percentile(50) }
    package var percentile99Nanoseconds: UInt64? { percentile(99) }
    package var maxNanoseconds: UInt64? { count > 0 ? largest : nil }

    /// The smallest value that at least `percent` of all are at or below (nearest rank), 1 to 100.
    package func percentile(_ percent: UInt64) -> UInt64? {
        guard count > 0 else { return nil }
        let rank = max(1, count / 100 * percent + (count % 100 * percent + 99) / 100)
        var seen: UInt64 = 0
        for bucket in lowest...highest {
            seen += UInt64(counts[bucket])
            if seen >= rank { return min(Self.top(of: bucket), largest) }
        }
        return largest
    }

    private static func bucket(of value: UInt64) -> Int {
        guard value >= 128 else { return Int(value) }
        let shift = 63 - value.leadingZeroBitCount - stepBits
        return shift * stepsPerOctave + Int(value >> UInt64(shift))
    }

    /// The largest value of a bucket.
    private static func top(of bucket: Int) -> UInt64 {
        guard bucket >= 128 else { return UInt64(bucket) }
        let shift = UInt64(bucket / stepsPerOctave - 1)
        let step = UInt64(bucket % stepsPerOctave + stepsPerOctave)
        // The last bucket's end is one more than there is room for.
        return ((step + 1) << shift) &- 1
    }
}
