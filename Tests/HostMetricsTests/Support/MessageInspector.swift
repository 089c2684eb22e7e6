import HostMetrics
import Telemetry

/// Looks for what no message of a channel may tell, whatever its source says.
final class MessageInspector {
    static let byteCountMax = 1 << 20
    /// A record of the kernel's log has 8 KiB, of which each byte may become three.
    private static let textByteCountMax = 24_576

    /// Shares of more than the whole, as the comments of these fields say.
    private static let mayExceedOne: Set = [
        "/agent cpu_ratio", "/cgroup cpu_of_limit_ratio", "/cgroup cpu_throttled_ratio", "/cgroup memory_ratio",
        "/cpu/sched run_ratio", "/cpu/sched wait_ratio", "/fds allocated_ratio", "/net/conntrack used_ratio",
        "/net rx_utilization_ratio", "/net tx_utilization_ratio",
        "/power health_ratio", "/processes cpu_ratio", "/zfs size_ratio",
    ]
    private static let maybeNegative: Set = [
        "/clock offset_seconds", "/clock tai_offset_seconds", "/clock frequency_ratio",
        "/memory/compressed ksm_profit_bytes",
    ]
    private static let neverNegative = [
        "_ratio", "_per_second", "_bytes", "_hertz", "_total", "_cores", "_seconds", "_joules", "_rpm", "_max",
    ]

    private struct Rule {
        var name: String
        var type: UInt64
        var isRepeated: Bool
        var child: String
        var lowest = -Double.greatestFiniteMagnitude
        var highest = Double.greatestFiniteMagnitude
    }

    private let topic: String
    private let root: String
    private let entryCountMax: Int
    private var rules: [String: [UInt64: Rule]] = [:]

    /// `entryCountMax` goes for each list; `isRaw`: sensors may tell what cannot be.
    init(_ channel: Channel, entryCountMax: Int, isRaw: Bool) throws {
        topic = channel.topic
        root = ".\(channel.schema.name)"
        self.entryCountMax = entryCountMax
        for (name, fields) in try DescriptorPool(descriptorSet: channel.schema.descriptorSet).messages {
            rules[name] = fields.mapValues { field in
                var rule = Rule(name: field.name, type: field.type, isRepeated: field.isRepeated, child: field.typeName)
                let place = "\(channel.topic) \(field.name)"
                guard !isRaw else { return rule }
                if Self.neverNegative.contains(where: field.name.hasSuffix), !Self.maybeNegative.contains(place) {
                    rule.lowest = 0
                }
                if field.name.hasSuffix("_ratio"), !Self.mayExceedOne.contains(place) { rule.highest = 1 }
                return rule
            }
        }
    }

    func faults(in message: [UInt8]) throws -> [String] {
        guard message.count <= Self.byteCountMax else { return ["\(message.count) bytes"] }
        var faults: [String] = []
        try inspect(message[...], as: root, &faults)
        return faults
    }

    private func inspect(_ message: ArraySlice<UInt8>, as type: String, _ faults: inout [String]) throws {
        guard let rules = rules[type] else { throw WireError(description: "no type \(type)") }
        var ids: [UInt64: Set<[UInt8]>] = [:]
        var counts: [UInt64: Int] = [:]
        for field in try WireReader.fields(of: message) {
            guard let rule = rules[field.number] else { throw WireError(description: "\(type) has no \(field.number)") }
            switch rule.type {
            case 1:
                let value = Double(bitPattern: field.value)
                if !value.isNaN, !(rule.lowest...rule.highest).contains(value) {
                    faults.append("\(rule.name): \(value)")
                }
            case 9:
                if String(validating: field.bytes, as: UTF8.self) == nil { faults.append("\(rule.name): not UTF-8") }
                if field.bytes.count > Self.textByteCountMax {
                    faults.append("\(rule.name): \(field.bytes.count) bytes")
                }
            case 11:
                try inspect(field.bytes, as: rule.child, &faults)
                guard rule.isRepeated else { continue }
                counts[field.number, default: 0] += 1
                let id = try self.id(of: field.bytes, as: rule.child)
                if id?.isEmpty == true { faults.append("\(rule.name): empty id") }
                if let id, !ids[field.number, default: []].insert(id).inserted {
                    faults.append("\(rule.name): \(String(decoding: id, as: UTF8.self)) twice")
                }
            default: break
            }
        }
        for (number, count) in counts where count > entryCountMax {
            faults.append("\(rules[number]?.name ?? ""): \(count) entries")
        }
    }

    /// nil: entries of this type have none.
    private func id(of entry: ArraySlice<UInt8>, as type: String) throws -> [UInt8]? {
        guard let rule = rules[type]?[1], rule.name == "id" else { return nil }
        let field = try WireReader.fields(of: entry).first { $0.number == 1 }
        // A number of 0 is not on the wire.
        return rule.type == 9 ? Array(field?.bytes ?? []) : Array("\(field?.value ?? 0)".utf8)
    }
}
