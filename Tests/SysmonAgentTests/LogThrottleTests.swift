import Telemetry
import Testing

@testable import SysmonAgent

@Suite struct LogThrottleTests {
    private var throttle = LogThrottle()
    private let line = LogLine(.warning, "no answer", name: "/md")

    private func counted(_ count: Int) -> LogLine {
        var line = line
        line.leftOutCount = count
        return line
    }

    private func at(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: 1_000_000 * (1 + milliseconds)) }

    @Test mutating func aLineIsWrittenOnceInAnIntervalAndThenCounted() {
        #expect(throttle.lines(for: line, now: at(0)) == [line])
        for millisecond in 1...9_999 { #expect(throttle.lines(for: line, now: at(UInt64(millisecond))) == []) }
        // The one that comes now belongs to the next interval.
        #expect(throttle.lines(for: line, now: at(10_000)) == [counted(9_999)])
        #expect(throttle.dueLines(now: at(19_999)) == [])
        #expect(throttle.dueLines(now: at(20_000)) == [counted(1)])
        #expect(throttle.dueLines(now: at(30_000)) == [], "a quiet interval is not told of")
        #expect(throttle.lines(for: line, now: at(30_001)) == [line])
    }

    @Test mutating func linesDifferInEachOfTheirParts() {
        let others = [
            line, LogLine(.error, "no answer", name: "/md"), LogLine(.warning, "no answer", name: "/cpu"),
            LogLine(.warning, "no answer"), LogLine(.warning, "an answer", name: "/md"),
        ]
        for other in others { #expect(throttle.lines(for: other, now: at(0)) == [other]) }
        for other in others { #expect(throttle.lines(for: other, now: at(1)) == []) }
    }

    @Test mutating func whatIsDueComesBeforeWhatIsNew() {
        _ = throttle.lines(for: line, now: at(0))
        _ = throttle.lines(for: line, now: at(1))
        let other = LogLine(.info, "stopping")
        #expect(throttle.lines(for: other, now: at(10_000)) == [counted(1), other])
    }

    @Test mutating func theEndTellsWhatWasLeftOut() {
        _ = throttle.lines(for: LogLine(.info, "once"), now: at(0))
        for _ in 0..<3 { _ = throttle.lines(for: line, now: at(0)) }
        #expect(throttle.lastLines() == [counted(2)])
        #expect(throttle.lastLines() == [])
    }

    @Test mutating func theOldestLineIsForgottenBeyondTheLimit() {
        let lines = (0...LogThrottle.lineLimit).map { LogLine(.info, "line \($0)") }
        for line in lines.dropLast() { _ = throttle.lines(for: line, now: at(0)) }
        for line in lines.dropLast() { #expect(throttle.lines(for: line, now: at(1)) == []) }
        var first = lines[0]
        first.leftOutCount = 1
        // Its count is not lost.
        #expect(throttle.lines(for: lines[LogThrottle.lineLimit], now: at(2)) == [first, lines[LogThrottle.lineLimit]])
        #expect(throttle.lines(for: lines[1], now: at(3)) == [])
        #expect(throttle.lines(for: lines[0], now: at(3)).last == lines[0])
    }
}
