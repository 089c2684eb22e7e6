/// Rates of ``PerCPUCounters``.
struct PerCPURates {
    struct Rate {
        var perSecond: Double
        /// NaN also where there is no rate.
        var busiestShare: Double
    }

    private var baselines = Baselines(columnCount: 1, rowCapacity: 64)

    mutating func begin(_ counters: borrowing PerCPUCounters, _ context: SampleContext, _ sample: inout Sample) {
        baselines.begin(at: sample.time.monotonic, context: context)
        sample.suppressedCount = counters.suppressedCount
        sample.parseErrorCount = counters.parseErrorCount
    }

    mutating func rate(of line: PerCPUCounters.Line, _ sample: inout Sample) -> Rate {
        if line.wasReset { sample.resetCount += 1 }
        // Wraps are undone already.
        let counters: [1 of UInt64] = [line.moved]
        let row = baselines.addCounters(id: line.generation, isNarrow: false, counters.span)
        return Rate(
            perSecond: baselines.rate(row, column: 0), busiestShare: row.hasBaseline ? line.busiestShare : .nan)
    }

    mutating func end(_ sample: inout Sample) {
        baselines.end()
        sample.intervalSeconds = baselines.intervalSeconds
    }
}
