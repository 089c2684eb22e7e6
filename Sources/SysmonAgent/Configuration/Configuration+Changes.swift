package import FoxgloveProtocol
internal import HostMetrics

/// Changing settings. A value is checked here and nowhere else; what is wrong is told by key, value and bound.
extension Configuration {
    /// Why a change was refused, for whoever asked for it. Depends on the change only.
    package struct Refusal: Error, Equatable, Sendable {
        package var text: String
        /// Nil: it did not come from a text with lines.
        package var place: TextPlace?

        package init(text: String, place: TextPlace? = nil) {
            self.text = text
            self.place = place
        }
    }

    /// Applies a JSON patch such as `{"channels": {"/cpu": {"rate_hertz": 20}}}`; one with anything wrong in it changes
    /// nothing.
    package mutating func apply(patch text: [UInt8], by author: Author = .client) throws(Refusal) {
        try apply(Self.patch(parsing: text, by: author), by: author)
    }

    static func patch(parsing text: [UInt8], by author: Author) throws(Refusal) -> Patch {
        do {
            return Patch(PlacedValue(try JSONValue(parsing: text)), by: author, mistakeCountMax: 1)
        } catch .tooDeep {
            throw Refusal(text: "/config: the patch is nested deeper than \(JSONValue.depthLimit) levels")
        } catch {
            throw Refusal(text: "/config: the patch is not JSON")
        }
    }

    mutating func apply(_ patch: Patch, by author: Author) throws(Refusal) {
        var patched = self
        let mistakes = patched.applyAll(of: patch, by: author)
        if let first = mistakes.first { throw first }
        if let contradiction = patched.contradictions.first { throw Refusal(text: contradiction.text) }
        self = patched
    }

    /// Applies what is right in a patch, and returns what is not, in the order of the text: all of it, or as much as
    /// ``Patch/mistakeCountMax`` allows.
    mutating func applyAll(of patch: Patch, by author: Author) -> [Refusal] {
        var mistakes = patch.mistakes
        var unknownTopics: Set<String> = []
        for assignment in patch.assignments {
            guard mistakes.count < patch.mistakeCountMax else { break }
            if case .channel(let topic, _) = assignment.key, index(of: topic) == nil {
                // Told once, however much is said of it.
                guard unknownTopics.insert(topic).inserted else { continue }
                mistakes.append(Refusal(text: noChannel(topic), place: assignment.groupPlace))
                continue
            }
            do throws(Refusal) {
                try set(assignment, by: author)
            } catch { mistakes.append(error) }
        }
        return mistakes.enumerated().sorted {
            ($0.element.place?.line ?? 0, $0.element.place?.column ?? 0, $0.offset)
                < ($1.element.place?.line ?? 0, $1.element.place?.column ?? 0, $1.offset)
        }.map(\.element)
    }

    /// Sets one setting of a channel.
    package mutating func set(
        _ name: String, of topic: String, to value: JSONValue, by author: Author = .client
    ) throws(Refusal) { try set(.channel(topic: topic, name: name), to: value, by: author) }

    package mutating func set(_ key: SettingKey, to value: JSONValue, by author: Author) throws(Refusal) {
        try set(Patch.Assignment(key: key, value: PlacedValue(value)), by: author)
    }

    private mutating func set(_ assignment: Patch.Assignment, by author: Author) throws(Refusal) {
        let value = assignment.value.json
        do throws(Refusal) {
            switch assignment.key {
            case .section(let section, let name):
                let setting = try setting(name, in: section, by: author)
                try check(value, setting.kind, isOptional: setting.isOptional, assignment)
                setting.write(&self, value)
            case .channel(let topic, let name):
                guard let index = index(of: topic) else { throw Refusal(text: noChannel(topic)) }
                // Of a channel that is named, and nothing said of it.
                guard !name.isEmpty || value != .object([:]) else { return }
                let setting = try setting(name, of: channels[index], by: author)
                try check(value, setting.kind, isOptional: setting.isOptional, assignment)
                channels[index].set(name, to: value)
            }
        } catch { throw Refusal(text: error.text, place: error.place ?? assignment.place) }
    }

    func unknown(_ key: String) -> Refusal {
        let keys = channels.flatMap { channel in channel.settings(of: .host).map { "\(channel.topic).\($0.name)" } }
        return Refusal(text: "\(quoted(key)) is unknown; \(suggestion(for: key, among: Setting.all.map(\.key) + keys))")
    }

    private func noChannel(_ topic: String) -> String {
        let advice = suggestion(for: topic, among: channels.map(\.topic), listedBy: "list channels")
        return "\(quoted(topic)) is no channel; \(advice)"
    }

    private func setting(_ name: String, in section: String, by author: Author) throws(Refusal) -> Setting {
        let key = "\(section).\(name)"
        guard let setting = Setting.of(key: key) else {
            guard Setting.sections.contains(section) else {
                throw unknown(key)
            }
            let known = Setting.all.filter { $0.section == section && (author == .host || $0.author == .client) }
            throw Refusal(
                text: "\(section): \(quoted(name)) is unknown; \(suggestion(for: name, among: known.map(\.name)))")
        }
        guard author == .host || setting.author == .client else {
            throw Refusal(text: "\(key) is set on the host only")
        }
        return setting
    }

    private func setting(
        _ name: String, of channel: ChannelSettings, by author: Author
    ) throws(Refusal) -> ChannelSetting {
        let setting = ChannelSetting.all.first { $0.name == name }
        if let setting, author == .client, setting.author == .host {
            throw Refusal(text: "\(channel.topic).\(name) is set on the host only")
        }
        if let setting, channel.value(of: name) != nil { return setting }
        if let setting, setting.author == .client {
            throw Refusal(
                text: "\(channel.topic).\(name): this channel is published on change and has only \"enabled\"")
        }
        let known = channel.settings(of: author).map(\.name)
        throw Refusal(text: "\(channel.topic): \(quoted(name)) is unknown; \(suggestion(for: name, among: known))")
    }

    private func check(
        _ value: JSONValue, _ kind: SettingKind, isOptional: Bool, _ assignment: Patch.Assignment
    ) throws(Refusal) {
        if isOptional, value == .null { return }
        if let fault = fault(of: value, kind, key: "\(assignment.key)") {
            throw Refusal(text: fault, place: assignment.value.place)
        }
    }

    /// What is wrong with a value, by its key; nil: nothing.
    private func fault(of value: JSONValue, _ kind: SettingKind, key: String) -> String? {
        if let fault = kind.fault(of: value) { return "\(key): \(text(of: value)) \(fault)" }
        switch (kind, value) {
        case (.texts(let form), .array(let entries)):
            return entries.lazy.compactMap { fault(of: $0, .text(form), key: key) }.first
        case (.rates, .object(let rates)):
            return rates.sorted { $0.key < $1.key }.lazy.compactMap { topic, rate in
                guard let index = index(of: topic), channels[index].sampling != nil else {
                    return "\(key): \(quoted(topic)) is no channel with a rate"
                }
                return fault(of: rate, .number(Self.rateHertzRange), key: "\(key).\(quoted(topic))")
            }.first
        default: return nil
        }
    }

    private func index(of topic: String) -> Int? { channels.firstIndex { $0.topic == topic } }

    // MARK: What does not go together

    /// Settings that are right by themselves only.
    struct Contradiction {
        /// Those that may be at fault.
        var keys: [SettingKey]
        var text: String
    }

    var contradictions: [Contradiction] {
        var found: [Contradiction] = []
        func refuse(_ text: String, _ keys: String...) {
            found.append(Contradiction(keys: keys.compactMap { SettingKey($0) }, text: text))
        }
        if (host.certificate == nil) != (host.key == nil) {
            refuse("tls.cert and tls.key belong together; give both", "tls.cert", "tls.key")
        }
        if host.clientAuthority != nil {
            if host.certificate == nil {
                refuse("tls.client_ca needs tls.cert and tls.key", "tls.client_ca")
            } else if host.tokenFile == nil {
                refuse("tls.client_ca needs server.token_file, which says what a certificate may do", "tls.client_ca")
            }
        }
        for channel in channels {
            let (topic, entries) = (channel.topic, channel.entries)
            if entries.include != nil, entries.exclude != nil {
                refuse("\(topic): there may be include or exclude, not both", "\(topic).exclude", "\(topic).include")
            }
            if entries.includeType != nil, entries.excludeType != nil {
                refuse(
                    "\(topic): there may be include_type or exclude_type, not both", "\(topic).exclude_type",
                    "\(topic).include_type")
            }
        }
        return found
    }
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
