import FoxgloveProtocol
import FoxgloveServer
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

/// A server, its clock and its clients, all of them made of calls.
final class World {
    let server: Server
    var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var clients: [ConnectionID: TestClient] = [:]
    private var published: [UInt32]
    private var received: [ConnectionID: [UInt8]] = [:]

    /// Channels /0, /1, … and as many as are asked for, the last one latched on demand.
    init(
        channelCount: Int = 3, latched: Set<Int> = [], features: ServerFeatures? = nil,
        limits: ServerLimits = ServerLimits()
    ) {
        let schema = Schema(name: "test.Message", descriptorSet: [1, 2, 3])
        server = Server(
            channels: (0..<channelCount).map {
                Channel(topic: "/\($0)", schema: schema, isLatched: latched.contains($0))
            },
            identity: Server.Identity(
                name: "test", metadata: ["k": "v"], sessionID: "s1"),
            features: features ?? Self.publishing, limits: limits)
        published = Array(repeating: 0, count: channelCount)
        for index in 0..<channelCount { server.advertise(ChannelID(index: index)) }
    }

    /// Clients may publish, and no more.
    static var publishing: ServerFeatures {
        var features = ServerFeatures()
        features.capabilities = [.clientPublish]
        features.commandTopics = ["/config"]
        return features
    }

    // MARK: Time

    func advance(milliseconds: UInt64) { now = Instant(nanoseconds: now.nanoseconds + milliseconds * 1_000_000) }

    /// Advances the clock and lets the server look at its time-outs, without publishing.
    func wait(milliseconds: UInt64) {
        advance(milliseconds: milliseconds)
        tick()
    }

    /// A tick that publishes one message on each of these channels. Payloads are channel and count, padded to `size`.
    func tick(_ channels: [Int] = [], size: Int = 8) {
        server.beginTick(now: now)
        for channel in channels { _ = publish(channel, size: size) }
        server.endTick(now: now)
    }

    func publish(_ channel: Int, size: Int = 8) -> Bool {
        published[channel] += 1
        let count = published[channel]
        return server.publish(
            ChannelID(index: channel), at: Timestamp(unixNanoseconds: now.nanoseconds), payloadByteCount: size
        ) { payload in
            #expect(payload.count == size)
            for index in 0..<size { payload[index] = 0xEE }
            payload[0] = UInt8(channel)
            for index in 0..<4 { payload[1 + index] = UInt8(truncatingIfNeeded: count >> (8 * UInt32(index))) }
        }
    }

    // MARK: Clients

    /// Opens a connection without sending anything.
    func open(from address: String = "127.0.0.1") -> ConnectionID {
        let used = Set(clients.keys.map(\.index))
        let id = ConnectionID(index: (0...).first { !used.contains($0) } ?? 0)
        clients[id] = TestClient()
        received[id] = []
        server.opened(id, from: address, now: now)
        return id
    }

    /// Opens a connection, shakes hands and takes the greeting.
    func connect(from address: String = "127.0.0.1", subprotocol: String = "foxglove.sdk.v1") -> ConnectionID {
        let id = open(from: address)
        ask(id, subprotocol: subprotocol)
        return id
    }

    /// Sends the request of a client, with what it shows of itself, and takes what comes at once.
    func ask(
        _ id: ConnectionID, target: String = "/", host: String = "localhost", fields: [String] = [],
        subprotocol: String = "foxglove.sdk.v1"
    ) {
        let lines =
            [
                "GET \(target) HTTP/1.1", "Host: \(host)", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Protocol: \(subprotocol)",
            ] + fields
        send(raw: Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8), from: id)
        drain(id)
    }

    /// The status of the HTTP answer and its head, if one came since the last look.
    func answer(_ id: ConnectionID) -> (status: Int, head: String)? {
        guard case .http(let head)? = messages(id).first else { return nil }
        return (Int(head.split(separator: " ")[1]) ?? 0, head)
    }

    /// Connects and subscribes to channels, channel `n` as subscription `100 + n`, and lets the delay pass.
    func connect(subscribedTo channels: [Int]) -> ConnectionID {
        let id = connect()
        subscribe(id, channels)
        advance(milliseconds: 50)
        tick()
        drain(id)
        return id
    }

    func subscribe(_ id: ConnectionID, _ channels: [Int]) {
        let entries = channels.map { "{\"id\":\(100 + $0),\"channelId\":\($0 + 1)}" }.joined(separator: ",")
        send(text: "{\"op\":\"subscribe\",\"subscriptions\":[\(entries)]}", from: id)
    }

    func send(text: String, from id: ConnectionID) { send(.text, Array(text.utf8), from: id) }

    func send(_ opcode: FrameHeader.Opcode, _ payload: [UInt8], from id: ConnectionID) {
        send(raw: maskedFrame(opcode.rawValue, payload), from: id)
    }

    func send(raw bytes: [UInt8], from id: ConnectionID) { server.received(bytes.span, from: id, now: now) }

    func close(_ id: ConnectionID) {
        clients[id] = nil
        server.closed(id, now: now)
    }

    /// Lets the client's socket take at most `limit` bytes; a full drain takes everything.
    @discardableResult
    func drain(_ id: ConnectionID, limit: Int = .max) -> SendOutcome {
        server.unblocked(id)
        var left = limit
        return server.send(to: id) { outgoing in
            let bytes = outgoing.bytes
            let taken = min(left, bytes.count)
            left -= taken
            clients[id]?.take(bytes[..<taken])
            received[id]? += bytes[..<taken]
            return taken
        }
    }

    /// What the client received since the last look.
    func messages(_ id: ConnectionID) -> [TestClient.Message] {
        defer { clients[id]?.messages = [] }
        #expect(clients[id]?.violations ?? [] == [])
        return clients[id]?.messages ?? []
    }

    /// All that was sent to the client since the last look, as it came.
    func received(_ id: ConnectionID) -> String {
        defer { received[id] = [] }
        return String(decoding: received[id] ?? [], as: UTF8.self)
    }

    func texts(_ id: ConnectionID) -> [String] {
        messages(id).compactMap { if case .text(let text) = $0 { text } else { nil } }
    }

    /// Data as (subscription, count) in order of arrival.
    func data(_ id: ConnectionID) -> [TestClient.Data] {
        messages(id).compactMap { if case .data(let data) = $0 { data } else { nil } }
    }

    func events() -> [Server.Event] {
        var events: [Server.Event] = []
        while let event = server.nextEvent() { events.append(event) }
        return events
    }
}

extension Outgoing {
    /// All that is offered, in order.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for index in first.indices { bytes.append(first[index]) }
        for range in ranges.indices {
            for index in ranges[range] { bytes.append(body[index]) }
        }
        return bytes
    }
}
