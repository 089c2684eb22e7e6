/// The first record that a client of TLS sends, as far as it has come: all of its greeting, as a rule.
///
/// A session of the library takes tens of kilobytes at the first byte. Nobody is given that before having sent a whole
/// record of the kind that a handshake begins with.
package struct FirstRecord {
    package enum State: Equatable, Sendable {
        case incomplete, complete
        /// No record of TLS begins with a letter, and every method of HTTP does.
        case plainHTTP
        /// Nothing that a handshake begins with.
        case foreign
    }

    static let headerByteCount = 5
    /// What TLS allows after the header. Less would turn away clients that resume a session with their certificate in
    /// the ticket.
    package static let payloadByteLimit = 16 * 1_024

    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Takes what belongs to the record from the front of `more`; returns how much that is.
    package mutating func take(_ more: Span<UInt8>) -> Int {
        var count = 0
        while state == .incomplete, count < more.count {
            if bytes.count == Self.headerByteCount { bytes.reserveCapacity(byteCount) }
            let missing = max(Self.headerByteCount, byteCount) - bytes.count
            let end = min(count + missing, more.count)
            while count < end {
                bytes.append(more[count])
                count += 1
            }
        }
        return count
    }

    package var state: State {
        guard let first = bytes.first else { return .incomplete }
        if (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first | 0x20) { return .plainHTTP }
        // A handshake (22), of any version from 3.0 on.
        guard first == 22, bytes.count < 2 || bytes[1] == 3 else { return .foreign }
        guard bytes.count >= Self.headerByteCount else { return .incomplete }
        guard 1...Self.payloadByteLimit ~= byteCount - Self.headerByteCount else { return .foreign }
        return bytes.count < byteCount ? .incomplete : .complete
    }

    /// The memory for the whole record; 0 as long as its size is not known.
    package var byteCount: Int {
        guard bytes.count >= Self.headerByteCount else { return 0 }
        return Self.headerByteCount + Int(bytes[3]) << 8 + Int(bytes[4])
    }
}
