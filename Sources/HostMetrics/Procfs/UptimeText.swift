/// What /proc/uptime says.
package struct UptimeText: Equatable, Sendable {
    /// nil: invalid.
    package var uptimeSeconds: Double?
    /// Summed over all CPUs; nil: invalid.
    package var idleSeconds: Double?
    package var parseErrorCount = 0
}

extension UptimeText {
    package init(parsing text: Span<UInt8>) {
        self.init()
        var cursor = ByteCursor(text)
        if case .value(let value) = cursor.decimal() { uptimeSeconds = value } else { parseErrorCount += 1 }
        if case .value(let value) = cursor.decimal() { idleSeconds = value } else { parseErrorCount += 1 }
    }
}
