internal import FoxgloveProtocol

/// A list in a channel's messages whose entries have lines of their own in layouts.
struct EntryList: Sendable {
    /// An entry as its message has it.
    struct Row {
        let members: [String: JSONValue]

        /// "" where there is none.
        func text(_ field: String) -> String { if case .string(let text)? = members[field] { text } else { "" } }

        /// Nil: not known.
        func number(_ field: String) -> Double? {
            if case .number(let number)? = members[field] { number } else { nil }
        }

        var id: String { number("id").flatMap { Int(exactly: $0) }.map { "\($0)" } ?? text("id") }
    }

    let topic: String
    let field: String
    /// The largest comes first; of equals the one that comes first in the message. Nil: it has no lines.
    let weight: @Sendable (Row) -> Double?
    let name: @Sendable (Row) -> String

    init(
        _ topic: String, _ field: String, weight: @escaping @Sendable (Row) -> Double? = { _ in 0 },
        name: @escaping @Sendable (Row) -> String = { $0.id }
    ) {
        self.topic = topic
        self.field = field
        self.weight = weight
        self.name = name
    }

    static let all: [EntryList] = [
        EntryList("/cpu/cores", "cores", name: { "CPU \($0.id)" }),
        EntryList("/memory/numa", "nodes", name: { "node \($0.id)" }),
        EntryList("/disk", "devices", weight: diskWeight),
        EntryList("/filesystem", "filesystems", weight: { $0.id == "/" ? .infinity : $0.number("size_bytes") ?? -1 }),
        EntryList("/net", "interfaces", weight: interfaceWeight),
        EntryList("/net/wireless", "interfaces"),
        EntryList("/sensors", "temperatures", weight: temperatureWeight, name: sensorName),
        EntryList("/sensors", "fans", weight: { $0.number("rpm") ?? 0 > 0 ? 1 : 0 }, name: sensorName),
        EntryList("/sensors", "voltages", weight: known("volts"), name: sensorName),
        EntryList("/sensors", "powers", weight: known("watts"), name: sensorName),
        EntryList("/thermal", "zones", weight: known("celsius"), name: named("type")),
        EntryList("/power", "supplies", weight: { ["Battery", "UPS"].contains($0.text("type")) ? 0 : nil }),
        EntryList("/rapl", "zones", name: named("name")),
        EntryList("/gpu", "gpus", name: named("name")),
    ]

    static let topics = Set(all.map(\.topic))

    // MARK: What matters

    /// What moved most since boot. What lies on other disks shows their traffic once more.
    @Sendable private static func diskWeight(_ row: Row) -> Double? {
        guard !row.id.hasPrefix("dm-"), !row.id.hasPrefix("md"), !row.id.hasPrefix("loop") else { return -1 }
        return (row.number("read_bytes_total") ?? 0) + (row.number("write_bytes_total") ?? 0)
    }

    /// Interfaces of guests and containers: most of what passes there is seen at the host's own once more.
    private static let guestInterfaces = ["veth", "vnet", "tap", "docker", "virbr", "br-", "cni", "cali"]

    @Sendable private static func interfaceWeight(_ row: Row) -> Double? {
        if row.id == "lo" { return -2 }
        if guestInterfaces.contains(where: { row.id.hasPrefix($0) }) { return -1 }
        return (row.number("rx_bytes_total") ?? 0) + (row.number("tx_bytes_total") ?? 0)
    }

    /// Drivers of the processors' own sensors.
    private static let processorChips = ["coretemp-", "k10temp-", "zenpower-", "cpu_thermal-"]

    @Sendable private static func temperatureWeight(_ row: Row) -> Double? {
        guard row.number("celsius") != nil else { return -1 }
        return processorChips.contains { row.text("chip").hasPrefix($0) } ? 1 : 0
    }

    private static func known(_ field: String) -> @Sendable (Row) -> Double? { { $0.number(field) == nil ? 0 : 1 } }

    // MARK: Names

    private static func named(_ field: String) -> @Sendable (Row) -> String {
        { row in row.text(field).isEmpty ? row.id : row.text(field) }
    }

    /// "coretemp Core 0"; the id where the feature has no name.
    @Sendable private static func sensorName(_ row: Row) -> String {
        let label = row.text("label")
        guard !label.isEmpty, !row.id.hasSuffix("/\(label)") else { return row.id }
        return "\(row.text("chip").prefix { $0 != "-" }) \(label)"
    }
}
