import FoxgloveServer
import Telemetry
import Testing
import WebSocketProtocol

/// A server, its clock and its clients, all of them made of calls.
final class World {
    let server: Server
    var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var clients: [ConnectionID: TestClient] = [:]
    private var published: [UInt32]

    /// Channels /0, /1, … and as many as are asked for, the last one latched on demand.
    init(channelCount: Int = 3, latched: Set<Int> = [], limits: ServerLimits = ServerLimits()) {
        let schema = Schema(name: "test.Message", descriptorSet: [1, 2, 3])
        server = Server(
            channels: (0..<channelCount).map { Channel(topic: "/\($0)", schema: schema, isLatched: latched.contains($0)) },
            identity: Server.Identity(
                name: "test", metadata: ["k": "v"], sessionID: "s1", commandTopics: ["/config"]),
            limits: limits)
        published = Array(repeating: 0, count: channelCount)
        for index in 0..<channelCount { server.advertise(ChannelID(index: index)) }
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
        #expect(server.opened(id, from: address, now: now))
        return id
    }

    /// Opens a connection, shakes hands and takes the greeting.
    func connect(from address: String = "127.0.0.1", subprotocol: String = "foxglove.sdk.v1") -> ConnectionID {
        let id = open(from: address)
        let request =
            "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + "Sec-WebSocket-Protocol: \(subprotocol)\r\n\r\n"
        send(raw: Array(request.utf8), from: id)
        drain(id)
        return id
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
        send(raw: maskedFrame(opcode, payload), from: id)
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
            var bytes: [UInt8] = []
            for index in outgoing.first.indices { bytes.append(outgoing.first[index]) }
            for range in outgoing.ranges.indices {
                for index in outgoing.ranges[range] { bytes.append(outgoing.body[index]) }
            }
            let taken = min(left, bytes.count)
            left -= taken
            clients[id]?.take(bytes[..<taken])
            return taken
        }
    }

    /// What the client received since the last look.
    func messages(_ id: ConnectionID) -> [TestClient.Message] {
        defer { clients[id]?.messages = [] }
        return clients[id]?.messages ?? []
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

/// The client's half: finds messages in what the server sends, by RFC 6455 and protocol.md alone.
struct TestClient {
    struct Data: Equatable {
        var subscription: UInt32
        var logTime: UInt64
        var channel: UInt8
        var count: UInt32
    }

    enum Message: Equatable {
        case http(String)
        case text(String)
        case data(Data)
        case ping, pong
        case close(UInt16, String)
    }

    var messages: [Message] = []
    private var bytes: [UInt8] = []
    private var isUpgraded = false

    mutating func take(_ more: ArraySlice<UInt8>) {
        bytes += more
        if !isUpgraded, let end = bytes.firstRange(of: [13, 10, 13, 10]) {
            let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            isUpgraded = head.hasPrefix("HTTP/1.1 101")
            messages.append(.http(head))
            bytes.removeFirst(end.upperBound)
        }
        while isUpgraded, let message = next() { messages.append(message) }
    }

    private func integer(_ range: Range<Int>) -> UInt64 {
        range.reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }

    private mutating func next() -> Message? {
        guard bytes.count >= 2 else { return nil }
        #expect(bytes[0] & 0xF0 == 0x80, "final, no reserved bit")
        #expect(bytes[1] & 0x80 == 0, "a server does not mask")
        var (offset, length) = (2, Int(bytes[1]))
        if length >= 126 {
            let count = length == 126 ? 2 : 8
            guard bytes.count >= 2 + count else { return nil }
            length = bytes[2..<2 + count].reduce(0) { $0 << 8 | Int($1) }
            #expect(length > (count == 2 ? 125 : 65_535), "the shortest form")
            offset += count
        }
        guard bytes.count >= offset + length else { return nil }
        defer { bytes.removeFirst(offset + length) }
        let payload = bytes[offset..<offset + length]
        switch bytes[0] & 0x0F {
        case 1: return .text(String(decoding: payload, as: UTF8.self))
        case 2:
            #expect(bytes[offset] == 1, "the opcode of message data")
            return .data(
                Data(
                    subscription: UInt32(integer(offset + 1..<offset + 5)), logTime: integer(offset + 5..<offset + 13),
                    channel: bytes[offset + 13], count: UInt32(integer(offset + 14..<offset + 18))))
        case 8: return .close(UInt16(payload[offset]) << 8 | UInt16(payload[offset + 1]), "")
        case 9: return .ping
        case 10: return .pong
        case let opcode:
            Issue.record("opcode \(opcode)")
            return nil
        }
    }
}

/// A frame as a client sends it, masked with a fixed key.
func maskedFrame(_ opcode: FrameHeader.Opcode, _ payload: [UInt8]) -> [UInt8] {
    let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    var frame = [0x80 | opcode.rawValue]
    switch payload.count {
    case ...125: frame.append(0x80 | UInt8(payload.count))
    case ...65_535: frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(truncatingIfNeeded: payload.count)]
    default: frame += [0x80 | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
    }
    return frame + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
}
