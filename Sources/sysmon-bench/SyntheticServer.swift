import FoxgloveServer
import Telemetry
import WebSocketProtocol

/// Publishes synthetic messages through the agent's own server code, for load generators to measure.
///
/// Every payload starts with a little-endian 64-bit counter of its channel; its log time is the moment of publishing.
final class SyntheticServer: ConnectionHandler {
    /// How often each channel publishes.
    enum Pace {
        case silent
        case hertz(Double)
        /// As fast as the sockets take it.
        case flood
    }

    /// Due messages go out in ticks of this period.
    private static let tickPeriod = Period.milliseconds(1)
    /// Bytes published at once in a flood, and how much may wait for the slowest client.
    private static let floodBatchByteCount = 64 * 1_024
    private static let floodBacklogByteCount = 1_024 * 1_024

    private let server: Server
    private let pace: Pace
    private let payloadByteCount: Int
    private let realtime: () -> Timestamp
    private var counters: [UInt64]
    private var isListening: [Bool]
    private var listenerCount = 0
    private var startedAt = Instant(nanoseconds: 0)
    /// Messages per channel since `startedAt`.
    private var publishedCount: UInt64 = 0
    private var nextTick: Instant?

    init(
        channelCount: Int, payloadByteCount: Int, pace: Pace, limits: ServerLimits, realtime: @escaping () -> Timestamp
    ) {
        self.pace = pace
        self.payloadByteCount = payloadByteCount
        self.realtime = realtime
        counters = Array(repeating: 0, count: channelCount)
        isListening = Array(repeating: false, count: channelCount)
        let schema = Schema(name: "counter-and-padding", descriptorSet: [])
        server = Server(
            channels: (0..<channelCount).map { Channel(topic: "/bench/\($0)", encoding: "raw", schema: schema) },
            identity: Server.Identity(
                name: "sysmon-bench", metadata: [:], sessionID: String(realtime().unixNanoseconds)),
            limits: limits)
        for index in 0..<channelCount { server.advertise(ChannelID(index: index)) }
    }

    func opened(_ id: ConnectionID, from address: String, now: Instant) {
        server.opened(id, from: address, now: now)
    }

    func received(_ bytes: Span<UInt8>, from id: ConnectionID, now: Instant) {
        server.received(bytes, from: id, now: now)
        handleEvents(now: now)
    }

    func closed(_ id: ConnectionID, now: Instant) {
        server.closed(id, now: now)
        handleEvents(now: now)
    }

    func unblocked(_ id: ConnectionID) { server.unblocked(id) }

    func send(to id: ConnectionID, _ write: (Outgoing) -> Int) -> SendOutcome { server.send(to: id, write) }

    func close() { server.close(.goingAway, "server shutdown") }

    var nextDeadline: Instant? {
        guard let nextTick = isFloodDue ? Instant(nanoseconds: 0) : nextTick else { return server.nextDeadline }
        return server.nextDeadline.map { min($0, nextTick) } ?? nextTick
    }

    func tick(now: Instant) {
        server.beginTick(now: now)
        switch pace {
        case .silent: break
        case .flood:
            if isFloodDue { for _ in 0..<max(1, Self.floodBatchByteCount / payloadByteCount) { publishRound() } }
        case .hertz(let rate):
            guard let due = nextTick, due <= now else { break }
            let total = UInt64(now.seconds(since: startedAt) * rate)
            while publishedCount < total {
                publishRound()
                publishedCount += 1
            }
            nextTick = Instant(nanoseconds: (now.nanoseconds / tickNanoseconds + 1) * tickNanoseconds)
        }
        server.endTick(now: now)
        handleEvents(now: now)
    }

    private var tickNanoseconds: UInt64 { Self.tickPeriod.nanoseconds }

    private var isFloodDue: Bool {
        guard case .flood = pace, listenerCount > 0 else { return false }
        return server.queuedFrameCount * payloadByteCount < Self.floodBacklogByteCount
    }

    /// One message on every channel that somebody listens to.
    private func publishRound() {
        for index in counters.indices where isListening[index] {
            let counter = counters[index]
            let isPublished = server.publish(
                ChannelID(index: index), at: realtime(), payloadByteCount: payloadByteCount
            ) { payload in
                for byte in 0..<min(8, payload.count) {
                    payload[byte] = UInt8(truncatingIfNeeded: counter >> (8 * UInt64(byte)))
                }
            }
            precondition(isPublished, "the size is checked at start")
            counters[index] += 1
        }
    }

    private func handleEvents(now: Instant) {
        while let event = server.nextEvent() {
            switch event {
            case .listening(let channel, _):
                if listenerCount == 0 {
                    startedAt = now
                    publishedCount = 0
                    if case .hertz = pace { nextTick = now + Self.tickPeriod }
                }
                isListening[channel.index] = true
                listenerCount += 1
            case .idle(let channel):
                isListening[channel.index] = false
                listenerCount -= 1
                if listenerCount == 0 { nextTick = nil }
            case .connected, .disconnected, .refused, .published, .parametersRequested, .serviceCalled,
                .assetRequested, .resourceRequested, .playbackRequested:
                break
            }
        }
    }
}
