import FoxgloveServer
import HostMetrics
import Telemetry
import TelemetrySchema

/// Publishes the effective configuration on `/config`.
final class ConfigPublisher {
    static let topic = "/config"
    static let channel = Channel(topic: topic, schema: ConfigMessage.schema, isLatched: true)

    private let box = MessageBox<ConfigMessage>()
    private var rows: RepeatedField<ChannelConfigMessage>
    private var log = RepeatedField<LogConfigMessage>(capacity: 1)
    private var texts: TextArena
    private var sequence: UInt32 = 0

    init(channelCount: Int) {
        rows = RepeatedField(capacity: channelCount)
        texts = TextArena(byteCapacity: channelCount * 128 + 64)
    }

    func publish(_ configuration: Configuration, on channel: ChannelID, at stamp: Timestamp, to server: Server) {
        box.reset()
        rows.removeAll()
        texts.removeAll()
        for settings in configuration.channels {
            let id = texts.append(settings.topic)
            guard rows.append() else { break }
            rows.last.reset()
            rows.last.setId(id)
            rows.last.setEnabled(settings.isEnabled)
            if let sampling = settings.sampling {
                rows.last.setRateHertz(sampling.rateHertz)
                rows.last.setWindowSeconds(sampling.windowSeconds)
            }
        }
        box.content.setChannels(rows)
        log.removeAll()
        if log.append() {
            log.last.reset()
            log.last.setLevel(texts.append(configuration.logLevel))
            box.content.setLog(log)
        }
        sequence &+= 1
        box.setHeader(stamp: stamp, intervalSeconds: .nan, sequence: sequence)
        _ = server.publish(channel, at: stamp, payloadByteCount: box.encodedByteCount) { box.encode(into: &$0) }
    }

    /// What was published last, in protobuf.
    var payload: [UInt8] { box.bytes }

    /// A patch in protobuf as one in JSON; nil: it is no `sysmon.v1.Config`.
    static func json(ofPatch payload: [UInt8]) -> [UInt8]? {
        TelemetrySchema.json(ofProtobuf: payload, as: ConfigMessage.self, isCommand: true)
    }

    /// A published message in JSON.
    static func json(of payload: [UInt8]) -> [UInt8]? {
        TelemetrySchema.json(ofProtobuf: payload, as: ConfigMessage.self)
    }
}
