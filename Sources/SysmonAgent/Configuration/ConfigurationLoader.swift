internal import FoxgloveProtocol

/// Puts a configuration together from all that may say something of it, in order: files, what was kept of clients'
/// changes, variables of the environment, options. A later source wins.
///
/// Takes what others have read; goes on after a mistake, so that all are told.
package struct ConfigurationLoader {
    /// What is wrong, and where.
    package struct Mistake: Error, Equatable, Sendable {
        /// A path, a variable or an option.
        package var source: String
        package var place: TextPlace?
        package var text: String
        /// It was made on the command line.
        package var isUsage = false

        /// As compilers write it, so that editors find the place.
        package var line: String { "\(source)\(place.map { ":\($0.line):\($0.column)" } ?? ""): \(text)" }
    }

    package private(set) var configuration: Configuration
    package private(set) var mistakes: [Mistake] = []
    /// Who set a setting last.
    private var origins: [SettingKey: Mistake] = [:]

    package init(_ defaults: Configuration) { configuration = defaults }

    /// A file of the host's owner, as JSON5.
    package mutating func read(file path: String, _ bytes: [UInt8]) { apply(bytes, from: path, by: .host) }

    /// What clients had kept. It should be as it was written, but to start without it is better than not to start: what
    /// is wrong in it is left out, and returned.
    package mutating func readChanges(file path: String, _ bytes: [UInt8]) -> [Mistake] {
        let before = mistakes.count
        apply(bytes, from: path, by: .client)
        defer { mistakes.removeLast(mistakes.count - before) }
        return Array(mistakes[before...])
    }

    private mutating func apply(_ bytes: [UInt8], from path: String, by author: Configuration.Author) {
        let value: PlacedValue
        do throws(JSON5Reader.Mistake) { value = try JSON5Reader.value(of: bytes) } catch {
            return mistakes.append(Mistake(source: path, place: error.place, text: error.text))
        }
        let patch = Patch(value, by: author)
        let refusals = configuration.applyAll(of: patch, by: author)
        for refusal in refusals { mistakes.append(Mistake(source: path, place: refusal.place, text: refusal.text)) }
        if refusals.count >= patch.mistakeCountMax {
            mistakes.append(Mistake(source: path, text: "there may be more mistakes; correct these first"))
        }
        for assignment in patch.assignments {
            origins[assignment.key] = Mistake(source: path, place: assignment.place, text: "")
        }
    }

    /// Variables such as `SYSMON_SERVER_PORT`.
    package mutating func read(environment: [String: String]) {
        for (name, text) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("SYSMON_") {
            // Kubernetes makes variables of this form of a service that is called as the program is.
            guard !name.hasPrefix("SYSMON_AGENT_") else { continue }
            guard let setting = Setting.all.first(where: { $0.variable == name }) else {
                let known = Setting.all.map(\.variable)
                let nearest = suggestion(for: name, among: known)
                let advice = nearest.hasPrefix("did") ? nearest : "unset it"
                mistakes.append(Mistake(source: name, text: "there is no such setting; \(advice)"))
                continue
            }
            set(setting.key, toText: text, from: Mistake(source: name, text: ""))
        }
    }

    /// An option: `--set KEY=VALUE`, `--rate TOPIC=HZ`, or the short form of a setting. A list grows by its short form.
    package mutating func read(option name: String, value: String) {
        let origin = Mistake(source: "--\(name)", text: "", isUsage: true)
        switch name {
        case "set", "rate":
            let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                let form = name == "set" ? "KEY=VALUE, such as server.port=8765" : "TOPIC=HZ, such as /cpu=20"
                return fail(origin, "\(quoted(value)) is not \(form)")
            }
            set(name == "set" ? parts[0] : "\(parts[0]).rate_hertz", toText: parts[1], from: origin)
        default:
            guard let setting = Setting.all.first(where: { $0.option == name }) else { return }
            switch (setting.kind, setting.read(configuration)) {
            case (.flag, _): set(setting.key, toText: "true", from: origin)
            case (.texts, .array(let entries)): set(setting.key, to: .array(entries + [.string(value)]), from: origin)
            default: set(setting.key, toText: value, from: origin)
            }
        }
    }

    private mutating func set(_ text: String, toText value: String, from origin: Mistake) {
        guard let key = SettingKey(text) else {
            return fail(origin, configuration.unknown(text).text)
        }
        let (kind, isOptional): (SettingKind?, Bool) =
            switch key {
            case .section: (Setting.of(key: "\(key)")?.kind, Setting.of(key: "\(key)")?.isOptional ?? false)
            case .channel(_, let name):
                (
                    ChannelSetting.all.first { $0.name == name }?.kind,
                    ChannelSetting.all.first { $0.name == name }?.isOptional ?? false
                )
            }
        set("\(key)", to: kind?.value(ofText: value, isOptional: isOptional) ?? .string(value), from: origin)
    }

    private mutating func set(_ text: String, to value: JSONValue, from origin: Mistake) {
        guard let key = SettingKey(text) else { return }
        do throws(Configuration.Refusal) {
            try configuration.set(key, to: value, by: .host)
            origins[key] = origin
        } catch { fail(origin, error.text) }
    }

    private mutating func fail(_ origin: Mistake, _ text: String) {
        var mistake = origin
        mistake.text = text
        mistakes.append(mistake)
    }

    /// The configuration, once all is read.
    package mutating func finish() throws(Mistakes) -> Configuration {
        for contradiction in configuration.contradictions {
            let origin = contradiction.keys.lazy.compactMap { [origins] in origins[$0] }.first
            fail(origin ?? Mistake(source: "configuration", text: ""), contradiction.text)
        }
        guard mistakes.isEmpty else { throw Mistakes(all: mistakes) }
        return configuration
    }

    /// One or more.
    package struct Mistakes: Error, Equatable, Sendable {
        package var all: [Mistake]
    }
}
