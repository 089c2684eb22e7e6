/// The numbers of a line of /proc/diskstats (kernel documentation, admin-guide/iostats), as they are printed.
package struct DiskCounters: Sendable {
    /// In the order of the line, where they are counted from 1. Sectors are 512 bytes on every device.
    package enum Field: Int, Sendable {
        case reads, readsMerged, sectorsRead, readMilliseconds
        case writes, writesMerged, sectorsWritten, writeMilliseconds
        case inFlight, ioMilliseconds, weightedMilliseconds
        /// Since Linux 4.18.
        case discards, discardsMerged, sectorsDiscarded, discardMilliseconds
        /// Since Linux 5.5.
        case flushes, flushMilliseconds

        package static let count = 17
    }

    private var values: [17 of UInt64] = .init(repeating: 0)
    package private(set) var hasDiscards = false
    package private(set) var hasFlushes = false

    package subscript(field: Field) -> UInt64 { values[field.rawValue] }

    /// Reads what follows the name. Nil, an error counted: too few numbers, or one of the first eleven is invalid.
    package init?(parsing cursor: inout ByteCursor, parseErrorCount: inout Int) {
        // A bit for each field that is valid; later kernels may print more of them.
        var valid = 0
        for field in 0..<Field.count {
            var token = cursor.unsigned()
            if token == .missing { break }
            // Some kernels let it fall below 0.
            if field == Field.inFlight.rawValue { token = Self.plausible(token) }
            if case .value(let value) = token {
                values[field] = value
                valid |= 1 << field
            } else if field >= Field.discards.rawValue {
                parseErrorCount += 1
            }
        }
        func isValid(_ first: Field, _ last: Field) -> Bool {
            let bits = (2 << last.rawValue) - (1 << first.rawValue)
            return valid & bits == bits
        }
        hasDiscards = isValid(.discards, .discardMilliseconds)
        hasFlushes = isValid(.flushes, .flushMilliseconds)
        guard isValid(.reads, .weightedMilliseconds) else {
            parseErrorCount += 1
            return nil
        }
    }

    private static func plausible(_ inFlight: Token<UInt64>) -> Token<UInt64> {
        if case .value(let value) = inFlight, value < 1 << 31 { return inFlight }
        return .value(0)
    }
}
