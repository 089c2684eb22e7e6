package import Telemetry

/// Keeps one line from filling the log: the same one is written once in an interval, and then with a count of how often
/// it came meanwhile.
package struct LogThrottle: Sendable {
    private struct Entry {
        var line: LogLine
        var writtenAt: Instant
    }

    package static let interval = Period.seconds(10)
    /// Of different lines that are remembered; beyond them the oldest is forgotten.
    static let lineLimit = 64

    /// The line that was written the longest time ago comes first.
    private var entries: [Entry] = []

    package init() {}

    /// What is to be written now that `line` has come: it or nothing, and before it what is due.
    package mutating func lines(for line: LogLine, now: Instant) -> [LogLine] {
        var lines = dueLines(now: now)
        if let index = entries.firstIndex(where: { $0.line.isSame(as: line) }) {
            entries[index].line.leftOutCount += 1
            return lines
        }
        if entries.count >= Self.lineLimit {
            let oldest = entries.removeFirst().line
            if oldest.leftOutCount > 0 { lines.append(oldest) }
        }
        entries.append(Entry(line: line, writtenAt: now))
        return lines + [line]
    }

    /// The lines that were left out and whose interval is over, with their counts.
    package mutating func dueLines(now: Instant) -> [LogLine] {
        var lines: [LogLine] = []
        while let first = entries.first, first.writtenAt + Self.interval <= now {
            entries.removeFirst()
            guard first.line.leftOutCount > 0 else { continue }
            lines.append(first.line)
            var line = first.line
            line.leftOutCount = 0
            entries.append(Entry(line: line, writtenAt: now))
        }
        return lines
    }

    /// All that were left out, at the end of the log.
    package mutating func lastLines() -> [LogLine] {
        defer { entries = [] }
        return entries.map(\.line).filter { $0.leftOutCount > 0 }
    }
}

extension LogLine {
    fileprivate func isSame(as other: LogLine) -> Bool {
        var other = other
        other.leftOutCount = leftOutCount
        return self == other
    }
}
