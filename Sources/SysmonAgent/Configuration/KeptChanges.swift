internal import FoxgloveProtocol

/// Settings that clients changed and asked to keep, as the file holds them that is read at the next start.
package struct KeptChanges: Equatable, Sendable {
    private var values: [SettingKey: JSONValue] = [:]

    package init() {}

    /// What cannot be read was damaged, and is given up.
    package init(parsing text: [UInt8]) {
        let value = try? JSON5Reader.value(of: text)
        self.init(Patch(value ?? PlacedValue(.object([])), by: .client))
    }

    init(_ patch: Patch) {
        // JSON has no infinity.
        for assignment in patch.assignments where assignment.value.json.isFinite {
            values[assignment.key] = assignment.value.json
        }
    }

    /// Later changes replace earlier ones.
    package mutating func add(_ changes: KeptChanges) { values.merge(changes.values) { $1 } }

    package var isEmpty: Bool { values.isEmpty }

    /// JSON, a patch like any other.
    package var text: String {
        var channels: [String: [String: JSONValue]] = [:]
        var sections: [String: [String: JSONValue]] = [:]
        for (key, value) in values {
            switch key {
            case .channel(let topic, let name): channels[topic, default: [:]][name] = value
            case .section(let section, let name): sections[section, default: [:]][name] = value
            }
        }
        var members = sections.mapValues { JSONValue.object($0) }
        if !channels.isEmpty { members["channels"] = .object(channels.mapValues { .object($0) }) }
        return JSONValue.object(members).text + "\n"
    }
}
