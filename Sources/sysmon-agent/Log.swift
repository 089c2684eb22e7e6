import Glibc
import HostMetrics
import SysmonAgent
import Telemetry

/// The log of the running agent: lines on stderr.
final class Log {
    typealias Level = LogLine.Level
    typealias Format = LogLine.Format

    var level: Level
    var format: Format
    private let output = StandardError()
    private var throttle = LogThrottle()
    private var lostCount = 0

    init(level: Level, format: Format) {
        self.level = level
        self.format = format
    }

    /// By its name; another one changes nothing.
    func setLevel(_ name: String) { level = Level.allCases.first { "\($0)" == name } ?? level }

    /// `name` is the topic or the part of the agent that is concerned.
    func callAsFunction(_ level: Level, _ text: String, name: String? = nil) {
        guard level.rawValue <= self.level.rawValue else { return }
        write(throttle.lines(for: LogLine(level, text, name: name), now: SystemClock.monotonic()))
    }

    /// Writes how often lines were left out, once their time has come.
    func writeLeftOut(now: Instant) { write(throttle.dueLines(now: now)) }

    /// Writes what was left out, before the agent ends.
    func finish() { write(throttle.lastLines()) }

    private func write(_ lines: [LogLine]) {
        for line in lines {
            if lostCount > 0, write(LogLine(.warning, "\(lostCount) lines were lost: stderr did not take them")) {
                lostCount = 0
            }
            if !write(line) { lostCount += 1 }
        }
    }

    private func write(_ line: LogLine) -> Bool {
        let time = output.isJournal ? nil : SystemClock.now().realtime
        return output.write(line.text(format, time: time, hasPriority: output.isJournal))
    }
}

/// Tells a person at a terminal, in one line on stderr, why a command did not do what it should.
func writeError(_ text: String) {
    let line = Array("sysmon-agent: \(text)\n".utf8)
    _ = unsafe write(STDERR_FILENO, line, line.count)
}
