/// A JSON operation of a client, decoded and checked.
package enum ClientMessage: Equatable, Sendable {
    case subscribe([Subscription])
    /// Subscription ids.
    case unsubscribe([UInt32])
    case advertise([ClientChannel])
    /// Client channel ids.
    case unadvertise([UInt32])
    /// No names: all.
    case getParameters(names: [String], requestID: String?)
    case setParameters([Parameter], requestID: String?)
    case subscribeParameterUpdates(names: [String])
    case unsubscribeParameterUpdates(names: [String])
    case subscribeConnectionGraph
    case unsubscribeConnectionGraph
    case fetchAsset(uri: String, requestID: UInt32)

    package struct Subscription: Equatable, Sendable {
        package var id: UInt32
        package var channelID: UInt32
        package init(id: UInt32, channelID: UInt32) {
            self.id = id
            self.channelID = channelID
        }
    }

    /// What a server must have announced for this operation.
    package var capability: Capability? {
        switch self {
        case .subscribe, .unsubscribe: nil
        case .advertise, .unadvertise: .clientPublish
        case .getParameters, .setParameters: .parameters
        case .subscribeParameterUpdates, .unsubscribeParameterUpdates: .parametersSubscribe
        case .subscribeConnectionGraph, .unsubscribeConnectionGraph: .connectionGraph
        case .fetchAsset: .assets
        }
    }
}

/// A channel on which a client publishes.
package struct ClientChannel: Equatable, Sendable {
    package var id: UInt32
    package var topic: String
    package var encoding: String
    package var schemaName: String
    /// False: a schema of a binary encoding came along, and is not base64.
    package var isSchemaReadable: Bool

    package init(
        id: UInt32, topic: String, encoding: String, schemaName: String = "", isSchemaReadable: Bool = true
    ) {
        self.id = id
        self.topic = topic
        self.encoding = encoding
        self.schemaName = schemaName
        self.isSchemaReadable = isSchemaReadable
    }
}

/// Why a client's message cannot be understood; `reason` is told to the client.
package struct InvalidMessage: Error, Equatable, Sendable {
    package var reason: String
    /// The bound that it is beyond, if that is what is wrong.
    package var bound: Bound?

    package enum Bound: Sendable { case depth, string }

    package init(_ reason: String, bound: Bound? = nil) {
        self.reason = reason
        self.bound = bound
    }
}

extension ClientMessage {
    /// A string of a client that is used may have this many bytes of UTF-8; unknown members do not count.
    package static let stringByteLimit = 64 * 1_024

    package init(parsing text: [UInt8]) throws(InvalidMessage) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: text)
        } catch .tooDeep {
            throw InvalidMessage("nested deeper than \(JSONValue.depthLimit) levels", bound: .depth)
        } catch {
            throw InvalidMessage("not JSON")
        }
        guard case .object(let members) = value else { throw InvalidMessage("not a JSON object") }
        let message = JSONMembers(members)
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
        case "getParameters":
            self = .getParameters(
                names: try message.strings("parameterNames"), requestID: try message.optionalString("id"))
        case "setParameters":
            self = .setParameters(
                try message.objects("parameters") { entry throws(InvalidMessage) in try Parameter(parsing: entry) },
                requestID: try message.optionalString("id"))
        case "subscribeParameterUpdates":
            self = .subscribeParameterUpdates(names: try message.strings("parameterNames"))
        case "unsubscribeParameterUpdates":
            self = .unsubscribeParameterUpdates(names: try message.strings("parameterNames"))
        case "subscribeConnectionGraph": self = .subscribeConnectionGraph
        case "unsubscribeConnectionGraph": self = .unsubscribeConnectionGraph
        case "fetchAsset": self = .fetchAsset(uri: try message.string("uri"), requestID: try message.id("requestId"))
        default: throw InvalidMessage("unknown op")
        }
    }
}

extension ClientChannel {
    fileprivate init(parsing entry: JSONMembers) throws(InvalidMessage) {
        id = try entry.id("id")
        topic = try entry.string("topic")
        encoding = try entry.string("encoding")
        schemaName = try entry.string("schemaName")
        let schema = try entry.optionalString("schema") ?? ""
        switch try entry.optionalString("schemaEncoding") {
        case "protobuf", "flatbuffer": isSchemaReadable = isBase64(schema)
        default: isSchemaReadable = true
        }
    }
}
