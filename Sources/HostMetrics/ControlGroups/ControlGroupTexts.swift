/// Texts that only control groups have.
package enum ControlGroupTexts {
    /// cpu.max: `QUOTA PERIOD`, in CPUs; NaN: `max`, no limit.
    package static func limitCores(parsing text: Span<UInt8>) -> Double {
        var cursor = ByteCursor(text)
        guard case .value(let quota) = cursor.unsigned(), case .value(let period) = cursor.unsigned(), period > 0 else {
            return .nan
        }
        return Double(quota) / Double(period)
    }

    /// io.stat: `MAJOR:MINOR rbytes=… wbytes=… rios=… wios=…`, and more, for each device.
    package static func storage(parsing text: Span<UInt8>) -> ControlGroupReading.Storage {
        var storage = ControlGroupReading.Storage()
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            cursor.skipToken()
            while !cursor.isAtLineEnd {
                cursor.skipBlanks()
                if cursor.skip("rbytes=") {
                    add(&cursor, to: &storage.readBytes)
                } else if cursor.skip("wbytes=") {
                    add(&cursor, to: &storage.writeBytes)
                } else if cursor.skip("rios=") {
                    add(&cursor, to: &storage.reads)
                } else if cursor.skip("wios=") {
                    add(&cursor, to: &storage.writes)
                }
                cursor.skipToken()
            }
            cursor.skipLine()
        }
        return storage
    }

    /// blkio.throttle.*: `MAJOR:MINOR Read N`, `MAJOR:MINOR Write N`, and more, for each device, then `Total N`.
    package static func readsAndWrites(parsing text: Span<UInt8>) -> (read: UInt64, write: UInt64) {
        var sums: (read: UInt64, write: UInt64) = (0, 0)
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            cursor.skipToken()
            cursor.skipBlanks()
            if cursor.skip("Read ") {
                add(&cursor, to: &sums.read)
            } else if cursor.skip("Write ") {
                add(&cursor, to: &sums.write)
            }
            cursor.skipLine()
        }
        return sums
    }

    private static func add(_ cursor: inout ByteCursor, to sum: inout UInt64) {
        if case .value(let value) = cursor.unsigned() { sum &+= value }
    }
}
