import HostMetrics
import Telemetry
import Testing

/// Virtual time: a counter that grows by 1000 a second is sampled, and only the interval is in question.
struct BaselinesTests {
    private struct World {
        var baselines = Baselines(columnCount: 1, rowCapacity: 1)
        var milliseconds = 1_000_000.0
        var suspendedNanoseconds: UInt64 = 0

        mutating func sample(
            after elapsed: Double, hertz: Double, window: Double, value: UInt64? = nil, isNarrow: Bool = false
        ) -> (interval: Double, rate: Double, wasReset: Bool) {
            milliseconds += elapsed
            let context = SampleContext(
                tick: 0, suspendedNanoseconds: suspendedNanoseconds, period: Period(hertz: hertz),
                windowSeconds: window)
            baselines.begin(at: Instant(nanoseconds: UInt64(milliseconds * 1e6)), context: context)
            let counter = value ?? UInt64(milliseconds)
            let row = baselines.addCounters(id: 7, isNarrow: isNarrow, [counter].span)
            let rate = baselines.rate(row, column: 0)
            baselines.end()
            return (baselines.intervalSeconds, rate, row.wasReset)
        }
    }

    @Test func theFirstSampleHasNoRateAndTheSecondCoversThePeriod() {
        var world = World()
        let first = world.sample(after: 0, hertz: 2, window: 0.1)
        #expect(first.interval.isNaN && first.rate.isNaN)
        let second = world.sample(after: 500, hertz: 2, window: 0.1)
        #expect(abs(second.interval - 0.5) < 1e-9 && abs(second.rate - 1000) < 1e-6)
    }

    @Test(arguments: [(10.0, 0.1), (20, 0.1), (50, 0.1), (100, 0.1), (5, 1), (10, 1)])
    func theSpanIsTheShortestThatFillsTheWindow(hertz: Double, window: Double) {
        var world = World()
        for _ in 0..<200 { _ = world.sample(after: 1000 / hertz, hertz: hertz, window: window) }
        let sample = world.sample(after: 1000 / hertz, hertz: hertz, window: window)
        #expect(abs(sample.interval - window) < 1e-6, "\(sample.interval)")
    }

    @Test(arguments: [(1000.0, 0.1), (200, 1), (1000, 10)])
    func whereTheRingIsTooShortOnlySomeSamplesBecomeBaselines(hertz: Double, window: Double) {
        var world = World()
        for _ in 0..<Int(hertz * window * 3) { _ = world.sample(after: 1000 / hertz, hertz: hertz, window: window) }
        for _ in 0..<100 {
            let sample = world.sample(after: 1000 / hertz, hertz: hertz, window: window)
            #expect(sample.interval >= window * 0.95 && sample.interval <= window * 1.1, "\(sample.interval)")
            #expect(abs(sample.rate - 1000) < 10)
        }
    }

    @Test func noBaselineIsOldEnoughAtFirst() {
        var world = World()
        var intervals: [Double] = []
        for _ in 0..<12 { intervals.append(world.sample(after: 10, hertz: 100, window: 0.1).interval) }
        #expect(intervals.prefix(10).allSatisfy { $0.isNaN })
        #expect(abs(intervals[10] - 0.1) < 1e-9 && abs(intervals[11] - 0.1) < 1e-9)
    }

    @Test func jitterAtTenHertzDoesNotDoubleTheSpan() {
        var world = World()
        var random = SeededGenerator.announced()
        var late = 0.0
        _ = world.sample(after: 0, hertz: 10, window: 0.1)
        for _ in 0..<500 {
            let next = Double.random(in: 0...2, using: &random)
            let sample = world.sample(after: 100 - late + next, hertz: 10, window: 0.1)
            late = next
            #expect(sample.interval > 0.097 && sample.interval < 0.103)
        }
    }

    @Test func aWindowOfNothingTakesThePreviousSample() {
        var world = World()
        _ = world.sample(after: 0, hertz: 1000, window: 0)
        for _ in 0..<100 { #expect(abs(world.sample(after: 1, hertz: 1000, window: 0).interval - 0.001) < 1e-9) }
    }

    @Test func afterAChangeOfRateTheOldBaselineServesUntilNewOnesAreOldEnough() {
        var world = World()
        for _ in 0..<10 { _ = world.sample(after: 500, hertz: 2, window: 0.1) }
        var intervals: [Double] = []
        for _ in 0..<8 { intervals.append(world.sample(after: 20, hertz: 50, window: 0.1).interval) }
        let expected = [0.52, 0.54, 0.56, 0.58, 0.1, 0.1, 0.1, 0.1]
        #expect(zip(intervals, expected).allSatisfy { abs($0 - $1) < 1e-9 }, "\(intervals)")
        // And back: the sample just before serves, though it stands close to the one before it.
        #expect(abs(world.sample(after: 500, hertz: 2, window: 0.1).interval - 0.5) < 1e-9)
    }

    @Test(arguments: [(10.0, 59_000.0, false), (10, 61_000, true), (0.1, 99_000, false), (0.1, 101_000, true)])
    func aPauseThatIsTooLongBeginsAnew(hertz: Double, pause: Double, isNew: Bool) {
        var world = World()
        for _ in 0..<5 { _ = world.sample(after: 1000 / hertz, hertz: hertz, window: 0) }
        #expect(world.sample(after: pause, hertz: hertz, window: 0).interval.isNaN == isNew)
    }

    @Test func aSuspendBeginsAnew() {
        var world = World()
        for _ in 0..<3 { _ = world.sample(after: 100, hertz: 10, window: 0) }
        world.suspendedNanoseconds += 900_000_000
        #expect(!world.sample(after: 100, hertz: 10, window: 0).interval.isNaN)
        world.suspendedNanoseconds += 1_100_000_000
        let resumed = world.sample(after: 100, hertz: 10, window: 0)
        #expect(resumed.interval.isNaN && resumed.rate.isNaN && !resumed.wasReset)
        #expect(!world.sample(after: 100, hertz: 10, window: 0).interval.isNaN)
    }

    @Test func aFallIsAResetForOneSample() {
        var world = World()
        _ = world.sample(after: 100, hertz: 10, window: 0, value: 3_500_000_000)
        let reset = world.sample(after: 100, hertz: 10, window: 0, value: 1_000)
        #expect(reset.wasReset && reset.rate.isNaN)
        let next = world.sample(after: 100, hertz: 10, window: 0, value: 1_010)
        #expect(!next.wasReset && abs(next.rate - 100) < 1e-6)
    }

    /// Even where the counter has outgrown the baseline again.
    @Test func aResetInsideTheWindowIsNotMissed() {
        var world = World()
        for value in [10, 20, 30, 5] as [UInt64] { _ = world.sample(after: 50, hertz: 20, window: 0.1, value: value) }
        let sample = world.sample(after: 50, hertz: 20, window: 0.1, value: 40)
        #expect(sample.rate.isNaN)
    }

    @Test(arguments: [
        (UInt64(4_294_900_000), UInt64(120_000), true, (120_000.0 + 4_294_967_296 - 4_294_900_000) * 10),
        (4_294_900_000, 120_000, false, Double.nan), (3_000_000_000, 2_000_000_000, true, .nan),
        (4_294_967_295, 0, true, 10), (5_000_000_000, 1, true, .nan), (2_147_483_649, 0, true, 21_474_836_470),
        (2_147_483_648, 0, true, .nan),
    ])
    func narrowCountersWrap(old: UInt64, new: UInt64, isNarrow: Bool, rate: Double) {
        var world = World()
        _ = world.sample(after: 100, hertz: 10, window: 0, value: old, isNarrow: isNarrow)
        let sample = world.sample(after: 100, hertz: 10, window: 0, value: new, isNarrow: isNarrow)
        #expect(rate.isNaN ? sample.rate.isNaN && sample.wasReset : abs(sample.rate - rate) < 1e-3, "\(sample)")
    }

    @Test(
        arguments: [
            (.bits31, 2_147_483_647, 0, 1), (.bits31, 2_147_483_648, 0, .nan),
            (.bits31, 1_073_741_825, 0, 1_073_741_823),
            (.bits31, 1_073_741_824, 0, .nan), (.bits32, 2_147_483_647, 0, .nan), (.bits64, 4_294_967_295, 0, .nan),
            (.bits64, .max - 1, .max, 1),
        ] as [(Baselines.Width, UInt64, UInt64, Double)])
    func aCounterWrapsAtItsOwnWidth(width: Baselines.Width, old: UInt64, new: UInt64, growth: Double) {
        var baselines = Baselines(columnCount: 1, rowCapacity: 1)
        var rate = 0.0
        for (second, counter) in [old, new].enumerated() {
            let context = SampleContext(tick: 0, period: Period(hertz: 1), windowSeconds: 0)
            baselines.begin(at: Instant(nanoseconds: UInt64(second + 1) * 1_000_000_000), context: context)
            let row = baselines.addCounter(id: 1, width: width, counter)
            rate = baselines.rate(row, column: 0)
            baselines.end()
        }
        #expect(growth.isNaN ? rate.isNaN : rate == growth)
        #expect(baselines.resetCount == (growth.isNaN ? 1 : 0))
    }

    @Test func aRowThatWasAwayIsNew() {
        var baselines = Baselines(columnCount: 1, rowCapacity: 1)
        var rates: [[Double]] = []
        for (step, ids) in [[1, 2, 3], [1, 2, 3], [3, 1], [3, 2, 1], [1, 2, 3]].enumerated() {
            let context = SampleContext(tick: 0, period: Period(hertz: 1), windowSeconds: 0)
            baselines.begin(at: Instant(nanoseconds: UInt64(step + 1) * 1_000_000_000), context: context)
            rates.append(
                ids.map { id in
                    let row = baselines.addCounters(id: UInt64(id), isNarrow: false, [UInt64(step * id)].span)
                    return baselines.rate(row, column: 0)
                })
            baselines.end()
        }
        #expect(rates[0].allSatisfy { $0.isNaN })
        #expect(rates[1] == [1, 2, 3])
        #expect(rates[2] == [3, 1])
        #expect(rates[3][0] == 3 && rates[3][1].isNaN && rates[3][2] == 1)
        #expect(rates[4] == [1, 2, 3])
    }
}

struct CPUShareTests {
    private func context(window: Double = 0) -> SampleContext {
        SampleContext(tick: 0, period: Period(hertz: 10), windowSeconds: window)
    }

    private func times(_ columns: [UInt64]) -> CPUTimes {
        var times = CPUTimes()
        for (index, value) in columns.enumerated() { times.columns[index] = value }
        return times
    }

    /// Shares of one CPU whose columns are sampled each 100 ms.
    private func shares(_ rows: [[UInt64]]) -> [(shares: CPUShares, interval: Double)] {
        var tracker = CPUShareTracker(rowCapacity: 1)
        return rows.enumerated().map { step, row in
            tracker.begin(at: Instant(nanoseconds: UInt64(step + 1) * 100_000_000), context: context())
            let shares = tracker.shares(id: 0, times(row))
            return (shares, tracker.end())
        }
    }

    @Test func aColumnThatStepsBackCountsAsNothingAndItsBaselineStays() {
        let samples = shares([
            [100, 0, 0, 100, 50, 0, 0, 0], [110, 0, 0, 110, 47, 0, 0, 0], [120, 0, 0, 120, 50, 0, 0, 0],
            [130, 0, 0, 120, 60, 0, 0, 0],
        ])
        #expect(samples[1].shares.user == 0.5 && samples[1].shares.iowait == 0)
        #expect(samples[2].shares.iowait == 0)
        #expect(samples[3].shares.iowait == 0.5)
    }

    @Test func aFallOfMoreThanThreeHundredTicksIsAReset() {
        let samples = shares([
            [1000, 0, 0, 0], [1300, 0, 0, 0], [1000, 0, 0, 50], [600, 0, 0, 0], [610, 0, 0, 30],
        ])
        #expect(samples[2].shares.idle == 1)
        #expect(samples[3].shares.usage.isNaN)
        #expect(samples[4].shares.usage == 0.25)
    }

    @Test func withoutATickTheLastSharesAreRepeated() {
        let samples = shares([[0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1], [2, 0, 0, 1]])
        #expect(samples[1].shares.usage.isNaN)
        #expect(samples[2].shares.usage == 0.5)
        #expect(samples[3].shares.usage == 0.5 && samples[4].shares.usage == 0.5)
        #expect(samples[5].shares.usage == 1)
        // The baseline was kept: the last shares cover all the time since the tick before.
        #expect(abs(samples[5].interval - 0.3) < 1e-9)
    }

    @Test func guestsAreTakenOutOfUserAndNice() {
        let samples = shares([
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [50, 10, 0, 40, 0, 0, 0, 0, 30, 20],
        ])
        let last = samples[1].shares
        #expect(last.user == 0.2 && last.guest == 0.3 && last.nice == 0 && last.guestNice == 0.1 && last.usage == 0.6)
    }

    @Test func randomColumnsNeverLeaveTheUnitRange() {
        var random = SeededGenerator.announced()
        for _ in 0..<200 {
            var tracker = CPUShareTracker(rowCapacity: 1)
            var columns = [UInt64](repeating: 0, count: 10)
            for step in 1...30 {
                for column in columns.indices {
                    switch Int.random(in: 0..<12, using: &random) {
                    case 0: columns[column] = UInt64.random(in: 0...UInt64.max, using: &random)
                    case 1: columns[column] &-= min(columns[column], UInt64.random(in: 0...400, using: &random))
                    case 2, 3: break
                    default: columns[column] &+= UInt64.random(in: 0...50, using: &random)
                    }
                }
                tracker.begin(at: Instant(nanoseconds: UInt64(step) * 50_000_000), context: context(window: 0.1))
                let shares = tracker.shares(id: 0, times(columns))
                _ = tracker.end()
                let parts = [
                    shares.user, shares.nice, shares.system, shares.irq, shares.softirq, shares.steal, shares.guest,
                    shares.guestNice, shares.idle, shares.iowait,
                ]
                if shares.usage.isNaN {
                    #expect(parts.allSatisfy { $0.isNaN })
                } else {
                    #expect((parts + [shares.usage]).allSatisfy { $0 >= 0 && $0 <= 1 }, "\(shares)")
                    #expect(abs(parts.reduce(0, +) - 1) < 1e-9, "\(shares)")
                }
            }
        }
    }
}
