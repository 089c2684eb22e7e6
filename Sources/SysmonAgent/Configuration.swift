package import FoxgloveProtocol
package import HostMetrics
package import Telemetry

/// The effective settings: the one vocabulary for patches, parameters, services, options and the `/config` channel.
///
/// A value is checked here and nowhere else. A patch with anything wrong in it changes nothing, and is refused with a
/// text that names key, value and bound.
package struct Configuration: Equatable, Sendable {
    package struct ChannelSettings: Equatable, Sendable {
        package var topic: String
        package var isEnabled = true
        /// Nil: the channel has no timer and cannot have a rate.
        package var sampling: Sampling?
        /// Set on the host only, and only those that are in ``entrySettings``.
        package var entries = EntrySettings()
        package var entrySettings: [EntrySetting]

        package init(topic: String, sampling: Sampling?, entrySettings: [EntrySetting] = []) {
            self.topic = topic
            self.sampling = sampling
            self.entrySettings = entrySettings
        }

        /// Channels of one topic have the same parameters in the same order.
        var parameters: [Parameter] {
            var parameters = [Parameter(name: "\(topic).enabled", value: .json(.bool(isEnabled)))]
            if let sampling {
                parameters.append(Parameter(name: "\(topic).rate_hertz", value: .float(sampling.rateHertz)))
                parameters.append(Parameter(name: "\(topic).window_seconds", value: .float(sampling.windowSeconds)))
            }
            return parameters
        }
    }

    package struct Sampling: Equatable, Sendable {
        /// Samples per second.
        package var rateHertz: Double
        /// Shortest span of rates and shares.
        package var windowSeconds: Double

        package init(rateHertz: Double, windowSeconds: Double) {
            self.rateHertz = rateHertz
            self.windowSeconds = windowSeconds
        }
    }

    /// Whose patch it is.
    package enum Author: Sendable { case client, host }

    /// Why a patch was refused, for its sender. Depends on the patch only.
    package struct Refusal: Error, Equatable, Sendable {
        package var text: String
        package init(text: String) { self.text = text }
    }

    package static let rateHertzRange = 0.001...1_000
    package static let windowSecondsRange = 0.0...10

    package static let logLevels = ["error", "warning", "info", "debug"]

    /// By channel.
    package private(set) var channels: [ChannelSettings]
    /// What the agent writes to its log: one of ``logLevels``.
    package var logLevel: String
    /// What is set on the host only: shown, and refused to clients.
    package let hostSettings: [Parameter]
    /// Set on the host only.
    package var boost = BoostSettings()

    package init(channels: [ChannelSettings], logLevel: String = "info", hostSettings: [Parameter] = []) {
        self.channels = channels
        self.logLevel = logLevel
        self.hostSettings = hostSettings
    }

    package subscript(channel: ChannelID) -> ChannelSettings { channels[channel.index] }

    /// By topic, for the collectors.
    package var entrySettings: [String: EntrySettings] {
        Dictionary(channels.map { ($0.topic, $0.entries) }) { first, _ in first }
    }

    // MARK: Patches

    /// Applies a JSON patch such as `{"channels": {"/cpu": {"rate_hertz": 20}}}`, or with the channels as a list whose
    /// entries carry the topic as `id`, as viewers build it from the schema of `/config`.
    package mutating func apply(patch text: [UInt8], by author: Author = .client) throws(Refusal) {
        let patch: JSONValue
        do {
            patch = try JSONValue(parsing: text)
        } catch .tooDeep {
            throw Refusal(text: "/config: the patch is nested deeper than \(JSONValue.depthLimit) levels")
        } catch {
            throw Refusal(text: "/config: the patch is not JSON")
        }
        guard case .object(let members) = patch else { throw Refusal(text: "/config: the patch is not a JSON object") }
        var patched = self
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            switch key {
            case "header": break
            case "channels": try patched.applyChannels(value, by: author)
            case "log": try patched.applyLog(value)
            case "boost":
                guard author == .host else { throw Refusal(text: "boost is set on the host only") }
                try patched.applyBoost(value)
            default:
                throw Refusal(text: "/config: \(quoted(key)) is unknown; a patch may have \"channels\" and \"log\"")
            }
        }
        self = patched
    }

    /// Sets one setting of a channel, as `--rate` does.
    package mutating func set(
        _ setting: String, of topic: String, to value: JSONValue, by author: Author = .client
    ) throws(Refusal) {
        guard let index = channels.firstIndex(where: { $0.topic == topic }) else {
            throw Refusal(
                text: "\(quoted(topic)) is no channel; there are \(channels.map(\.topic).joined(separator: ", "))")
        }
        let key = "\(topic).\(setting)"
        switch setting {
        case "enabled":
            guard case .bool(let isEnabled) = value else {
                throw Refusal(text: "\(key): \(text(of: value)) is not true or false")
            }
            channels[index].isEnabled = isEnabled
        case "rate_hertz", "window_seconds":
            guard var sampling = channels[index].sampling else {
                throw Refusal(text: "\(key): this channel is published on change and has only \"enabled\"")
            }
            if setting == "rate_hertz" {
                sampling.rateHertz = try number(value, in: Self.rateHertzRange, key: key)
            } else {
                sampling.windowSeconds = try number(value, in: Self.windowSecondsRange, key: key)
            }
            channels[index].sampling = sampling
        default:
            guard let entrySetting = EntrySetting(rawValue: setting),
                author == .client || channels[index].entrySettings.contains(entrySetting)
            else {
                throw Refusal(
                    text:
                        "\(topic): \(quoted(setting)) is unknown; a channel has rate_hertz, enabled and window_seconds"
                        + (author == .host ? channels[index].entrySettings.map { ", \($0.rawValue)" }.joined() : ""))
            }
            guard author == .host else { throw Refusal(text: "\(key) is set on the host only") }
            try channels[index].set(entrySetting, to: value, key: key)
        }
    }

    private mutating func applyLog(_ value: JSONValue) throws(Refusal) {
        guard case .object(let members) = value else { throw Refusal(text: "log: \(text(of: value)) is not an object") }
        for (setting, value) in members.sorted(by: { $0.key < $1.key }) {
            guard setting == "level" else { throw Refusal(text: "log: \(quoted(setting)) is unknown; there is level") }
            try setLogLevel(value)
        }
    }

    private mutating func setLogLevel(_ value: JSONValue) throws(Refusal) {
        guard case .string(let level) = value, Self.logLevels.contains(level) else {
            throw Refusal(text: "log.level: \(text(of: value)) is not error, warning, info or debug")
        }
        logLevel = level
    }

    // MARK: Parameters

    /// All settings as viewers see them: `<topic>.<setting>`, `log.level`, and those of the host.
    package var parameters: [Parameter] {
        channels.flatMap { $0.parameters } + [Parameter(name: "log.level", value: .json(.string(logLevel)))]
            + hostSettings
    }

    /// Takes values for parameters, all or none of them; one without a value gets back what it has in `defaults`.
    package mutating func apply(_ assignments: [Parameter], defaults: Configuration) throws(Refusal) {
        var patched = self
        let known = Dictionary(defaults.parameters.map { ($0.name, $0.value) }) { first, _ in first }
        let hostNames = Set(hostSettings.map(\.name))
        for assignment in assignments {
            let name = assignment.name
            guard let value = known[name] ?? nil else { throw Refusal(text: "\(quoted(name)) is no parameter") }
            guard !hostNames.contains(name) else {
                throw Refusal(text: "\(name) is set on the host only")
            }
            let json = (assignment.value ?? value).json
            if name == "log.level" {
                try patched.setLogLevel(json)
            } else if let dot = name.lastIndex(of: ".") {
                try patched.set(String(name[name.index(after: dot)...]), of: String(name[..<dot]), to: json)
            }
        }
        self = patched
    }

    // MARK: Reading patches

    private mutating func applyChannels(_ value: JSONValue, by author: Author) throws(Refusal) {
        switch value {
        case .object(let entries):
            for (topic, settings) in entries.sorted(by: { $0.key < $1.key }) {
                guard case .object(let members) = settings else {
                    throw Refusal(text: "\(quoted(topic)): \(text(of: settings)) is not a JSON object")
                }
                try applySettings(members, to: topic, by: author)
            }
        case .array(let entries):
            for entry in entries {
                guard case .object(var members) = entry, case .string(let topic)? = members.removeValue(forKey: "id")
                else {
                    throw Refusal(text: "channels: \(text(of: entry)) is not an object with the topic as \"id\"")
                }
                try applySettings(members, to: topic, by: author)
            }
        default:
            throw Refusal(text: "channels: \(text(of: value)) is not an object keyed by topic, nor a list")
        }
    }

    private mutating func applySettings(
        _ members: [String: JSONValue], to topic: String, by author: Author
    ) throws(Refusal) {
        guard channels.contains(where: { $0.topic == topic }) else {
            throw Refusal(
                text: "\(quoted(topic)) is no channel; there are \(channels.map(\.topic).joined(separator: ", "))")
        }
        for (setting, value) in members.sorted(by: { $0.key < $1.key }) {
            try set(setting, of: topic, to: value, by: author)
        }
    }

}

/// A number within a range, ends included.
func number(
    _ value: JSONValue, in range: ClosedRange<Double>, key: String
) throws(Configuration.Refusal) -> Double {
    guard case .number(let number) = value, range.contains(number) else {
        let bounds = "\(text(of: .number(range.lowerBound))) to \(text(of: .number(range.upperBound)))"
        throw Configuration.Refusal(text: "\(key): \(text(of: value)) is not a number from \(bounds)")
    }
    return number
}

/// A value as a text may show it: short, on one line.
func text(of value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let bool): "\(bool)"
    case .number(let number):
        number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    case .string(let string): quoted(string)
    case .array: "a list"
    case .object: "an object"
    }
}
