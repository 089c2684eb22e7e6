internal import TelemetrySchema

/// The operations of a message of `/nfs`.
struct NFSOperationRows: ~Copyable {
    enum Side { case client, server }

    /// A line of counters, and what they are called.
    private struct Table {
        var side: Side
        var line: RPCStatistics.Line
        var prefix: StaticString
        var names: [StaticString]
        /// What precedes the number of one without a name.
        var unnamed: StaticString = "op"
    }

    private static let tables = [
        Table(side: .client, line: .version2, prefix: "client.v2.", names: NFSOperations.version2),
        Table(side: .client, line: .version3, prefix: "client.v3.", names: NFSOperations.version3),
        Table(side: .client, line: .version4, prefix: "client.v4.", names: NFSOperations.version4Client),
        Table(side: .server, line: .version2, prefix: "server.v2.", names: NFSOperations.version2),
        Table(side: .server, line: .version3, prefix: "server.v3.", names: NFSOperations.version3),
        Table(
            side: .server, line: .version4, prefix: "server.v4.", names: NFSOperations.version4Server,
            unnamed: "procedure"),
        Table(
            side: .server, line: .version4Operations, prefix: "server.v4.", names: NFSOperations.version4ServerParts),
    ]

    /// An operation that was called.
    private struct Known {
        var id: Text
        var isPublished: Bool
    }

    private(set) var rows: RepeatedField<NfsOperationMessage>
    private(set) var suppressedCount = 0
    private var filter: EntryFilter
    private var ids = TextArena(byteCapacity: 65_536)
    /// By table and number.
    private var known: [Known?] = Array(repeating: nil, count: tables.count * Limits.operationCountMax)

    init(_ settings: EntrySettings) {
        rows = RepeatedField(capacity: settings.entryCountMax)
        filter = EntryFilter(settings)
    }

    mutating func removeAll() {
        rows.removeAll()
        suppressedCount = 0
    }

    /// Appends a row for each operation that was called.
    mutating func append(
        _ side: Side, _ statistics: RPCStatistics, _ width: Baselines.Width, _ baselines: inout Baselines
    ) {
        for (number, table) in Self.tables.enumerated() where table.side == side {
            let counters = statistics[table.line]
            for index in counters.indices {
                let slot = number * Limits.operationCountMax + index
                // Those that were never called, too: their first calls are no less than others.
                let rate = baselines.rate(UInt64(slot + 16), width, counters[index])
                guard counters[index] > 0 else { continue }
                let operation = known[slot] ?? name(slot, table, index)
                guard operation.isPublished else { continue }
                guard rows.append() else {
                    suppressedCount += 1
                    continue
                }
                rows.last.setId(operation.id)
                rows.last.callsPerSecond = rate
                rows.last.callsTotal = counters[index]
            }
        }
    }

    private mutating func name(_ slot: Int, _ table: Table, _ index: Int) -> Known {
        var id: [UInt8] = []
        id.append(table.prefix)
        if index < table.names.count {
            id.append(table.names[index])
        } else {
            id.append(table.unnamed)
            id.append(contentsOf: String(index).utf8)
        }
        let operation = Known(id: ids.append(id.span), isPublished: filter.admits(id.span))
        known[slot] = operation
        return operation
    }
}
