/// A JSON operation of a server, decoded and checked: the client's side of ``ServerMessage``.
package enum ServerText: Equatable, Sendable {
    case serverInfo(name: String, capabilities: [String])
    case advertise([RemoteChannel])
    /// Channel ids.
    case unadvertise([UInt32])
    case parameterValues([Parameter], requestID: String?)
    case status(Status)
    /// Of no interest, or newer than this client.
    case other

    package init(parsing text: [UInt8]) throws(InvalidMessage) {
        guard let value = try? JSONValue(parsing: text), case .object(let members) = value else {
            throw InvalidMessage("not a JSON object")
        }
        let message = JSONMembers(members)
        switch try message.string("op") {
        case "serverInfo":
            self = .serverInfo(
                name: try message.string("name"), capabilities: try message.strings("capabilities"))
        case "advertise":
            self = .advertise(
                try message.objects("channels") { entry throws(InvalidMessage) in try RemoteChannel(parsing: entry) })
        case "unadvertise": self = .unadvertise(try message.ids("channelIds"))
        case "parameterValues":
            self = .parameterValues(
                try message.objects("parameters") { entry throws(InvalidMessage) in try Parameter(parsing: entry) },
                requestID: try message.optionalString("id"))
        case "status":
            guard let level = message["level"]?.unsigned.flatMap({ Status.Level(rawValue: Int($0)) }) else {
                throw InvalidMessage("\"level\" must be 0, 1 or 2")
            }
            self = .status(
                Status(level, try message.string("message"), id: try message.optionalString("id")))
        default: self = .other
        }
    }
}

/// A channel that a server offers, as far as a client needs to know it that has schemas of its own.
package struct RemoteChannel: Equatable, Sendable {
    package var id: UInt32
    package var topic: String
    package var encoding: String
    package var schemaName: String

    package init(id: UInt32, topic: String, encoding: String, schemaName: String) {
        self.id = id
        self.topic = topic
        self.encoding = encoding
        self.schemaName = schemaName
    }

    fileprivate init(parsing entry: JSONMembers) throws(InvalidMessage) {
        id = try entry.id("id")
        topic = try entry.string("topic")
        encoding = try entry.string("encoding")
        schemaName = try entry.string("schemaName")
    }
}
