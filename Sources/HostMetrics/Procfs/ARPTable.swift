/// The lines of /proc/net/arp (proc_pid_net(5)).
package enum ARPTable {
    package struct Line: Equatable, Sendable {
        /// ATF_COM: the hardware address is known.
        package var isComplete: Bool
        /// ATF_PERM: set by hand.
        package var isPermanent: Bool
    }

    private static let completeFlag: UInt64 = 2
    private static let permanentFlag: UInt64 = 4
    /// The kernel's names have at most 15 bytes; of these, each may become three in a message.
    private static let nameByteCountMax = 21

    /// Calls `body` with each entry and the name of its interface; returns how many lines were dropped.
    package static func forEach(in text: Span<UInt8>, _ body: (Line, Span<UInt8>) -> Void) -> Int {
        var parseErrorCount = 0
        var cursor = ByteCursor(text)
        // The first line has the names of the columns.
        cursor.skipLine()
        while !cursor.isAtEnd {
            let line = cursor.line()
            if line.trimmed.isEmpty { continue }
            var columns = ByteCursor(line)
            // Address and type of the hardware; then its address and a mask.
            for _ in 0..<2 where columns.token().isEmpty { break }
            columns.skipBlanks()
            guard columns.skip("0x"), case .value(let flags) = columns.hexadecimal() else {
                parseErrorCount += 1
                continue
            }
            for _ in 0..<2 where columns.token().isEmpty { break }
            let name = columns.token()
            guard (1...nameByteCountMax).contains(name.count) else {
                parseErrorCount += 1
                continue
            }
            body(Line(isComplete: flags & completeFlag != 0, isPermanent: flags & permanentFlag != 0), name)
        }
        return parseErrorCount
    }
}
