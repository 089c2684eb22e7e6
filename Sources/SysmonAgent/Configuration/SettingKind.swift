internal import FoxgloveProtocol
internal import FoxgloveServer
internal import HostMetrics

/// What values a setting takes.
package enum SettingKind: Sendable {
    case flag
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case choice([String])
    case text(TextForm)
    case texts(TextForm)
    /// Samples per second by topic.
    case rates

    /// What a text must be like.
    package struct TextForm: Sendable {
        /// As help shows it, such as `HOST`.
        package var placeholder: String
        /// In words, such as "a path".
        package var description: String
        /// What is wrong with a text, in words that follow it; nil: nothing.
        var fault: @Sendable (String) -> String?
    }

    /// In words that follow "is not" or "takes".
    package var description: String {
        switch self {
        case .flag: "true or false"
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .number(let range):
            "a number from \(Self.shown(range.lowerBound)) to \(Self.shown(range.upperBound))"
        case .choice(let words): words.dropLast().joined(separator: ", ") + " or \(words.last ?? "")"
        case .text(let form): form.description
        case .texts(let form): "a list, each entry \(form.description)"
        case .rates: "an object keyed by topic"
        }
    }

    private static func shown(_ number: Double) -> String { SysmonAgent.text(of: .number(number)) }

    /// What is wrong with a value, in words that follow it; nil: nothing. Topics of ``rates`` are not looked at.
    func fault(of value: JSONValue) -> String? {
        switch (self, value) {
        case (.flag, .bool): nil
        case (.integer(let range), .number(let number)) where Int(exactly: number).map(range.contains) == true: nil
        case (.number(let range), .number(let number)) where range.contains(number): nil
        case (.choice(let words), .string(let word)) where words.contains(word): nil
        case (.text(let form), .string(let text)): form.fault(text)
        case (.texts, .array): nil
        case (.rates, .object): nil
        default: "is not \(description)"
        }
    }

    /// A value from a variable or an option, as the file would have it; lists are separated by commas.
    func value(ofText text: String, isOptional: Bool) -> JSONValue {
        switch self {
        case .choice: .string(text)
        case .text: isOptional && text.isEmpty ? .null : .string(text)
        case .texts: .array(text.split(separator: ",").map { .string(String($0)) })
        case .flag, .integer, .number, .rates:
            (try? JSON5Reader.value(of: Array(text.utf8)))?.json ?? .string(text)
        }
    }
}

extension SettingKind.TextForm {
    /// One line of at most so many bytes.
    static func line(_ placeholder: String, byteLimit: Int) -> Self {
        let description = "a text of 1 to \(byteLimit) bytes on one line"
        return Self(placeholder: placeholder, description: description) { text in
            1...byteLimit ~= text.utf8.count && !text.utf8.contains { $0 < 0x20 || $0 == 0x7F }
                ? nil : "is not \(description)"
        }
    }

    static let path = Self(placeholder: "PATH", description: "a path") { text in
        1...4_095 ~= text.utf8.count && !text.utf8.contains(0) ? nil : "is not a path"
    }

    static let serverName = Self(placeholder: "NAME", description: "a name without scheme and port") { text in
        AccessPolicy.name(text) == nil ? "is not a name without scheme and port" : nil
    }

    static let origin = Self(
        placeholder: "ORIGIN", description: "SCHEME://HOST, SCHEME://HOST:PORT or SCHEME://HOST:*, without path"
    ) { text in
        OriginPattern(text) == nil
            ? "is not SCHEME://HOST, SCHEME://HOST:PORT or SCHEME://HOST:*, without path" : nil
    }

    static let pattern = Self(placeholder: "PATTERN", description: "an extended regular expression") { text in
        do throws(Pattern.Fault) {
            _ = try Pattern(text)
            return nil
        } catch { return error.text }
    }
}
