import FoxgloveClient
import FoxgloveProtocol
import Telemetry
import TestSupport
import WebSocketProtocol

/// A client's connection whose server is a script of bytes, written by RFC 6455 alone.
struct ScriptedServer {
    var client: ClientConnection
    var now = Instant(nanoseconds: 1_000_000_000)
    var events: [ClientConnection.Event] = []
    /// Payloads, in the order of the messages among the events.
    var payloads: [[UInt8]] = []

    init(_ url: String = "ws://localhost:8765", limits: ClientLimits = ClientLimits()) throws {
        client = ClientConnection(
            to: try ServerURL(parsing: url), limits: limits, random: SeededGenerator(seed: 7), now: now)
    }

    /// A server that has accepted.
    static func open(limits: ClientLimits = ClientLimits()) throws -> Self {
        var server = try Self(limits: limits)
        server.send(Array(server.acceptance().utf8))
        return server
    }

    /// The request's lines; asking takes what waits.
    mutating func request() -> [String] {
        String(decoding: client.takeOutput(), as: UTF8.self).components(separatedBy: "\r\n")
    }

    /// An answer that accepts, with other fields in place of the ones of a name.
    mutating func acceptance(_ changes: [String: String?] = [:]) -> String {
        let key = request().first { $0.hasPrefix("Sec-WebSocket-Key: ") }?.dropFirst(19) ?? ""
        var fields = [
            "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Protocol": "foxglove.sdk.v1",
            "Sec-WebSocket-Accept": Upgrade.acceptance(of: String(key)),
        ]
        for (name, value) in changes { fields[name] = value }
        return "HTTP/1.1 101 Switching Protocols\r\n" + fields.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
    }

    mutating func send(_ bytes: [UInt8]) {
        var offset = 0
        while let event = client.next(bytes.span, &offset, now: now) {
            events.append(event)
            if case .message = event { payloads.append(client.payload) }
        }
    }

    /// A frame as a server sends it.
    mutating func send(_ first: UInt8, _ payload: [UInt8]) { send(Self.frame(first, payload)) }

    mutating func send(text: String) { send(0x81, Array(text.utf8)) }

    static func frame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let length: [UInt8] =
            switch payload.count {
            case ...125: [UInt8(payload.count)]
            case ...65_535: [126, UInt8(payload.count >> 8), UInt8(truncatingIfNeeded: payload.count)]
            default: [127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
            }
        return [first] + length + payload
    }

    /// What the client sent since the last look, unmasked: opcode and payload of each frame.
    mutating func takeFrames() -> [(opcode: UInt8, payload: [UInt8])] {
        var bytes = client.takeOutput()[...]
        var frames: [(opcode: UInt8, payload: [UInt8])] = []
        while let first = bytes.popFirst(), let second = bytes.popFirst() {
            precondition(second & 0x80 != 0 && first & 0xF0 == 0x80, "a client masks, and does not fragment")
            var length = Int(second & 0x7F)
            if length >= 126 {
                let count = length == 126 ? 2 : 8
                length = bytes.prefix(count).reduce(0) { $0 << 8 | Int($1) }
                bytes = bytes.dropFirst(count)
            }
            let mask = Array(bytes.prefix(4))
            let payload = bytes.dropFirst(4).prefix(length)
            frames.append((first & 0x0F, payload.enumerated().map { $1 ^ mask[$0 & 3] }))
            bytes = bytes.dropFirst(4 + length)
        }
        return frames
    }

    mutating func takeTexts() -> [String] {
        takeFrames().map { $0.opcode == 1 ? String(decoding: $0.payload, as: UTF8.self) : "opcode \($0.opcode)" }
    }

    mutating func takeEvents() -> [ClientConnection.Event] {
        defer { events = [] }
        return events
    }

    mutating func wait(seconds: UInt64) {
        now = now + .seconds(seconds)
        if let event = client.tick(now: now) { events.append(event) }
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}

let greeting = #"{"op":"serverInfo","name":"box","capabilities":["parameters"],"sessionId":"1"}"#

/// An advertise of topics as the channels 1, 2, ...
func advertise(_ topics: String...) -> String {
    let channels = topics.enumerated().map {
        #"{"id":\#($0 + 1),"topic":"\#($1)","encoding":"protobuf","schemaName":"S","schema":"AA=="}"#
    }
    return #"{"op":"advertise","channels":[\#(channels.joined(separator: ","))]}"#
}

func channel(_ id: UInt32, _ topic: String) -> RemoteChannel {
    RemoteChannel(id: id, topic: topic, encoding: "protobuf", schemaName: "S")
}

/// A binary message of channel data.
func data(_ subscription: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [1, subscription, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0] + payload
}
