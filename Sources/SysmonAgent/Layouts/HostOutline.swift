internal import FoxgloveProtocol
package import HostMetrics
internal import Telemetry

/// What layouts need to know of a host: the channels that it has, and what there is of interfaces, disks, sensors.
package struct HostOutline: Equatable, Sendable {
    /// An entry of a list: one interface, one disk, one sensor.
    package struct Entry: Equatable, Sendable {
        /// How a message path chooses it: `id=="eth0"`.
        package var filter: String
        /// What people call it.
        package var name: String
    }

    package var topics: Set<String>
    /// By list, such as `/net.interfaces`; what matters most comes first.
    package var entries: [String: [Entry]] = [:]

    /// An id that takes more has no line of its own: it would fill the legend and the file.
    package static let idByteCountMax = 128

    package init(topics: Set<String>) { self.topics = topics }

    /// Of a host that was looked at from outside an agent.
    package init(_ registrations: [Registration], _ outcomes: [Snapshot.Outcome]) {
        topics = [LogPublisher.topic, ConfigPublisher.topic]
        for (registration, outcome) in zip(registrations, outcomes) {
            let topic = registration.channel.topic
            switch outcome {
            case .message(let message):
                topics.insert(topic)
                if let json = registration.json(of: message) { add(json, of: topic) }
            // It is there, and has nothing to tell.
            case .absent(.nothingUsable) where registration.isEventDriven: topics.insert(topic)
            case .absent, .silent: break
            }
        }
    }

    /// Takes the entries of a message in JSON.
    package mutating func add(_ message: [UInt8], of topic: String) {
        guard let value = try? JSONValue(parsing: message), case .object(let members) = value else { return }
        for list in EntryList.all where list.topic == topic {
            guard case .array(let rows)? = members[list.field] else { continue }
            let found = rows.enumerated().compactMap { place, row in Found(row, at: place, in: list) }
            let uses = Dictionary(grouping: found, by: \.name).mapValues(\.count)
            entries["\(topic).\(list.field)"] = found.sorted().map { found in
                // Two of one name are told apart by their ids.
                Entry(filter: found.filter, name: uses[found.name] == 1 ? found.name : found.id)
            }
        }
    }

    /// An entry of a message, before they are put in order.
    private struct Found: Comparable {
        var filter: String
        var id: String
        var name: String
        var weight: Double
        var place: Int

        init?(_ value: JSONValue, at place: Int, in list: EntryList) {
            guard case .object(let members) = value, let filter = HostOutline.filter(members["id"]) else { return nil }
            let row = EntryList.Row(members: members)
            guard let weight = list.weight(row) else { return nil }
            (self.filter, id, name, self.weight, self.place) = (filter, row.id, list.name(row), weight, place)
        }

        static func < (left: Found, right: Found) -> Bool {
            left.weight == right.weight ? left.place < right.place : left.weight > right.weight
        }
    }

    /// Nil where no message path can carry the id: text stands there in quotes, and escapes are not known. Such an
    /// entry is in tables only.
    static func filter(_ id: JSONValue?) -> String? {
        switch id {
        case .number(let number)?: return Int(exactly: number).map { "id==\($0)" }
        case .string(let text)?:
            let isPlain = text.utf8.allSatisfy {
                $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            }
            guard isPlain, (1...idByteCountMax).contains(text.utf8.count) else { return nil }
            return "id==\"\(text)\""
        default: return nil
        }
    }
}
