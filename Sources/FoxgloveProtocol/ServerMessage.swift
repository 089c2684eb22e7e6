internal import FoundationEssentials
package import Telemetry

/// A JSON message of the server.
package protocol ServerMessage: Encodable {
    /// The protocol's name of the message.
    static var op: String { get }
}

extension ServerMessage {
    /// Compact JSON; members in a fixed order, so that equal messages are equal bytes.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Only strings, integers and lists of them are encoded, which cannot fail.
        guard let data = try? encoder.encode(Tagged(message: self)) else {
            preconditionFailure("\(Self.op) has no JSON")
        }
        return String(decoding: data, as: UTF8.self)
    }
}

/// A message with its `op` beside its own members.
private struct Tagged<Message: ServerMessage>: Encodable {
    enum CodingKeys: CodingKey { case op }
    var message: Message

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Message.op, forKey: .op)
        try message.encode(to: encoder)
    }
}

/// The first message on every connection.
package struct ServerInfo: ServerMessage, Equatable, Sendable {
    package static let op = "serverInfo"
    package var name: String
    package var capabilities: [String]
    package var supportedEncodings: [String]
    package var metadata: [String: String]
    package var sessionId: String

    package init(
        name: String, capabilities: [Capability], supportedEncodings: [String], metadata: [String: String],
        sessionID: String
    ) {
        self.name = name
        self.capabilities = capabilities.map(\.rawValue)
        self.supportedEncodings = supportedEncodings
        self.metadata = metadata
        sessionId = sessionID
    }
}

/// Channels that a client may subscribe to.
package struct Advertise: ServerMessage, Equatable, Sendable {
    package static let op = "advertise"
    package var channels: [AdvertisedChannel]
    package init(channels: [AdvertisedChannel]) { self.channels = channels }
}

package struct AdvertisedChannel: Encodable, Equatable, Sendable {
    package var id: UInt32
    package var topic: String
    package var encoding: String
    package var schemaName: String
    package var schemaEncoding: String
    /// Base64 of the descriptor set.
    package var schema: String

    package init(id: UInt32, _ channel: Channel) {
        self.id = id
        topic = channel.topic
        encoding = channel.encoding
        schemaEncoding = channel.encoding
        schemaName = channel.schema.name
        schema = Data(channel.schema.descriptorSet).base64EncodedString()
    }
}

package struct Unadvertise: ServerMessage, Equatable, Sendable {
    package static let op = "unadvertise"
    package var channelIds: [UInt32]
    package init(channelIDs: [UInt32]) { channelIds = channelIDs }
}

/// A text for the user. Studio keeps every distinct text until it reconnects, so it depends on its cause only: no
/// counters, no times.
package struct Status: ServerMessage, Equatable, Sendable {
    package enum Level: Int, Encodable, Sendable { case info = 0, warning, error }

    package static let op = "status"
    package var level: Level
    package var message: String

    package init(_ level: Level, _ message: String) {
        self.level = level
        self.message = message
    }
}

package struct ServiceCallFailure: ServerMessage, Equatable, Sendable {
    package static let op = "serviceCallFailure"
    package var serviceId: UInt32
    package var callId: UInt32
    package var message: String

    package init(serviceID: UInt32, callID: UInt32, message: String) {
        serviceId = serviceID
        callId = callID
        self.message = message
    }
}
