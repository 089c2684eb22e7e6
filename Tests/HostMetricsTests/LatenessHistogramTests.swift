import HostMetrics
import Testing

struct LatenessHistogramTests {
    /// The nearest-rank percentile of sorted values.
    private func percentile(_ percent: Int, of sorted: [UInt64]) -> UInt64 {
        let rank = (Double(sorted.count) * Double(percent) / 100).rounded(.up)
        return sorted[max(1, Int(rank)) - 1]
    }

    private func check(_ values: [UInt64], _ histogram: borrowing LatenessHistogram) {
        let sorted = values.sorted()
        #expect(histogram.count == UInt64(values.count) && histogram.maxNanoseconds == sorted.last)
        for percent in [1, 50, 90, 99, 100] {
            let exact = percentile(percent, of: sorted)
            let told = histogram.percentile(UInt64(percent)) ?? 0
            #expect(told >= exact && Double(told - exact) <= 0.016 * Double(exact), "p\(percent) of \(values.count)")
        }
        #expect(histogram.medianNanoseconds == histogram.percentile(50))
        #expect(histogram.percentile99Nanoseconds == histogram.percentile(99))
    }

    @Test func percentilesAreThoseOfTheSortedValues() {
        var generator = SeededGenerator.announced()
        var histogram = LatenessHistogram()
        for count in [1, 2, 3, 99, 100, 101, 1_000, 20_000] {
            for bits in [4, 7, 8, 20, 40, 64] as [UInt64] {
                let limit: UInt64 = bits == 64 ? .max : (1 << bits) - 1
                // Of all magnitudes, as waits are: few long ones, many short ones.
                let values = (0..<count).map { _ in
                    UInt64.random(in: 0...limit, using: &generator) >> UInt64.random(in: 0..<bits, using: &generator)
                }
                for value in values { histogram.record(nanoseconds: value) }
                check(values, histogram)
                histogram.reset()
            }
        }
    }

    @Test func smallValuesAreExact() {
        var histogram = LatenessHistogram()
        for value in 0..<128 as Range<UInt64> { histogram.record(nanoseconds: value) }
        #expect(histogram.percentile(1) == 1 && histogram.medianNanoseconds == 63)
        #expect(histogram.percentile99Nanoseconds == 126 && histogram.maxNanoseconds == 127)
    }

    @Test func eachBucketHoldsWhatItShould() {
        // At each power of two and beside it, with a larger one so that the bucket's top shows.
        for bit in 0..<64 as Range<UInt64> {
            for value in [(1 << bit) - 1, 1 << bit, (1 << bit) + 1, .max] as [UInt64] {
                var histogram = LatenessHistogram()
                histogram.record(nanoseconds: value)
                histogram.record(nanoseconds: .max)
                let told = histogram.medianNanoseconds ?? 0
                #expect(told >= value && Double(told - value) <= Double(value) / 64, "\(value)")
            }
        }
    }

    @Test func aResetForgetsAll() {
        var histogram = LatenessHistogram()
        #expect(histogram.medianNanoseconds == nil && histogram.percentile99Nanoseconds == nil)
        #expect(histogram.maxNanoseconds == nil && histogram.count == 0)
        histogram.reset()
        histogram.record(nanoseconds: 1_000_000)
        histogram.record(nanoseconds: 5)
        histogram.reset()
        #expect(histogram.maxNanoseconds == nil && histogram.count == 0)
        histogram.record(nanoseconds: 7)
        check([7], histogram)
    }
}
