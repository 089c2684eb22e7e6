import Glibc

/// One line per event on stderr.
final class Log {
    enum Level: Int, CaseIterable {
        case error, warning, info, debug
    }

    var level: Level

    init(level: Level) { self.level = level }

    /// By its name; another one changes nothing.
    func setLevel(_ name: String) { level = Level.allCases.first { "\($0)" == name } ?? level }

    func callAsFunction(_ level: Level, _ text: String) {
        guard level.rawValue <= self.level.rawValue else { return }
        writeError("\(level): \(text)")
    }
}

/// Writes one line to stderr.
func writeError(_ text: String) {
    let line = Array("sysmon-agent: \(text)\n".utf8)
    _ = unsafe write(STDERR_FILENO, line, line.count)
}
