/// What /proc/net/sockstat and /proc/net/sockstat6 say: lines of names and numbers after the name of a protocol.
package struct SocketStatistics: Sendable {
    package enum Field: Int, CaseIterable, Sendable {
        case used, tcpInUse, tcpOrphan, tcpTimeWait, tcpAllocated, tcpMemoryPages, udpInUse, udpMemoryPages
        case udpLiteInUse, rawInUse, fragmentsInUse, fragmentsMemory, tcp6InUse, udp6InUse, udpLite6InUse, raw6InUse
        case fragments6InUse, fragments6Memory

        /// The protocol with its colon.
        var label: StaticString {
            switch self {
            case .used: "sockets:"
            case .tcpInUse, .tcpOrphan, .tcpTimeWait, .tcpAllocated, .tcpMemoryPages: "TCP:"
            case .udpInUse, .udpMemoryPages: "UDP:"
            case .udpLiteInUse: "UDPLITE:"
            case .rawInUse: "RAW:"
            case .fragmentsInUse, .fragmentsMemory: "FRAG:"
            case .tcp6InUse: "TCP6:"
            case .udp6InUse: "UDP6:"
            case .udpLite6InUse: "UDPLITE6:"
            case .raw6InUse: "RAW6:"
            case .fragments6InUse, .fragments6Memory: "FRAG6:"
            }
        }

        /// What stands before the number.
        var name: StaticString {
            switch self {
            case .used: "used"
            case .tcpOrphan: "orphan"
            case .tcpTimeWait: "tw"
            case .tcpAllocated: "alloc"
            case .tcpMemoryPages, .udpMemoryPages: "mem"
            case .fragmentsMemory, .fragments6Memory: "memory"
            default: "inuse"
            }
        }
    }

    /// By field; NaN: not told.
    private var numbers = [Double](repeating: .nan, count: Field.allCases.count)
    package private(set) var parseErrorCount = 0

    package init() {}

    /// NaN: not told.
    package subscript(field: Field) -> Double { numbers[field.rawValue] }

    package mutating func removeAll() {
        for place in numbers.indices { numbers[place] = .nan }
        parseErrorCount = 0
    }

    /// Adds what the text says; the first of a name counts.
    package mutating func parse(_ text: Span<UInt8>) {
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let label = cursor.token()
            while true {
                let name = cursor.token()
                if name.isEmpty { break }
                take(cursor.unsigned(), Self.field(label, name))
            }
            cursor.skipLine()
        }
    }

    private static func field(_ label: Span<UInt8>, _ name: Span<UInt8>) -> Field? {
        for field in Field.allCases where name.equals(field.name) && label.equals(field.label) { return field }
        return nil
    }

    private mutating func take(_ token: Token<UInt64>, _ field: Field?) {
        guard let field else { return }
        guard case .value(let value) = token else {
            parseErrorCount += 1
            return
        }
        if numbers[field.rawValue].isNaN { numbers[field.rawValue] = Double(value) }
    }
}
