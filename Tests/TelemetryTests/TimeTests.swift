import Telemetry
import Testing

@Suite("Time")
struct TimeTests {
    @Test(
        arguments: [
            (1, 1_000_000_000), (3, 333_333_333), (0.001, 1_000_000_000_000), (1_000, 1_000_000), (6, 166_666_667),
            (0.3, 3_333_333_333), (1e9, 1), (3e9, 1), (1e300, 1),
        ] as [(Double, UInt64)])
    func periodOfARateIsRoundedToNanoseconds(rate: Double, nanoseconds: UInt64) {
        #expect(Period(hertz: rate).nanoseconds == nanoseconds)
    }

    @Test func periodIsNeverZero() {
        #expect(Period(nanoseconds: 0) == nil)
        #expect(Period(nanoseconds: 1)?.nanoseconds == 1)
        #expect(Period.milliseconds(50).nanoseconds == 50_000_000)
        #expect(Period.seconds(2).nanoseconds == 2_000_000_000)
        #expect(Period.milliseconds(1_500).seconds == 1.5)
    }

    @Test func instantsAreOrderedAndMove() {
        let start = Instant(nanoseconds: 5_000_000_000)
        let end = start + .milliseconds(1_500)
        #expect(end.nanoseconds == 6_500_000_000)
        #expect(start < end)
        #expect(!(start < start))
        #expect(end.seconds(since: start) == 1.5)
        #expect(start.seconds(since: end) == 0)
        #expect(start.seconds(since: start) == 0)
    }
}
