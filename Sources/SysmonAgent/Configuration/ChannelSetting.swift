package import FoxgloveProtocol
internal import HostMetrics

/// A setting that channels have, each or some of them.
package struct ChannelSetting: Sendable {
    package let name: String
    package let kind: SettingKind
    /// Null is a value too: there is none.
    package let isOptional: Bool
    /// Whose patches may change it besides those of the host.
    package let author: Configuration.Author
    /// One line.
    package let summary: String

    private init(
        _ name: String, _ kind: SettingKind, isOptional: Bool = false, _ author: Configuration.Author, _ summary: String
    ) {
        self.name = name
        self.kind = kind
        self.isOptional = isOptional
        self.author = author
        self.summary = summary
    }

    private init(_ setting: EntrySetting, _ kind: SettingKind, isOptional: Bool = false, _ summary: String) {
        self.init(setting.rawValue, kind, isOptional: isOptional, .host, summary)
    }

    /// All that any channel has, those first that every one has.
    package static let all = [
        ChannelSetting("enabled", .flag, .client, "whether the channel is offered"),
        ChannelSetting("rate_hertz", .number(Configuration.rateHertzRange), .client, "samples per second"),
        ChannelSetting(
            "window_seconds", .number(Configuration.windowSecondsRange), .client, "shortest span of rates and shares"),
        ChannelSetting(.include, .text(.pattern), isOptional: true, "only entries whose whole id matches"),
        ChannelSetting(.exclude, .text(.pattern), isOptional: true, "no entries whose whole id matches"),
        ChannelSetting(.includeType, .text(.pattern), isOptional: true, "only file systems of such a type"),
        ChannelSetting(.excludeType, .text(.pattern), isOptional: true, "no file systems of such a type"),
        ChannelSetting(.maxEntries, .integer(Limits.entryCountRange), "entries of one message at most"),
        ChannelSetting(.raw, .flag, "let implausible values of sensors through"),
    ]
}

extension Configuration.ChannelSettings {
    /// Those of ``ChannelSetting/all`` that this channel has and `author` may change.
    package func settings(of author: Configuration.Author) -> [ChannelSetting] {
        ChannelSetting.all.filter { (author == .host || $0.author == .client) && value(of: $0.name) != nil }
    }

    /// Nil: this channel has no such setting.
    package func value(of name: String) -> JSONValue? {
        let text = { (pattern: Pattern?) -> JSONValue in pattern.map { .string($0.text) } ?? .null }
        switch name {
        case "enabled": return .bool(isEnabled)
        case "rate_hertz": return sampling.map { .number($0.rateHertz) }
        case "window_seconds": return sampling.map { .number($0.windowSeconds) }
        default:
            guard let setting = EntrySetting(rawValue: name), entrySettings.contains(setting) else { return nil }
            return switch setting {
            case .include: text(entries.include)
            case .exclude: text(entries.exclude)
            case .includeType: text(entries.includeType)
            case .excludeType: text(entries.excludeType)
            case .maxEntries: .number(Double(entries.entryCountMax))
            case .raw: .bool(entries.isRaw)
            }
        }
    }

    /// Takes values that the setting's kind finds no fault with.
    mutating func set(_ name: String, to value: JSONValue) {
        switch (name, value) {
        case ("enabled", .bool(let isEnabled)): self.isEnabled = isEnabled
        case ("rate_hertz", .number(let hertz)): sampling?.rateHertz = hertz
        case ("window_seconds", .number(let seconds)): sampling?.windowSeconds = seconds
        case ("include", _): entries.include = pattern(value)
        case ("exclude", _): entries.exclude = pattern(value)
        case ("include_type", _): entries.includeType = pattern(value)
        case ("exclude_type", _): entries.excludeType = pattern(value)
        case ("max_entries", .number(let count)): entries.entryCountMax = Int(count)
        case ("raw", .bool(let isRaw)): entries.isRaw = isRaw
        default: break
        }
    }

    private func pattern(_ value: JSONValue) -> Pattern? {
        if case .string(let text) = value { try? Pattern(text) } else { nil }
    }
}
