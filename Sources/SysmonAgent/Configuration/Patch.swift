internal import FoxgloveProtocol

/// Which setting: `/cpu.rate_hertz` of a channel, or `server.port` of a section.
package enum SettingKey: Hashable, Sendable, CustomStringConvertible {
    case channel(topic: String, name: String)
    case section(String, name: String)

    /// Nil: it has no dot. The file's way to a channel, `channels./cpu.rate_hertz`, is understood too.
    package init?(_ text: String) {
        let key = text.hasPrefix("channels./") ? text.dropFirst("channels.".count) : text[...]
        guard let dot = key.hasPrefix("/") ? key.lastIndex(of: ".") : key.firstIndex(of: ".") else { return nil }
        let (first, name) = (String(key[..<dot]), String(key[key.index(after: dot)...]))
        self = key.hasPrefix("/") ? .channel(topic: first, name: name) : .section(first, name: name)
    }

    package var description: String {
        switch self {
        case .channel(let topic, let name): "\(topic).\(name)"
        case .section(let section, let name): "\(section).\(name)"
        }
    }
}

/// What a file, or a patch of a client, says: settings and their values, not yet checked.
struct Patch {
    struct Assignment {
        var key: SettingKey
        var value: PlacedValue
        /// Of the key.
        var place: TextPlace?
        /// Of the topic.
        var groupPlace: TextPlace?
    }

    private(set) var assignments: [Assignment] = []
    /// What is wrong with its form.
    private(set) var mistakes: [Configuration.Refusal] = []
    /// It asks to keep the change.
    private(set) var isPersistent = false
    /// However wrong a text is, to tell so does not take long.
    let mistakeCountMax: Int

    /// Of a file.
    static let fileMistakeCountMax = 100

    /// `{"channels": {"/cpu": {"rate_hertz": 20}}, "log": {"level": "info"}}`; channels may also be a list whose
    /// entries carry the topic as `id`, as viewers build it from the schema of `/config`.
    init(_ value: PlacedValue, by author: Configuration.Author, mistakeCountMax: Int = fileMistakeCountMax) {
        self.mistakeCountMax = mistakeCountMax
        guard case .object(let members) = value.content else {
            refuse(author == .host ? "this is not an object" : "/config: the patch is not a JSON object", value.place)
            return
        }
        for (first, again) in value.repeatedMembers {
            let line = first.place.map { ", first in line \($0.line)" } ?? ""
            refuse("\(quoted(again.name)) stands twice\(line); leave one of them", again.place)
        }
        for member in members {
            switch member.name {
            case "header": break
            case "channels": readChannels(member.value)
            case "persist" where author == .client: readPersist(member.value)
            default: readSection(member, by: author)
            }
        }
    }

    private mutating func refuse(_ text: @autoclosure () -> String, _ place: TextPlace?) {
        guard mistakes.count < mistakeCountMax else { return }
        mistakes.append(Configuration.Refusal(text: text(), place: place))
    }

    private mutating func readPersist(_ value: PlacedValue) {
        guard case .scalar(.bool(let isPersistent)) = value.content else {
            return refuse("persist: \(text(of: value.json)) is not true or false", value.place)
        }
        self.isPersistent = isPersistent
    }

    private mutating func readSection(_ member: PlacedValue.Member, by author: Configuration.Author) {
        let known = author == .host ? Setting.sections : Setting.all.filter { $0.author == .client }.map(\.section)
        guard Setting.sections.contains(member.name) else {
            let names = ["channels"] + known + (author == .host ? [] : ["persist"])
            return refuse(
                "\(quoted(member.name)) is unknown; \(suggestion(for: member.name, among: names))", member.place)
        }
        guard case .object(let settings) = member.value.content else {
            return refuse("\(member.name): \(text(of: member.value.json)) is not an object", member.value.place)
        }
        for setting in settings {
            assignments.append(
                Assignment(
                    key: .section(member.name, name: setting.name), value: setting.value, place: setting.place))
        }
    }

    private mutating func readChannels(_ value: PlacedValue) {
        switch value.content {
        case .object(let channels):
            for channel in channels {
                guard case .object(let settings) = channel.value.content else {
                    refuse(
                        "\(quoted(channel.name)): \(text(of: channel.value.json)) is not an object", channel.value.place
                    )
                    continue
                }
                read(settings, of: channel.name, channel.place)
            }
        case .array(let channels):
            for channel in channels {
                guard case .object(let settings) = channel.content,
                    let id = settings.first(where: { $0.name == "id" }),
                    case .scalar(.string(let topic)) = id.value.content
                else {
                    refuse(
                        "channels: \(text(of: channel.json)) is not an object with the topic as \"id\"", channel.place)
                    continue
                }
                read(settings.filter { $0.name != "id" }, of: topic, id.value.place)
            }
        case .scalar:
            refuse("channels: \(text(of: value.json)) is not an object keyed by topic, nor a list", value.place)
        }
    }

    private mutating func read(_ settings: [PlacedValue.Member], of topic: String, _ place: TextPlace?) {
        // A topic that is none is a mistake also where nothing is said of it.
        let nothing = PlacedValue.Member(name: "", value: PlacedValue(.object([])))
        for setting in settings.isEmpty ? [nothing] : settings {
            assignments.append(
                Assignment(
                    key: .channel(topic: topic, name: setting.name), value: setting.value, place: setting.place,
                    groupPlace: place))
        }
    }
}
