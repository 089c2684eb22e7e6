package import Telemetry

/// A binary message of a client, as far as its fixed part tells; integers are little-endian.
package enum ClientBinaryMessage: Equatable, Sendable {
    /// Opcode 1: a payload for a client channel, from `payloadOffset` to the end.
    case publish(channelID: UInt32, payloadOffset: Int)
    /// Opcode 2: a service call, its request from `payloadOffset` to the end.
    case serviceCall(serviceID: UInt32, callID: UInt32, encoding: String, payloadOffset: Int)
    /// Opcode 3.
    case playbackControl(PlaybackRequest)

    package init(parsing bytes: [UInt8]) throws(InvalidMessage) {
        let reader = Reader(bytes: bytes)
        switch bytes.first {
        case 1: self = .publish(channelID: try reader.uint32(at: 1), payloadOffset: 5)
        case 2:
            let (serviceID, callID) = (try reader.uint32(at: 1), try reader.uint32(at: 5))
            let (encoding, end) = try reader.text(at: 9)
            self = .serviceCall(serviceID: serviceID, callID: callID, encoding: encoding, payloadOffset: end)
        case 3: self = .playbackControl(try PlaybackRequest(reader))
        case let opcode: throw InvalidMessage("Unknown binary opcode \(opcode ?? 0)")
        }
    }
}

/// What a client wants of the playback; opcode 3.
package struct PlaybackRequest: Equatable, Sendable {
    package enum Command: UInt8, Sendable { case play = 0, pause }

    package var command: Command
    /// 1 is real time; finite and not negative.
    package var speed: Double
    /// Nil: go on from where it is.
    package var seekTime: Timestamp?
    /// Comes back with the answer.
    package var requestID: String

    package init(command: Command, speed: Double, seekTime: Timestamp?, requestID: String) {
        self.command = command
        self.speed = speed
        self.seekTime = seekTime
        self.requestID = requestID
    }

    fileprivate init(_ reader: Reader) throws(InvalidMessage) {
        let (requestID, _) = try reader.text(at: 15)
        guard let command = Command(rawValue: reader.bytes[1]) else {
            throw InvalidMessage("Invalid playback command \(reader.bytes[1])")
        }
        let speed = Double(Float(bitPattern: try reader.uint32(at: 2)))
        guard speed.isFinite, speed >= 0 else { throw InvalidMessage("Invalid playback speed") }
        self.command = command
        self.speed = speed
        let seekTime = UInt64(try reader.uint32(at: 7)) | UInt64(try reader.uint32(at: 11)) << 32
        self.seekTime = reader.bytes[6] != 0 ? Timestamp(unixNanoseconds: seekTime) : nil
        self.requestID = requestID
    }
}

/// Little-endian numbers and length-prefixed texts, bounds checked.
private struct Reader {
    let bytes: [UInt8]

    func uint32(at offset: Int) throws(InvalidMessage) -> UInt32 {
        guard bytes.count >= offset + 4 else { throw InvalidMessage("Buffer too short") }
        return (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
    }

    /// A text behind its length, and where it ends.
    func text(at offset: Int) throws(InvalidMessage) -> (String, end: Int) {
        let count = try uint32(at: offset)
        let start = offset + 4
        guard count <= bytes.count - start else { throw InvalidMessage("Buffer too short") }
        let end = start + Int(count)
        guard count <= ClientMessage.stringByteLimit else {
            throw InvalidMessage("a text is longer than \(ClientMessage.stringByteLimit) bytes", bound: .string)
        }
        guard let text = String(validating: bytes[start..<end], as: UTF8.self) else {
            throw InvalidMessage("a text is not UTF-8")
        }
        return (text, end)
    }
}
