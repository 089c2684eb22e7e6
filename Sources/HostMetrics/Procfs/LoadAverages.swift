/// What /proc/loadavg says: `l1 l5 l15 runnable/total lastpid`.
package struct LoadAverages: Equatable, Sendable {
    /// Tasks that run or wait, averaged over 1, 5 and 15 minutes; nil: invalid.
    package var oneMinute: Double?
    package var fiveMinutes: Double?
    package var fifteenMinutes: Double?
    /// 0 where the text cannot be read.
    package var runnable: UInt64 = 0
    package var total: UInt64 = 0
    package var lastProcess: UInt64 = 0
    package var parseErrorCount = 0
}

extension LoadAverages {
    package init(parsing text: Span<UInt8>) {
        self.init()
        var cursor = ByteCursor(text)
        oneMinute = number(cursor.decimal())
        fiveMinutes = number(cursor.decimal())
        fifteenMinutes = number(cursor.decimal())
        let counts = cursor.token()
        if let (left, right) = Self.counts(counts) {
            runnable = left
            total = right
        } else {
            parseErrorCount += 1
        }
        if case .value(let value) = cursor.unsigned() { lastProcess = value } else { parseErrorCount += 1 }
    }

    private mutating func number(_ token: Token<Double>) -> Double? {
        if case .value(let value) = token { return value }
        parseErrorCount += 1
        return nil
    }

    private static func counts(_ text: Span<UInt8>) -> (UInt64, UInt64)? {
        var slash = 0
        while slash < text.count, text[slash] != UInt8(ascii: "/") { slash += 1 }
        guard slash < text.count, let left = text.extracting(first: slash).unsignedValue,
            let right = text.extracting(droppingFirst: slash + 1).unsignedValue
        else { return nil }
        return (left, right)
    }
}
