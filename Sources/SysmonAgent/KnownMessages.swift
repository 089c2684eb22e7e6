package import HostMetrics
internal import Telemetry
package import TelemetrySchema

/// The messages of all channels of an agent, by the names of their schemas.
package struct KnownMessages {
    private let registrations: [String: Registration]

    package init(_ registrations: [Registration] = allCollectors) {
        self.registrations = Dictionary(registrations.map { ($0.channel.schema.name, $0) }) { first, _ in first }
    }

    package func has(_ schemaName: String) -> Bool {
        registrations[schemaName] != nil || [ConfigMessage.schema.name, LogMessage.schema.name].contains(schemaName)
    }

    /// Nil: there is no such schema, or the payload is no message of it.
    package func decode(_ payload: [UInt8], schemaName: String) -> DecodedMessage? {
        if let registration = registrations[schemaName] { return registration.decode(payload) }
        switch schemaName {
        case ConfigMessage.schema.name: return TelemetrySchema.decode(protobuf: payload, as: ConfigMessage.self)
        case LogMessage.schema.name: return TelemetrySchema.decode(protobuf: payload, as: LogMessage.self)
        default: return nil
        }
    }
}
