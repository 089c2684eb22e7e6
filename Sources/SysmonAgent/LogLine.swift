internal import FoundationEssentials
package import Telemetry

/// One line of the log that the owner reads: `level=warning msg="/md was not sampled: EIO" name=/md`.
///
/// What clients, files and the kernel say comes into it. So nothing in it ends the line or steers a terminal: a
/// character that does not show is written as `\u001b`.
package struct LogLine: Equatable, Sendable {
    package enum Level: Int, CaseIterable, Sendable {
        case error, warning, info, debug

        /// Of syslog(3), as systemd's journal reads it from the begin of a line.
        fileprivate var priority: Int { [3, 4, 6, 7][rawValue] }
    }

    package enum Format: String, CaseIterable, Sendable {
        /// `key=value` pairs, with values quoted where they need it.
        case logfmt
        /// An object on each line, with the same keys.
        case json
    }

    /// Of a whole line: what a pipe takes at once or not at all (PIPE_BUF).
    package static let byteLimit = 4_096
    /// Of a message and of a name, with their escapes; the rest is cut.
    static let messageByteLimit = 3_500
    static let nameByteLimit = 256

    package let level: Level
    /// Escaped and cut, without quotation marks.
    private let message: String
    /// The topic or the part of the agent that is concerned, like the message.
    private let name: String?
    /// How often the line came again without being written.
    package var leftOutCount = 0

    package init(_ level: Level, _ message: String, name: String? = nil) {
        self.level = level
        self.message = Self.escaped(message, byteLimit: Self.messageByteLimit)
        self.name = name.map { Self.escaped($0, byteLimit: Self.nameByteLimit) }
    }

    /// The line with its end. `time` and the priority are for a reader that does not know them by itself.
    package func text(_ format: Format, time: Timestamp?, hasPriority: Bool = false) -> String {
        var fields: [(key: String, value: String)] = []
        if let time { fields.append(("time", quoted(Self.text(of: time), format))) }
        fields.append(("level", quoted("\(level)", format)))
        fields.append(("msg", "\"\(message)\""))
        if let name { fields.append(("name", quoted(name, format))) }
        if leftOutCount > 0 { fields.append(("left_out", String(leftOutCount))) }
        let priority = hasPriority ? "<\(level.priority)>" : ""
        switch format {
        case .logfmt: return priority + fields.map { "\($0.key)=\($0.value)" }.joined(separator: " ") + "\n"
        case .json: return priority + "{" + fields.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}\n"
        }
    }

    private func quoted(_ escaped: String, _ format: Format) -> String {
        let isWord =
            !escaped.isEmpty && escaped.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"\\=".utf8.contains($0) }
        return format == .logfmt && isWord ? escaped : "\"\(escaped)\""
    }

    /// As it may stand between quotation marks, in logfmt and JSON alike.
    private static func escaped(_ text: String, byteLimit: Int) -> String {
        let ellipsis = "…"
        var result = ""
        var byteCount = ellipsis.utf8.count
        for scalar in text.unicodeScalars {
            let piece = escaped(scalar)
            byteCount += piece.utf8.count
            guard byteCount <= byteLimit else { return result + ellipsis }
            result += piece
        }
        return result
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default: break
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator:
            return String(scalar).utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        default: return String(scalar)
        }
    }

    /// RFC 3339, in UTC, with milliseconds.
    private static func text(of time: Timestamp) -> String {
        let seconds = time.unixNanoseconds / 1_000_000_000
        let milliseconds = time.unixNanoseconds / 1_000_000 % 1_000
        // A Double holds whole seconds exactly.
        let wholeSeconds = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601).dropLast()
        return "\(wholeSeconds).\(String(1_000 + milliseconds).dropFirst())Z"
    }
}
