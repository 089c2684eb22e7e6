import HostMetrics
import Telemetry

/// Encodes a sampler's message and decodes it by the channel's own descriptors.
func decode(_ sampler: any Sampling, schema: Schema) throws -> WireValue {
    var bytes = [UInt8](repeating: 0, count: sampler.encodedByteCount)
    var span = bytes.mutableSpan
    sampler.encode(into: &span)
    return try decode(bytes, schema: schema)
}

/// Decodes a message by its own descriptors.
func decode(_ bytes: [UInt8], schema: Schema) throws -> WireValue {
    .message(try DescriptorPool(descriptorSet: schema.descriptorSet).decode(bytes[...], as: ".\(schema.name)"))
}

extension Registration {
    func context(tick: UInt64, suspendedNanoseconds: UInt64 = 0) -> SampleContext {
        SampleContext(
            tick: tick, suspendedNanoseconds: suspendedNanoseconds, period: Period(hertz: defaultHertz),
            windowSeconds: defaultWindowSeconds)
    }
}

extension WireValue {
    /// The value at a path such as `cores[1].usage_ratio`.
    subscript(_ path: String) -> WireValue? {
        var value: WireValue? = self
        for part in path.split(whereSeparator: { ".[]".contains($0) }) {
            switch value {
            case .message(let fields): value = fields[String(part)]
            case .list(let entries):
                value = Int(part).flatMap { entries.indices.contains($0) ? entries[$0] : nil }
            default: return nil
            }
        }
        return value
    }

    var number: Double? {
        switch self {
        case .double(let value): value
        case .unsigned(let value): Double(value)
        case .signed(let value): Double(value)
        default: nil
        }
    }

    var text: String? {
        switch self {
        case .string(let value), .enumeration(let value): value
        default: nil
        }
    }

    var entries: [WireValue] {
        if case .list(let entries) = self { entries } else { [] }
    }
}
