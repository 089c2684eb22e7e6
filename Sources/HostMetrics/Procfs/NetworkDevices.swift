/// The lines of /proc/net/dev (proc_pid_net(5)).
package enum NetworkDevices {
    /// Which counter a column of the text is; -1: none. Columns 7 and 16 count compressed packets.
    private static let columns: [16 of Int] = [
        InterfaceCounters.Column.rxBytes, InterfaceCounters.Column.rxPackets, InterfaceCounters.Column.rxErrors,
        InterfaceCounters.Column.rxDropped, InterfaceCounters.Column.rxFifoErrors,
        InterfaceCounters.Column.rxFrameErrors, -1, InterfaceCounters.Column.rxMulticast,
        InterfaceCounters.Column.txBytes, InterfaceCounters.Column.txPackets, InterfaceCounters.Column.txErrors,
        InterfaceCounters.Column.txDropped, InterfaceCounters.Column.txFifoErrors,
        InterfaceCounters.Column.txCollisions, InterfaceCounters.Column.txCarrierErrors, -1,
    ]

    /// Calls `body` for each interface, in the order of the text; returns how many lines were dropped.
    package static func forEach(in text: Span<UInt8>, _ body: (Span<UInt8>, InterfaceCounters) -> Void) -> Int {
        var parseErrorCount = 0
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let line = cursor.line()
            // A name may contain colons, a number may follow its colon without a blank.
            var colon = -1
            var isHeading = false
            for index in line.indices {
                if line[index] == UInt8(ascii: ":") { colon = index }
                if line[index] == UInt8(ascii: "|") { isHeading = true }
            }
            if isHeading || line.trimmed.isEmpty { continue }
            guard colon >= 0 else {
                parseErrorCount += 1
                continue
            }
            let name = withoutBlanks(line.extracting(first: colon))
            guard 1...Limits.interfaceNameByteCountMax ~= name.count,
                let counters = counters(parsing: line.extracting(droppingFirst: colon + 1))
            else {
                parseErrorCount += 1
                continue
            }
            body(name, counters)
        }
        return parseErrorCount
    }

    private static func counters(parsing text: Span<UInt8>) -> InterfaceCounters? {
        var counters = InterfaceCounters()
        var cursor = ByteCursor(text)
        for column in 0..<16 {
            guard case .value(let value) = cursor.unsigned() else { return nil }
            if columns[column] >= 0 { counters.columns[columns[column]] = value }
        }
        return counters
    }

    @_lifetime(copy text)
    private static func withoutBlanks(_ text: Span<UInt8>) -> Span<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var start = 0
        var end = text.count
        while start < end, isBlank(text[start]) { start += 1 }
        while end > start, isBlank(text[end - 1]) { end -= 1 }
        return text.extracting(start..<end)
    }
}
