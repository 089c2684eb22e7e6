/// What is used of /proc/PID/stat (proc_pid_stat(5)).
package struct ProcessStat: Equatable, Sendable {
    /// The letter.
    package var state: UInt8
    package var parent: UInt32
    /// User and system time of all threads, in ticks.
    package var cpuTicks: UInt64
    package var threadCount: UInt32
    /// Since boot, in ticks. With the process id it tells a process from another that got its number later.
    package var startTicks: UInt64
    package var residentPages: UInt64

    /// Fields are counted from behind the last `)`: a program's name may hold anything. Nil: it is no such text.
    package init?(parsing text: Span<UInt8>) {
        guard let close = Self.endOfName(in: text) else { return nil }
        var cursor = ByteCursor(text.extracting(droppingFirst: close + 1))
        let letter = cursor.token()
        guard letter.count == 1 else { return nil }
        state = letter[0]
        // Numbers as they stand in the manual: 4 is the parent.
        guard let parent = Self.field(&cursor), let parent = UInt32(exactly: parent) else { return nil }
        self.parent = parent
        Self.skip(9, &cursor)
        guard let user = Self.field(&cursor), let system = Self.field(&cursor) else { return nil }
        cpuTicks = user &+ system
        Self.skip(4, &cursor)
        guard let threads = Self.field(&cursor) else { return nil }
        threadCount = UInt32(clamping: threads)
        Self.skip(1, &cursor)
        guard let start = Self.field(&cursor) else { return nil }
        startTicks = start
        Self.skip(1, &cursor)
        residentPages = Self.field(&cursor) ?? 0
    }

    /// The program's name: what is between the first `(` and the last `)`.
    @_lifetime(copy text)
    package static func name(in text: Span<UInt8>) -> Span<UInt8> {
        guard let close = endOfName(in: text) else { return text.extracting(first: 0) }
        var open = 0
        while open < close, text[open] != UInt8(ascii: "(") { open += 1 }
        return text.extracting(min(open + 1, close)..<close)
    }

    private static func endOfName(in text: Span<UInt8>) -> Int? {
        var close = text.count - 1
        while close >= 0, text[close] != UInt8(ascii: ")") { close -= 1 }
        return close >= 0 ? close : nil
    }

    private static func field(_ cursor: inout ByteCursor) -> UInt64? {
        guard case .value(let value) = cursor.unsigned() else { return nil }
        return value
    }

    /// Fields that are not used, some of which are negative.
    private static func skip(_ count: Int, _ cursor: inout ByteCursor) {
        for _ in 0..<count {
            cursor.skipBlanks()
            cursor.skipToken()
        }
    }
}
