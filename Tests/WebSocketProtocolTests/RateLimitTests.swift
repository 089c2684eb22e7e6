import Telemetry
import Testing
import WebSocketProtocol

private func at(milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

@Suite("Rate limit")
struct RateLimitTests {
    @Test func burstIsAllowedAtOnceAndNoMore() {
        var limit = RateLimit(perSecond: 100, burst: 200)
        for _ in 0..<200 { #expect(limit.allow(now: at(milliseconds: 5)) == true) }
        #expect(limit.allow(now: at(milliseconds: 5)) == false)
        #expect(limit.allow(now: at(milliseconds: 14)) == false)
        #expect(limit.allow(now: at(milliseconds: 15)) == true)
        #expect(limit.allow(now: at(milliseconds: 15)) == false)
    }

    @Test func longRestEarnsNoMoreThanTheBurst() {
        var limit = RateLimit(perSecond: 20, burst: 20)
        #expect(limit.allow(now: at(milliseconds: 0)) == true)
        let later = at(milliseconds: 3_600_000)
        let allowed = (0..<30).filter { _ in limit.allow(now: later) }
        #expect(allowed.count == 20)
    }

    @Test func steadyRateIsNeverRefused() {
        var limit = RateLimit(perSecond: 20, burst: 1)
        for index in 0..<1_000 as Range<UInt64> { #expect(limit.allow(now: at(milliseconds: 50 * index)) == true) }
    }

    @Test func twiceTheRateIsHalfAllowed() {
        var limit = RateLimit(perSecond: 20, burst: 20)
        let allowed = (0..<4_000).filter { limit.allow(now: at(milliseconds: 25 * UInt64($0))) }.count
        // A hundred seconds, and the burst.
        #expect((2_018...2_020).contains(allowed))
    }

    @Test func refusedEventsCostNothing() {
        var limit = RateLimit(perSecond: 1, burst: 1)
        #expect(limit.allow(now: at(milliseconds: 0)) == true)
        for millisecond in 1..<1_000 as Range<UInt64> {
            #expect(limit.allow(now: at(milliseconds: millisecond)) == false)
        }
        #expect(limit.allow(now: at(milliseconds: 1_001)) == true)
    }

    @Test func timeThatGoesBackEarnsNothing() {
        var limit = RateLimit(perSecond: 1, burst: 1)
        #expect(limit.allow(now: at(milliseconds: 5_000)) == true)
        #expect(limit.allow(now: at(milliseconds: 1_000)) == false)
        #expect(limit.allow(now: at(milliseconds: 5_000)) == false)
    }
}
