internal import FoxgloveProtocol
internal import TelemetrySchema

/// A file with all settings of a configuration, each with a comment: what `sysmon-agent config default` prints.
package enum ConfigurationSample {
    package static func text(of configuration: Configuration) -> String {
        var text = """
            // All settings of sysmon-agent and their defaults, as JSON5: comments, trailing commas
            // and names without quotes are allowed. Keep only those that you change; the defaults of
            // others may become better with a new version. sysmon-agent.config(5) tells more.
            {

            """
        for section in Setting.sections {
            text += "    \(section): {\n"
            for setting in Setting.all where setting.section == section {
                text += comment(setting.note, indent: 8)
                text += "        \(setting.name): \(json(setting.read(configuration))),\n"
            }
            text += "    },\n\n"
        }
        text += comment("By topic. A channel has those of these settings that are shown:", indent: 4)
        for setting in ChannelSetting.all { text += comment("\(setting.name): \(setting.note)", indent: 4) }
        text += "    channels: {\n"
        for channel in configuration.channels {
            if let description = topicDescriptions[channel.topic] { text += comment(description.summary, indent: 8) }
            let members = channel.settings(of: .host).map { setting in
                "\(setting.name): \(json(channel.value(of: setting.name) ?? .null))"
            }
            text += "        \"\(channel.topic)\": {\(members.joined(separator: ", "))},\n"
        }
        return text + "    },\n}\n"
    }

    private static func comment(_ text: String, indent: Int) -> String {
        wrapped(text, indent: String(repeating: " ", count: indent) + "// ", width: 100)
    }

    /// JSON on one line, with blanks between the entries.
    private static func json(_ value: JSONValue) -> String {
        switch value {
        case .array(let entries): "[\(entries.map(json).joined(separator: ", "))]"
        case .object(let members):
            "{\(members.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \(json($0.value))" }.joined(separator: ", "))}"
        default: value.text
        }
    }
}

extension Setting {
    /// One or two sentences: what it is, what it takes, and what goes without it.
    var note: String {
        sentence(summary) + " \(kind.note)" + (defaultText.map { " null: \($0)." } ?? "")
            + (author == .client ? " Clients may change it." : "")
    }
}

extension ChannelSetting {
    var note: String {
        sentence(summary) + " \(kind.note)" + (isOptional ? " null: none." : "")
            + (author == .client ? " Clients may change it." : "")
    }
}

extension SettingKind {
    fileprivate var note: String {
        switch self {
        case .flag: "Takes true or false."
        case .rates: "Takes an object keyed by topic."
        default: "Takes \(description)."
        }
    }
}
