package import Telemetry

/// The thirteen bytes in front of every published payload: opcode 1, the client's subscription id, the log time in
/// nanoseconds since the epoch; integers are little-endian.
package struct MessageDataHeader: Equatable, Sendable {
    package static let byteCount = 13
    package static let subscriptionOffset = 1

    package var subscriptionID: UInt32
    package var logTime: Timestamp

    package init(subscriptionID: UInt32, logTime: Timestamp) {
        self.subscriptionID = subscriptionID
        self.logTime = logTime
    }

    /// Writes the header at the start of `target`.
    package func write(to target: inout MutableSpan<UInt8>) {
        target[0] = 1
        for index in 0..<4 { target[1 + index] = UInt8(truncatingIfNeeded: subscriptionID >> (8 * UInt32(index))) }
        for index in 0..<8 {
            target[5 + index] = UInt8(truncatingIfNeeded: logTime.unixNanoseconds >> (8 * UInt64(index)))
        }
    }

    /// Reads the header at the start of a binary message; nil: it is none of channel data.
    package init?(parsing message: [UInt8]) {
        guard message.count >= Self.byteCount, message[0] == 1 else { return nil }
        func integer(_ range: Range<Int>) -> UInt64 { range.reversed().reduce(0) { $0 << 8 | UInt64(message[$1]) } }
        subscriptionID = UInt32(integer(1..<5))
        logTime = Timestamp(unixNanoseconds: integer(5..<13))
    }
}
