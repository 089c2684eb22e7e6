internal import FoundationEssentials
package import Telemetry

/// A JSON message of the server.
package protocol ServerMessage: Encodable {
    /// The protocol's name of the message.
    static var op: String { get }
}

extension ServerMessage {
    /// Compact JSON; members in a fixed order, so that equal messages are equal bytes.
    package var json: String { encodedJSON(Tagged(message: self)) }
}

/// Compact JSON; members in a fixed order, so that equal values are equal bytes.
func encodedJSON(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Only strings, finite numbers, and lists and objects of them are encoded, which cannot fail.
    guard let data = try? encoder.encode(value) else { preconditionFailure("a value has no JSON") }
    return String(decoding: data, as: UTF8.self)
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
    /// What clients may publish and call services in; left out where they can do neither.
    package var supportedEncodings: [String]?
    package var metadata: [String: String]
    package var sessionId: String
    package var dataStartTime: Time?
    package var dataEndTime: Time?

    package struct Time: Encodable, Equatable, Sendable {
        package var sec: UInt32
        package var nsec: UInt32

        init(_ timestamp: Timestamp) {
            sec = UInt32(clamping: timestamp.unixNanoseconds / 1_000_000_000)
            nsec = UInt32(timestamp.unixNanoseconds % 1_000_000_000)
        }
    }

    package init(
        name: String, capabilities: [Capability], supportedEncodings: [String]?, metadata: [String: String],
        sessionID: String, playbackRange: ClosedRange<Timestamp>? = nil
    ) {
        self.name = name
        self.capabilities = capabilities.map(\.rawValue)
        self.supportedEncodings = supportedEncodings
        self.metadata = metadata
        sessionId = sessionID
        dataStartTime = (playbackRange?.lowerBound).map(Time.init)
        dataEndTime = (playbackRange?.upperBound).map(Time.init)
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
    /// Base64 of the descriptor set; JSON Schema as it is.
    package var schema: String

    package init(id: UInt32, _ channel: Channel) {
        self.id = id
        topic = channel.topic
        encoding = channel.encoding
        schemaName = channel.schema.name
        if channel.encoding == "json" {
            schemaEncoding = "jsonschema"
            schema = String(decoding: channel.schema.descriptorSet, as: UTF8.self)
        } else {
            schemaEncoding = channel.encoding
            schema = Data(channel.schema.descriptorSet).base64EncodedString()
        }
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
    /// A newer status with the same id replaces the older one; ``RemoveStatus`` names it.
    package var id: String?

    package init(_ level: Level, _ message: String, id: String? = nil) {
        self.level = level
        self.message = message
        self.id = id
    }
}

package struct RemoveStatus: ServerMessage, Equatable, Sendable {
    package static let op = "removeStatus"
    package var statusIds: [String]
    package init(statusIDs: [String]) { statusIds = statusIDs }
}

/// Parameters and their values, as the answer to a request or as news for subscribers.
package struct ParameterValues: ServerMessage, Equatable, Sendable {
    package static let op = "parameterValues"
    package var parameters: [Parameter]
    /// Of the request that is answered, if it had one.
    package var id: String?

    /// Parameters without a value are left out.
    package init(_ parameters: [Parameter], requestID: String? = nil) {
        self.parameters = parameters.filter { $0.value != nil }
        id = requestID
    }
}

/// Differences to what was sent before; the first one is everything.
package struct ConnectionGraphUpdate: ServerMessage, Equatable, Sendable {
    package struct PublishedTopic: Encodable, Equatable, Sendable {
        package var name: String
        package var publisherIds: [String]
        package init(name: String, publisherIDs: [String]) {
            self.name = name
            publisherIds = publisherIDs
        }
    }

    package struct SubscribedTopic: Encodable, Equatable, Sendable {
        package var name: String
        package var subscriberIds: [String]
        package init(name: String, subscriberIDs: [String]) {
            self.name = name
            subscriberIds = subscriberIDs
        }
    }

    package struct AdvertisedService: Encodable, Equatable, Sendable {
        package var name: String
        package var providerIds: [String]
        package init(name: String, providerIDs: [String]) {
            self.name = name
            providerIds = providerIDs
        }
    }

    package static let op = "connectionGraphUpdate"
    package var publishedTopics: [PublishedTopic] = []
    package var subscribedTopics: [SubscribedTopic] = []
    package var advertisedServices: [AdvertisedService] = []
    package var removedTopics: [String] = []
    package var removedServices: [String] = []

    package init() {}
}

/// Services that a client may call.
package struct AdvertiseServices: ServerMessage, Equatable, Sendable {
    package static let op = "advertiseServices"
    package var services: [AdvertisedService]
    package init(services: [AdvertisedService]) { self.services = services }
}

package struct AdvertisedService: Encodable, Equatable, Sendable {
    package var id: UInt32
    package var name: String
    package var type: String
    package var request: Service.Schema
    package var response: Service.Schema

    package init(id: UInt32, _ service: Service) {
        self.id = id
        name = service.name
        type = service.type
        request = service.request
        response = service.response
    }
}

package struct UnadvertiseServices: ServerMessage, Equatable, Sendable {
    package static let op = "unadvertiseServices"
    package var serviceIds: [UInt32]
    package init(serviceIDs: [UInt32]) { serviceIds = serviceIDs }
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
