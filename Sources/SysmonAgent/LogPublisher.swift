import FoxgloveServer
import HostMetrics
import Telemetry
import TelemetrySchema
import WebSocketProtocol

/// Publishes what happens to the host's sources on `/log`, for the viewers' Log panel.
final class LogPublisher {
    static let topic = "/log"
    static let channel = Channel(topic: topic, schema: LogMessage.schema)

    /// A source that keeps failing may tell a lot; what is beyond this is counted and told of later.
    private static let linesPerSecond = 20.0
    private static let burstCount = 200.0
    /// Of one line; the rest is cut.
    private static let textByteCount = 2_048

    let channelID: ChannelID
    private let box = MessageBox<LogMessage>()
    private var texts = TextArena(byteCapacity: 2 * textByteCount)
    private var rate = RateLimit(perSecond: linesPerSecond, burst: burstCount)
    private var leftOutCount = 0

    init(channel: ChannelID) { channelID = channel }

    func publish(_ entry: Agent.LogEntry, at time: ClockReading, to server: Server) {
        guard rate.allow(now: time.monotonic) else {
            leftOutCount += 1
            return
        }
        if leftOutCount > 0 {
            let text = "\(leftOutCount) lines were left out: more than \(Int(Self.linesPerSecond)) per second came"
            leftOutCount = 0
            send(Agent.LogEntry(.warning, "log", text), at: time.realtime, to: server)
        }
        send(entry, at: time.realtime, to: server)
    }

    private func send(_ entry: Agent.LogEntry, at stamp: Timestamp, to server: Server) {
        box.reset()
        texts.removeAll()
        box.content.setName(texts.append(entry.name))
        box.content.setMessage(texts.append(entry.text))
        box.content.level = entry.level.code
        box.setHeader(stamp: stamp, intervalSeconds: .nan, sequence: 0)
        _ = server.publish(channelID, at: stamp, payloadByteCount: box.encodedByteCount) { box.encode(into: &$0) }
    }
}

extension Agent.LogEntry.Level {
    /// foxglove.Log.Level.
    fileprivate var code: Foxglove__Log__Level {
        switch self {
        case .info: FOXGLOVE__LOG__LEVEL__INFO
        case .warning: FOXGLOVE__LOG__LEVEL__WARNING
        case .error: FOXGLOVE__LOG__LEVEL__ERROR
        }
    }
}

extension Agent {
    /// Tells the owner, and everybody who listens to `/log`.
    func tell(_ told: Report) {
        report(told)
        guard server.isHeard(logPublisher.channelID), let entry = told.entry, entry.isPublic else { return }
        logPublisher.publish(entry, at: host.clock(), to: server)
    }
}
