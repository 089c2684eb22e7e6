import Telemetry
import TestSupport
import Testing

private func at(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

private func period(_ nanoseconds: UInt64) -> Period { Period(nanoseconds: nanoseconds) ?? .seconds(1) }

private func channel(_ index: Int) -> ChannelID { ChannelID(index: index) }

/// A schedule whose channels had their first sample at 0, and lie on the grid since.
private func schedule(_ periods: UInt64...) -> Schedule {
    var schedule = Schedule(periods: periods.map(period))
    for index in periods.indices { schedule.resume(channel(index), at: at(0)) }
    while schedule.popDue(now: at(0)) != nil {}
    return schedule
}

@Suite("Schedule")
struct ScheduleTests {
    @Test func everythingIsPausedAtFirst() {
        var schedule = Schedule(periods: [period(10), period(20)])
        #expect(schedule.nextDeadline == nil)
        #expect(schedule.popDue(now: at(.max / 2)) == nil)
        #expect(schedule.period(of: channel(1))?.nanoseconds == 20)
    }

    @Test func aChannelWithoutAPeriodIsDueOncePerListener() {
        var schedule = Schedule(periods: [nil])
        for start in [5, 70] as [UInt64] {
            schedule.resume(channel(0), at: at(start))
            #expect(schedule.nextDeadline == at(start))
            #expect(schedule.popDue(now: at(start + 3)) == .init(channel: channel(0), missedCount: 0))
            #expect(schedule.nextDeadline == nil)
            schedule.pause(channel(0))
        }
    }

    @Test func emptyScheduleHasNothingDue() {
        var schedule = Schedule(periods: [])
        #expect(schedule.nextDeadline == nil)
        #expect(schedule.popDue(now: at(1)) == nil)
    }

    @Test(
        arguments: [
            // The first sample lies where it was asked for, the second half a period after it at the earliest.
            (0, 100), (1, 100), (49, 100), (50, 200), (99, 200), (100, 200), (149, 200), (150, 300),
        ] as [(UInt64, UInt64)])
    func secondSampleIsOnTheGridAndNotRightBehindTheFirst(first: UInt64, second: UInt64) {
        var schedule = Schedule(periods: [period(100)])
        schedule.resume(channel(0), at: at(first))
        #expect(schedule.nextDeadline == at(first))
        if first > 0 { #expect(schedule.popDue(now: at(first - 1)) == nil) }
        #expect(schedule.popDue(now: at(first)) == Schedule.Due(channel: channel(0), missedCount: 0))
        #expect(schedule.popDue(now: at(first)) == nil)
        #expect(schedule.nextDeadline == at(second))
        #expect(schedule.popDue(now: at(second)) == Schedule.Due(channel: channel(0), missedCount: 0))
        #expect(schedule.nextDeadline == at(second + 100))
    }

    @Test func secondSampleKeepsItsDistanceFromALateFirst() {
        var schedule = Schedule(periods: [period(100)])
        schedule.resume(channel(0), at: at(10))
        #expect(schedule.popDue(now: at(80))?.missedCount == 0)
        #expect(schedule.nextDeadline == at(200))
    }

    @Test func equalPeriodsShareTheirPoints() {
        var schedule = Schedule(periods: [period(100), period(100), period(50)])
        for (index, start) in [7, 93, 131].enumerated() { schedule.resume(channel(index), at: at(UInt64(start))) }
        while let deadline = schedule.nextDeadline, deadline < at(300) { _ = schedule.popDue(now: deadline) }
        #expect(schedule.popDue(now: at(300))?.channel == channel(0))
        #expect(schedule.popDue(now: at(300))?.channel == channel(1))
        #expect(schedule.popDue(now: at(300))?.channel == channel(2))
        #expect(schedule.popDue(now: at(300)) == nil)
    }

    @Test(
        arguments: [
            (100, 0, 110), (109, 0, 110), (110, 1, 120), (135, 3, 140), (139, 3, 140), (140, 4, 150),
            (1_000_000, 99_990, 1_000_010),
        ] as [(UInt64, UInt64, UInt64)])
    func missedPointsAreSkippedAndCounted(now: UInt64, missedCount: UInt64, next: UInt64) {
        var schedule = schedule(10)
        while let deadline = schedule.nextDeadline, deadline < at(100) { _ = schedule.popDue(now: deadline) }
        #expect(schedule.nextDeadline == at(100))
        #expect(schedule.popDue(now: at(now)) == Schedule.Due(channel: channel(0), missedCount: missedCount))
        #expect(schedule.popDue(now: at(now)) == nil)
        #expect(schedule.nextDeadline == at(next))
    }

    @Test func longestOverdueIsFirstThenTheLowerIndex() {
        var schedule = schedule(30, 20, 30, 10)
        #expect(schedule.nextDeadline == at(10))
        let order = (0..<5).map { _ in schedule.popDue(now: at(35))?.channel.index }
        #expect(order == [3, 1, 0, 2, nil])
        #expect(schedule.nextDeadline == at(40))
    }

    @Test(
        arguments: [
            (100, 30, 120), (105, 30, 120), (119, 30, 120), (120, 30, 150), (105, 100, 200), (105, 1_000, 1_000),
            (105, 1, 106),
        ] as [(UInt64, UInt64, UInt64)])
    func newPeriodBeginsAtItsNextGridPoint(now: UInt64, new: UInt64, next: UInt64) {
        var schedule = schedule(100)
        #expect(schedule.popDue(now: at(100)) != nil)
        schedule.setPeriod(period(new), for: channel(0), now: at(now))
        #expect(schedule.period(of: channel(0)) == period(new))
        #expect(schedule.nextDeadline == at(next))
        #expect(schedule.popDue(now: at(next)) == Schedule.Due(channel: channel(0), missedCount: 0))
        #expect(schedule.nextDeadline == at(next + new))
    }

    @Test func newPeriodWakesNobody() {
        var schedule = Schedule(periods: [period(100)])
        schedule.setPeriod(period(10), for: channel(0), now: at(5))
        #expect(schedule.nextDeadline == nil)
        schedule.resume(channel(0), at: at(27))
        #expect(schedule.popDue(now: at(27)) != nil)
        #expect(schedule.nextDeadline == at(40))
    }

    @Test func newPeriodLeavesTheFirstSampleWhereItIs() {
        var schedule = Schedule(periods: [period(100)])
        schedule.resume(channel(0), at: at(57))
        schedule.setPeriod(period(10), for: channel(0), now: at(12))
        #expect(schedule.nextDeadline == at(57))
        #expect(schedule.popDue(now: at(57)) == Schedule.Due(channel: channel(0), missedCount: 0))
        #expect(schedule.nextDeadline == at(70))
    }

    @Test func newPeriodDoesNotSampleRightBehindTheLast() {
        var schedule = schedule(100)
        #expect(schedule.popDue(now: at(100)) != nil)
        schedule.setPeriod(period(51), for: channel(0), now: at(101))
        #expect(schedule.nextDeadline == at(153), "102 would follow by two")
    }

    @Test func newPeriodDoesNotTakeBackWhatIsDue() {
        var schedule = schedule(100)
        #expect(schedule.popDue(now: at(100)) != nil)
        schedule.setPeriod(period(30), for: channel(0), now: at(205))
        #expect(schedule.popDue(now: at(205)) == Schedule.Due(channel: channel(0), missedCount: 0))
        #expect(schedule.nextDeadline == at(210))
    }

    @Test func resumingARunningChannelChangesNothing() {
        var schedule = schedule(100)
        schedule.resume(channel(0), at: at(7))
        #expect(schedule.nextDeadline == at(100))
    }

    @Test func pausedChannelIsNotDueAndStartsAnew() {
        var schedule = schedule(100, 100)
        schedule.pause(channel(0))
        schedule.pause(channel(0))
        #expect(schedule.popDue(now: at(250))?.channel == channel(1))
        #expect(schedule.popDue(now: at(250)) == nil)
        schedule.resume(channel(0), at: at(270))
        #expect(schedule.popDue(now: at(270)) == Schedule.Due(channel: channel(0), missedCount: 0))
        #expect(schedule.nextDeadline == at(300))
        #expect(schedule.popDue(now: at(300))?.channel == channel(1))
        #expect(schedule.nextDeadline == at(400))
    }

    @Test(arguments: [1_000_000, 333_333_333, 7, 1_000_000_000_000] as [UInt64])
    func aMillionLateTicksDoNotDrift(nanoseconds: UInt64) {
        var generator = SeededGenerator(round: nanoseconds)
        var schedule = schedule(nanoseconds)
        var missedCount: UInt64 = 0
        for _ in 0..<1_000_000 {
            guard let deadline = schedule.nextDeadline else { break }
            let now = at(deadline.nanoseconds + generator.next() % nanoseconds)
            missedCount += schedule.popDue(now: now)?.missedCount ?? 1
        }
        #expect(missedCount == 0)
        #expect(schedule.nextDeadline == at(1_000_001 * nanoseconds))
    }

    @Test(arguments: [1, 2, 1_000_000_000_000, 1_000_000_000_000_000] as [UInt64])
    func extremePeriodsDoNotOverflow(nanoseconds: UInt64) {
        // A hundred years after the start.
        let now: UInt64 = 100 * 366 * 86_400 * 1_000_000_000
        var schedule = Schedule(periods: [period(nanoseconds)])
        schedule.resume(channel(0), at: at(0))
        #expect(schedule.popDue(now: at(now))?.missedCount == now / nanoseconds)
        guard let next = schedule.nextDeadline else {
            Issue.record("the channel is paused")
            return
        }
        #expect(next > at(now + nanoseconds / 2))
        #expect(next <= at(now + nanoseconds / 2 + nanoseconds))
        #expect(next.nanoseconds % nanoseconds == 0)
    }

    /// What the schedule is to do, said once more: points are counted one by one.
    private struct Model {
        struct Entry {
            var period: UInt64
            var deadline: UInt64?
            var isFirst = true
            /// Of the deadline, and of the last sample.
            var deadlinePeriod: UInt64 = 0
            var last: UInt64?
        }
        var entries: [Entry]

        func point(after now: UInt64, _ period: UInt64) -> UInt64 {
            var point: UInt64 = 0
            while point <= now { point += period }
            return point
        }

        mutating func due(now: UInt64) -> [Schedule.Due] {
            let order = entries.indices.filter { entries[$0].deadline.map { $0 <= now } ?? false }
                .sorted { (entries[$0].deadline ?? 0, $0) < (entries[$1].deadline ?? 0, $1) }
            return order.map { index in
                let entry = entries[index]
                var missedCount: UInt64 = 0
                var point = (entry.deadline ?? 0) + entry.deadlinePeriod
                while point <= now {
                    missedCount += 1
                    point += entry.deadlinePeriod
                }
                entries[index].deadlinePeriod = entry.period
                entries[index].last = now
                entries[index].deadline = self.point(after: now + (entry.isFirst ? entry.period / 2 : 0), entry.period)
                entries[index].isFirst = false
                return Schedule.Due(channel: channel(index), missedCount: missedCount)
            }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func scheduleAgreesWithCountingPoints(round: UInt64) {
        var generator = SeededGenerator(round: round)
        let periods = (0..<5).map { _ in UInt64.random(in: 1...20, using: &generator) }
        var schedule = Schedule(periods: periods.map(period))
        var model = Model(entries: periods.map { Model.Entry(period: $0) })
        var now: UInt64 = 0
        for _ in 0..<300 {
            now += .random(in: 0...12, using: &generator)
            let index = Int.random(in: 0..<5, using: &generator)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0, 1:
                let start = now + .random(in: 0...10, using: &generator)
                schedule.resume(channel(index), at: at(start))
                if model.entries[index].deadline == nil {
                    model.entries[index].deadline = start
                    model.entries[index].isFirst = true
                    model.entries[index].deadlinePeriod = model.entries[index].period
                }
            case 2:
                schedule.pause(channel(index))
                model.entries[index].deadline = nil
            case 3:
                let new = UInt64.random(in: 1...20, using: &generator)
                schedule.setPeriod(period(new), for: channel(index), now: at(now))
                model.entries[index].period = new
                if let deadline = model.entries[index].deadline, deadline > now, !model.entries[index].isFirst {
                    let last = model.entries[index].last ?? 0
                    model.entries[index].deadline = model.point(after: max(now, last + new / 2), new)
                    model.entries[index].deadlinePeriod = new
                }
            default: break
            }
            #expect(schedule.nextDeadline?.nanoseconds == model.entries.compactMap(\.deadline).min())
            var due: [Schedule.Due] = []
            while let next = schedule.popDue(now: at(now)) { due.append(next) }
            #expect(due == model.due(now: now))
        }
    }
}
