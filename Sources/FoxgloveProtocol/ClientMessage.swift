/// A JSON operation of a client, decoded and checked.
package enum ClientMessage: Equatable, Sendable {
    case subscribe([Subscription])
    /// Subscription ids.
    case unsubscribe([UInt32])
    case advertise([ClientChannel])
    /// Client channel ids.
    case unadvertise([UInt32])
    /// An operation of a capability that is not offered.
    case unsupported(Capability)

    package struct Subscription: Equatable, Sendable {
        package var id: UInt32
        package var channelID: UInt32
        package init(id: UInt32, channelID: UInt32) {
            self.id = id
            self.channelID = channelID
        }
    }
}

/// A channel on which a client publishes.
package struct ClientChannel: Equatable, Sendable {
    package var id: UInt32
    package var topic: String
    package var encoding: String
    package var schemaName: String

    package init(id: UInt32, topic: String, encoding: String, schemaName: String = "") {
        self.id = id
        self.topic = topic
        self.encoding = encoding
        self.schemaName = schemaName
    }
}

/// Why a client's message cannot be understood; `reason` is told to the client.
package struct InvalidMessage: Error, Equatable, Sendable {
    package var reason: String
    package init(_ reason: String) { self.reason = reason }
}

extension ClientMessage {
    /// A string of a client that is used may have this many bytes of UTF-8; unknown members do not count.
    package static let stringByteLimit = 64 * 1_024

    package init(parsing text: [UInt8]) throws(InvalidMessage) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: text)
        } catch .tooDeep {
            throw InvalidMessage("nested deeper than \(JSONValue.depthLimit) levels")
        } catch {
            throw InvalidMessage("not JSON")
        }
        guard case .object(let members) = value else { throw InvalidMessage("not a JSON object") }
        let message = Members(members)
        switch try message.string("op") {
        case "subscribe":
            self = .subscribe(
                try message.objects("subscriptions") { entry throws(InvalidMessage) in
                    Subscription(id: try entry.id("id"), channelID: try entry.id("channelId"))
                })
        case "unsubscribe": self = .unsubscribe(try message.ids("subscriptionIds"))
        case "advertise":
            self = .advertise(
                try message.objects("channels") { entry throws(InvalidMessage) in
                    try ClientChannel(parsing: entry)
                })
        case "unadvertise": self = .unadvertise(try message.ids("channelIds"))
        case "getParameters", "setParameters": self = .unsupported(.parameters)
        case "subscribeParameterUpdates", "unsubscribeParameterUpdates": self = .unsupported(.parametersSubscribe)
        case "subscribeConnectionGraph", "unsubscribeConnectionGraph": self = .unsupported(.connectionGraph)
        case "fetchAsset": self = .unsupported(.assets)
        default: throw InvalidMessage("unknown op")
        }
    }
}

extension ClientChannel {
    fileprivate init(parsing entry: Members) throws(InvalidMessage) {
        id = try entry.id("id")
        topic = try entry.string("topic")
        encoding = try entry.string("encoding")
        schemaName = try entry.string("schemaName")
    }
}

/// The members of an object, by name, with an error that names what is wrong. Unknown members are ignored.
private struct Members {
    private let members: [String: JSONValue]
    init(_ members: [String: JSONValue]) { self.members = members }

    func string(_ name: String) throws(InvalidMessage) -> String {
        guard case .string(let string)? = members[name] else { throw InvalidMessage("\"\(name)\" must be a string") }
        guard string.utf8.count <= ClientMessage.stringByteLimit else {
            throw InvalidMessage("\"\(name)\" is longer than \(ClientMessage.stringByteLimit) bytes")
        }
        return string
    }

    func id(_ name: String) throws(InvalidMessage) -> UInt32 {
        guard let id = members[name]?.unsigned else {
            throw InvalidMessage("\"\(name)\" must be an integer from 0 to 4294967295")
        }
        return id
    }

    func ids(_ name: String) throws(InvalidMessage) -> [UInt32] {
        guard case .array(let elements)? = members[name] else { throw InvalidMessage("\"\(name)\" must be an array") }
        let ids = elements.compactMap(\.unsigned)
        guard ids.count == elements.count else {
            throw InvalidMessage("\"\(name)\" must hold integers from 0 to 4294967295")
        }
        return ids
    }

    func objects<Element>(
        _ name: String, _ parse: (Members) throws(InvalidMessage) -> Element
    ) throws(InvalidMessage) -> [Element] {
        guard case .array(let elements)? = members[name] else { throw InvalidMessage("\"\(name)\" must be an array") }
        var parsed: [Element] = []
        for element in elements {
            guard case .object(let members) = element else { throw InvalidMessage("\"\(name)\" must hold objects") }
            parsed.append(try parse(Members(members)))
        }
        return parsed
    }
}
