package import Telemetry

/// A binary message of the server other than channel data; integers are little-endian.
package enum ServerBinaryMessage: Equatable, Sendable {
    /// Opcode 2.
    case time(Timestamp)
    /// Opcode 3.
    case serviceResponse(serviceID: UInt32, callID: UInt32, encoding: String, payload: [UInt8])
    /// Opcode 4.
    case asset(requestID: UInt32, [UInt8])
    case assetFailure(requestID: UInt32, reason: String)
    /// Opcode 5; `requestID` is empty where no request caused it.
    case playbackState(PlaybackState, requestID: String)

    package var bytes: [UInt8] {
        switch self {
        case .time(let time): [2] + littleEndian(time.unixNanoseconds)
        case .serviceResponse(let serviceID, let callID, let encoding, let payload):
            [3] + littleEndian(serviceID) + littleEndian(callID) + prefixed(encoding) + payload
        case .asset(let requestID, let content): [4] + littleEndian(requestID) + [0] + prefixed("") + content
        case .assetFailure(let requestID, let reason): [4] + littleEndian(requestID) + [1] + prefixed(reason)
        case .playbackState(let state, let requestID):
            [5, state.status.rawValue] + littleEndian(state.time.unixNanoseconds)
                + littleEndian(Float(state.speed).bitPattern) + [state.didSeek ? 1 : 0] + prefixed(requestID)
        }
    }
}

/// Where a playback stands.
package struct PlaybackState: Equatable, Sendable {
    package enum Status: UInt8, Sendable { case playing = 0, paused, buffering, ended }

    package var status: Status
    package var time: Timestamp
    /// 1 is real time.
    package var speed: Double
    /// Whether time jumped, so that viewers forget what they show.
    package var didSeek: Bool

    package init(status: Status, time: Timestamp, speed: Double, didSeek: Bool) {
        self.status = status
        self.time = time
        self.speed = speed
        self.didSeek = didSeek
    }
}

private func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}

private func prefixed(_ text: String) -> [UInt8] { littleEndian(UInt32(text.utf8.count)) + text.utf8 }
