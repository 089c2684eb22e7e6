import Glibc
import Presentation

/// The terminal of a full-screen command: every key is read as it is pressed, and what was there before comes back in
/// the end.
final class Terminal {
    private var saved = termios()
    private var isEntered = false

    /// Nil: there is none, or it can show no screens.
    init?() {
        let kind = unsafe getenv("TERM").map { unsafe String(cString: $0) } ?? ""
        guard !["", "dumb"].contains(kind), isatty(STDIN_FILENO) == 1, Output.terminalSize != nil,
            unsafe tcgetattr(STDIN_FILENO, &saved) == 0
        else { return nil }
    }

    deinit { leave() }

    func enter() {
        var raw = saved
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        unsafe tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        isEntered = true
        Output.write(FrameWriter.enter)
    }

    func leave() {
        guard isEntered else { return }
        isEntered = false
        let bytes = Array(FrameWriter.leave.utf8)
        // The terminal may be gone by now.
        _ = unsafe write(STDOUT_FILENO, bytes, bytes.count)
        unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved)
    }

    var pollRequest: pollfd { pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0) }

    /// The keys that were pressed; nil: the terminal is gone. To be called when there are some.
    func readKeys() -> [TopModel.Key]? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = unsafe read(STDIN_FILENO, &bytes, bytes.count)
        guard count > 0 else { return count < 0 && errno == EINTR ? [] : nil }
        var keys: [TopModel.Key] = []
        var rest = bytes[..<count]
        while let byte = rest.popFirst() {
            switch Character(Unicode.Scalar(byte)) {
            case "q", "Q": keys.append(.quit)
            case "p", "P", " ": keys.append(.pause)
            case "?", "h": keys.append(.help)
            case "+", "=": keys.append(.faster)
            case "-", "_": keys.append(.slower)
            case "\t": keys.append(.next)
            // Other keys send more than one byte: escape, a bracket, and a letter or tilde at the end.
            case "\u{1B}":
                guard rest.first == UInt8(ascii: "[") || rest.first == UInt8(ascii: "O") else { continue }
                rest = rest.dropFirst()
                let parameters = rest.prefix { $0 < 0x40 }
                rest = rest.dropFirst(parameters.count)
                if rest.popFirst() == UInt8(ascii: "Z") { keys.append(.previous) }
            default: break
            }
        }
        return keys
    }

    /// Whether it shows more than ASCII, as the locale says.
    static var isUnicode: Bool {
        for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
            guard let value = unsafe getenv(name).map({ unsafe String(cString: $0) }), !value.isEmpty else { continue }
            let encoding = value.uppercased()
            return encoding.contains("UTF-8") || encoding.contains("UTF8")
        }
        return false
    }

    /// https://no-color.org
    static var hasColor: Bool { unsafe getenv("NO_COLOR").map { unsafe $0.pointee == 0 } ?? true }
}
