/// The counters of one interface, since it was made.
package struct InterfaceCounters: Equatable, Sendable {
    package static let columnCount = 14

    package enum Column {
        package static let rxBytes = 0
        package static let txBytes = 1
        package static let rxPackets = 2
        package static let txPackets = 3
        package static let rxErrors = 4
        package static let txErrors = 5
        /// Includes what the hardware missed.
        package static let rxDropped = 6
        package static let txDropped = 7
        package static let rxFifoErrors = 8
        /// Length, overrun, checksum and frame errors.
        package static let rxFrameErrors = 9
        package static let rxMulticast = 10
        package static let txFifoErrors = 11
        package static let txCollisions = 12
        /// Carrier, aborted, window and heartbeat errors.
        package static let txCarrierErrors = 13
    }

    package var columns: [14 of UInt64]

    package init(columns: [14 of UInt64] = .init(repeating: 0)) { self.columns = columns }

    package static func == (left: Self, right: Self) -> Bool {
        for column in 0..<columnCount where left.columns[column] != right.columns[column] { return false }
        return true
    }
}
