package import FoxgloveProtocol
internal import Telemetry

/// A setting that is not one of a channel: what the file, options, variables and the texts about them know of it.
package struct Setting: Sendable {
    /// Section and name, such as `server.port`.
    package let key: String
    package let kind: SettingKind
    /// Null is a value too: there is none.
    package let isOptional: Bool
    /// One line, without the default.
    package let summary: String
    /// The long option that is its short form, without dashes.
    package let option: String?
    /// Whose patches may change it besides those of the host.
    package let author: Configuration.Author
    /// A change takes effect when the agent starts anew.
    package let needsRestart: Bool
    /// Where there is none to be shown as a value.
    package let defaultText: String?
    package let read: @Sendable (Configuration) -> JSONValue
    /// Takes values that ``kind`` finds no fault with.
    let write: @Sendable (inout Configuration, JSONValue) -> Void

    package typealias Path<Value> = any WritableKeyPath<Configuration, Value> & Sendable

    package var section: String { String(key.prefix { $0 != "." }) }
    package var name: String { String(key.drop { $0 != "." }.dropFirst()) }
    /// Of the environment.
    package var variable: String { "SYSMON_" + key.uppercased().split(separator: ".").joined(separator: "_") }
    package var defaultValue: JSONValue { read(Configuration(channels: [])) }

    /// Nil: there is no such setting.
    package static func of(key: String) -> Setting? { byKey[key] }

    private static let byKey = Dictionary(all.map { ($0.key, $0) }) { first, _ in first }

    /// In the order of ``all``.
    package static let sections = all.reduce(into: [String]()) { sections, setting in
        if !sections.contains(setting.section) { sections.append(setting.section) }
    }

    private init(
        _ key: String, _ kind: SettingKind, isOptional: Bool = false, _ summary: String, _ traits: Traits,
        read: @escaping @Sendable (Configuration) -> JSONValue,
        write: @escaping @Sendable (inout Configuration, JSONValue) -> Void
    ) {
        self.key = key
        self.kind = kind
        self.isOptional = isOptional
        self.summary = summary
        option = traits.option
        author = traits.author
        needsRestart = traits.needsRestart
        defaultText = traits.defaultText
        self.read = read
        self.write = write
    }

    /// What few settings have in common.
    struct Traits {
        var option: String?
        var author = Configuration.Author.host
        var needsRestart = true
        var defaultText: String?
    }
}

// By the type of what is set.
extension Setting {
    init(_ key: String, _ path: Path<Bool>, _ summary: String, _ traits: Traits = Traits()) {
        self.init(key, .flag, summary, traits) {
            .bool($0[keyPath: path])
        } write: { configuration, value in
            if case .bool(let flag) = value { configuration[keyPath: path] = flag }
        }
    }

    init(_ key: String, _ path: Path<Int>, in range: ClosedRange<Int>, _ summary: String, _ traits: Traits = Traits()) {
        self.init(key, .integer(range), summary, traits) {
            .number(Double($0[keyPath: path]))
        } write: { configuration, value in
            if case .number(let number) = value { configuration[keyPath: path] = Int(number) }
        }
    }

    init(
        _ key: String, _ path: Path<Double>, in range: ClosedRange<Double>, _ summary: String,
        _ traits: Traits = Traits()
    ) {
        self.init(key, .number(range), summary, traits) {
            .number($0[keyPath: path])
        } write: { configuration, value in
            if case .number(let number) = value { configuration[keyPath: path] = number }
        }
    }

    /// In seconds.
    init(
        _ key: String, _ path: Path<Period>, in range: ClosedRange<Double>, _ summary: String,
        _ traits: Traits = Traits()
    ) {
        self.init(key, .number(range), summary, traits) {
            .number($0[keyPath: path].seconds)
        } write: { configuration, value in
            guard case .number(let seconds) = value else { return }
            configuration[keyPath: path] = .milliseconds(UInt64((seconds * 1_000).rounded()))
        }
    }

    init(_ key: String, _ path: Path<String>, _ kind: SettingKind, _ summary: String, _ traits: Traits = Traits()) {
        self.init(key, kind, summary, traits) {
            .string($0[keyPath: path])
        } write: { configuration, value in
            if case .string(let text) = value { configuration[keyPath: path] = text }
        }
    }

    init(
        _ key: String, optional path: Path<String?>, _ form: SettingKind.TextForm, _ summary: String,
        _ traits: Traits = Traits()
    ) {
        self.init(key, .text(form), isOptional: true, summary, traits) { configuration in
            configuration[keyPath: path].map { .string($0) } ?? .null
        } write: { configuration, value in
            if case .string(let text) = value {
                configuration[keyPath: path] = text
            } else {
                configuration[keyPath: path] = nil
            }
        }
    }

    init(
        _ key: String, _ path: Path<[String]>, each form: SettingKind.TextForm, _ summary: String,
        _ traits: Traits = Traits()
    ) {
        self.init(key, .texts(form), summary, traits) {
            .array($0[keyPath: path].map { .string($0) })
        } write: { configuration, value in
            guard case .array(let entries) = value else { return }
            configuration[keyPath: path] = entries.compactMap { if case .string(let text) = $0 { text } else { nil } }
        }
    }

    init(_ key: String, rates path: Path<[String: Double]>, _ summary: String, _ traits: Traits = Traits()) {
        self.init(key, .rates, summary, traits) {
            .object($0[keyPath: path].mapValues { .number($0) })
        } write: { configuration, value in
            guard case .object(let rates) = value else { return }
            configuration[keyPath: path] = rates.compactMapValues {
                if case .number(let rate) = $0 { rate } else { nil }
            }
        }
    }
}

extension Configuration {
    /// Takes from `old` what only a restart can change, and returns the keys of what was another value.
    package mutating func keepSettings(thatNeedRestartOf old: Configuration) -> [String] {
        var keys: [String] = []
        for setting in Setting.all where setting.needsRestart && setting.read(self) != setting.read(old) {
            keys.append(setting.key)
            setting.write(&self, setting.read(old))
        }
        return keys
    }
}
