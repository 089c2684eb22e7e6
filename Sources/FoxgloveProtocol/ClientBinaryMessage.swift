/// A binary message of a client, as far as its fixed part tells; integers are little-endian.
package enum ClientBinaryMessage: Equatable, Sendable {
    /// Opcode 1: a payload for a client channel, from `payloadOffset` to the end.
    case publish(channelID: UInt32, payloadOffset: Int)
    /// Opcode 2: a service call.
    case serviceCall(serviceID: UInt32, callID: UInt32)
    /// Opcode 3.
    case playbackControl

    package init(parsing bytes: [UInt8]) throws(InvalidMessage) {
        func unsigned(at offset: Int) throws(InvalidMessage) -> UInt32 {
            guard bytes.count >= offset + 4 else { throw InvalidMessage("Buffer too short") }
            return (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
        }
        switch bytes.first {
        case 1:
            self = .publish(channelID: try unsigned(at: 1), payloadOffset: 5)
        case 2:
            let (serviceID, callID) = (try unsigned(at: 1), try unsigned(at: 5))
            guard try unsigned(at: 9) <= bytes.count - 13 else { throw InvalidMessage("Buffer too short") }
            self = .serviceCall(serviceID: serviceID, callID: callID)
        case 3:
            guard try unsigned(at: 15) <= bytes.count - 19 else { throw InvalidMessage("Buffer too short") }
            self = .playbackControl
        case let opcode:
            throw InvalidMessage("Unknown binary opcode \(opcode ?? 0)")
        }
    }
}
