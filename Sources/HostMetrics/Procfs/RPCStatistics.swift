/// What /proc/net/rpc/nfs or nfsd says: lines of a name and counters (fs/nfsd/stats.c, net/sunrpc/stats.c).
///
///     rpc 1218785755 374636 1218815394
///     proc3 22 0 1061909262 48906 4077635 117661341 …
package struct RPCStatistics: KernelText {
    /// The lines that are used.
    package enum Line: Int, CaseIterable, Sendable {
        case replyCache, io, threads, rpc, version2, version3, version4, version4Operations

        fileprivate var name: StaticString {
            switch self {
            case .replyCache: "rc"
            case .io: "io"
            case .threads: "th"
            case .rpc: "rpc"
            case .version2: "proc2"
            case .version3: "proc3"
            case .version4: "proc4"
            case .version4Operations: "proc4ops"
            }
        }

        /// How many counters of it are used.
        fileprivate var countMax: Int {
            switch self {
            case .threads: 1
            case .io: 2
            case .replyCache, .rpc: 3
            case .version2, .version3, .version4, .version4Operations: Limits.operationCountMax
            }
        }

        /// Whether the first number tells how many follow.
        fileprivate var isCounted: Bool { rawValue >= Line.version2.rawValue }
    }

    private var counters: [[UInt64]] = Array(repeating: [], count: Line.allCases.count)
    package private(set) var parseErrorCount = 0

    package init() {}

    /// Empty: no such line.
    package subscript(line: Line) -> [UInt64] { counters[line.rawValue] }

    package subscript(line: Line, index: Int) -> UInt64? {
        counters[line.rawValue].indices.contains(index) ? counters[line.rawValue][index] : nil
    }

    package mutating func parse(_ text: Span<UInt8>) {
        parseErrorCount = 0
        for line in Line.allCases { counters[line.rawValue].removeAll(keepingCapacity: true) }
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let name = cursor.token()
            for line in Line.allCases where name.equals(line.name) { parse(&cursor, line) }
            cursor.skipLine()
        }
    }

    /// Ends at the first invalid number: what follows would be counted under other names.
    private mutating func parse(_ cursor: inout ByteCursor, _ line: Line) {
        // Of a name that comes twice the first counts.
        guard counters[line.rawValue].isEmpty else { return }
        var rest = line.countMax
        if line.isCounted {
            guard case .value(let count) = cursor.unsigned() else {
                parseErrorCount += 1
                return
            }
            rest = min(rest, Int(clamping: count))
        }
        while rest > 0 {
            switch cursor.unsigned() {
            case .value(let value): counters[line.rawValue].append(value)
            case .missing:
                if line.isCounted { parseErrorCount += 1 }
                return
            case .invalid:
                parseErrorCount += 1
                return
            }
            rest -= 1
        }
    }
}
