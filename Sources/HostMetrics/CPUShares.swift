package import Telemetry

/// Shares of the CPU time between two readings; NaN where there is nothing to compare with. All but `usage` add up to
/// 1.
package struct CPUShares: Sendable {
    package var usage = Double.nan
    package var user = Double.nan
    package var nice = Double.nan
    package var system = Double.nan
    package var irq = Double.nan
    package var softirq = Double.nan
    package var steal = Double.nan
    package var guest = Double.nan
    package var guestNice = Double.nan
    package var idle = Double.nan
    package var iowait = Double.nan
}

/// Turns readings of CPU lines into shares.
///
/// A line on which no tick fell since the baseline repeats its last shares: at rates above the kernel's tick that is
/// most of them.
package struct CPUShareTracker {
    private var baselines: Baselines
    /// By slot of the baselines.
    private var lastShares: [CPUShares]
    private var lastIntervalSeconds = Double.nan
    private var hasMoved = false
    package private(set) var resetCount = 0

    package init(rowCapacity: Int) {
        baselines = Baselines(columnCount: CPUTimes.columnCount, rowCapacity: rowCapacity)
        lastShares = Array(repeating: CPUShares(), count: rowCapacity)
    }

    package mutating func begin(at time: Instant, context: SampleContext) {
        baselines.begin(at: time, context: context)
        hasMoved = false
        resetCount = 0
    }

    package mutating func shares(id: UInt64, _ times: borrowing CPUTimes) -> CPUShares {
        let row = baselines.addTimes(id: id, times)
        if row.slot >= lastShares.count {
            lastShares.append(contentsOf: repeatElement(CPUShares(), count: row.slot + 1))
        }
        if row.wasReset { resetCount += 1 }
        guard row.hasBaseline else {
            lastShares[row.slot] = CPUShares()
            return lastShares[row.slot]
        }
        typealias Column = CPUTimes.Column
        @inline(__always) func ticks(_ column: Int) -> Double { Double(baselines.difference(row, column: column)) }
        let user = ticks(Column.user)
        let nice = ticks(Column.nice)
        let busy =
            user + nice + ticks(Column.system) + ticks(Column.irq) + ticks(Column.softirq) + ticks(Column.steal)
        let idle = ticks(Column.idle)
        let iowait = ticks(Column.iowait)
        let total = busy + idle + iowait
        guard total > 0 else { return lastShares[row.slot] }
        hasMoved = true
        // The kernel counts guests inside user and nice too; being read apart they may be a tick ahead.
        let guest = min(ticks(Column.guest), user)
        let guestNice = min(ticks(Column.guestNice), nice)
        let shares = CPUShares(
            usage: busy / total, user: (user - guest) / total, nice: (nice - guestNice) / total,
            system: ticks(Column.system) / total, irq: ticks(Column.irq) / total,
            softirq: ticks(Column.softirq) / total, steal: ticks(Column.steal) / total, guest: guest / total,
            guestNice: guestNice / total, idle: idle / total, iowait: iowait / total)
        lastShares[row.slot] = shares
        return shares
    }

    /// Ends the reading; returns the seconds that its shares cover.
    package mutating func end() -> Double {
        baselines.end(keepsBaseline: !hasMoved)
        if hasMoved || baselines.intervalSeconds.isNaN { lastIntervalSeconds = baselines.intervalSeconds }
        return lastIntervalSeconds
    }
}
