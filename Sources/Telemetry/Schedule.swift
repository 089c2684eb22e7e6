/// Decides which channel is due, and when the next one will be.
///
/// Deadlines lie on an absolute grid, the multiples of the period, so equal and related rates meet in one tick. A plain
/// value: time comes in as an argument, so a test drives it with any clock it likes. The channel list is short and
/// fixed, so a linear scan beats a heap in speed and in lines.
package struct Schedule: Sendable {
    /// A channel to sample now.
    package struct Due: Equatable, Sendable {
        package var channel: ChannelID
        /// Grid points that went by since the one it was due at: the process was busy or stopped.
        package var missedCount: UInt64

        package init(channel: ChannelID, missedCount: UInt64) {
            self.channel = channel
            self.missedCount = missedCount
        }
    }

    private struct Entry {
        /// Nil: only the first sample for a new listener is scheduled.
        var period: Period?
        /// `nil` while nobody listens.
        var deadline: Instant?
        /// The first sample lies beside the grid: it is due as soon as a new listener may get it.
        var isFirst = false
        /// The period that the deadline was set by.
        var deadlinePeriod: Period?
        var lastSample: Instant?
    }

    private var entries: [Entry]

    /// A channel without a period is due once when somebody begins to listen.
    package init(periods: [Period?]) {
        entries = periods.map { Entry(period: $0, deadline: nil, deadlinePeriod: $0) }
    }

    /// The earliest deadline of all, or `nil` when every channel is paused.
    package var nextDeadline: Instant? {
        var earliest: Instant?
        for entry in entries {
            if let deadline = entry.deadline, earliest.map({ deadline < $0 }) ?? true { earliest = deadline }
        }
        return earliest
    }

    package func period(of channel: ChannelID) -> Period? { entries[channel.index].period }

    /// Starts a paused channel with a sample at `firstDeadline`; from then on it keeps to the grid.
    package mutating func resume(_ channel: ChannelID, at firstDeadline: Instant) {
        guard entries[channel.index].deadline == nil else { return }
        entries[channel.index].deadline = firstDeadline
        entries[channel.index].deadlinePeriod = entries[channel.index].period
        entries[channel.index].isFirst = true
        entries[channel.index].lastSample = nil
    }

    package mutating func pause(_ channel: ChannelID) { entries[channel.index].deadline = nil }

    /// Changes a channel's period. The old period is not waited out: the next sample is due at the new grid's next
    /// point.
    package mutating func setPeriod(_ period: Period, for channel: ChannelID, now: Instant) {
        entries[channel.index].period = period
        // What is due already stays due.
        guard let deadline = entries[channel.index].deadline, deadline > now, !entries[channel.index].isFirst else {
            return
        }
        setDeadline(channel.index, now: now)
    }

    /// Takes one due channel, the longest overdue first, and moves its deadline on.
    ///
    /// Grid points missed while the process was stopped are skipped and counted, not replayed.
    package mutating func popDue(now: Instant) -> Due? {
        var index = -1
        var deadline = now
        for candidate in entries.indices {
            guard let other = entries[candidate].deadline, other <= now, index < 0 || other < deadline else { continue }
            index = candidate
            deadline = other
        }
        guard index >= 0 else { return nil }
        let missedCount = entries[index].deadlinePeriod.map { period in
            (now.nanoseconds - deadline.nanoseconds) / period.nanoseconds
        }
        entries[index].lastSample = entries[index].isFirst ? now : nil
        entries[index].isFirst = false
        setDeadline(index, now: now)
        entries[index].lastSample = now
        return Due(channel: ChannelID(index: index), missedCount: missedCount ?? 0)
    }

    /// Sets the deadline to the next point of the grid, but not right behind a sample that lay beside it: a rate over a
    /// sliver of a period is noise.
    private mutating func setDeadline(_ index: Int, now: Instant) {
        entries[index].deadlinePeriod = entries[index].period
        guard let period = entries[index].period else {
            entries[index].deadline = nil
            return
        }
        var earliest = now
        if let last = entries[index].lastSample {
            earliest = max(now, Instant(nanoseconds: last.nanoseconds + period.nanoseconds / 2))
        }
        entries[index].deadline = Self.gridPoint(after: earliest, period: period)
    }

    /// The first multiple of `period` after `now`.
    private static func gridPoint(after now: Instant, period: Period) -> Instant {
        Instant(nanoseconds: (now.nanoseconds / period.nanoseconds + 1) * period.nanoseconds)
    }
}
