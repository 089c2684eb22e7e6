import FoxgloveProtocol
import HostMetrics

/// What only the owner of a host sets, in the file of `--config`.
extension Configuration.ChannelSettings {
    mutating func set(
        _ setting: EntrySetting, to value: JSONValue, key: String
    ) throws(Configuration.Refusal) {
        switch setting {
        case .include: entries.include = try pattern(value, key)
        case .exclude: entries.exclude = try pattern(value, key)
        case .includeType: entries.includeType = try pattern(value, key)
        case .excludeType: entries.excludeType = try pattern(value, key)
        case .maxEntries:
            let range = Double(Limits.entryCountRange.lowerBound)...Double(Limits.entryCountRange.upperBound)
            entries.entryCountMax = Int(try number(value, in: range, key: key))
        case .raw:
            guard case .bool(let isRaw) = value else {
                throw Configuration.Refusal(text: "\(key): \(text(of: value)) is not true or false")
            }
            entries.isRaw = isRaw
        }
        try refuseBoth(entries.include, entries.exclude, "include", "exclude")
        try refuseBoth(entries.includeType, entries.excludeType, "include_type", "exclude_type")
    }

    private func pattern(_ value: JSONValue, _ key: String) throws(Configuration.Refusal) -> Pattern? {
        switch value {
        case .null: return nil
        case .string(let string):
            do throws(Pattern.Fault) { return try Pattern(string) } catch {
                throw Configuration.Refusal(text: "\(key): \(text(of: value)) \(error.text)")
            }
        default: throw Configuration.Refusal(text: "\(key): \(text(of: value)) is not a pattern in quotes")
        }
    }

    private func refuseBoth(
        _ include: Pattern?, _ exclude: Pattern?, _ includeName: String, _ excludeName: String
    ) throws(Configuration.Refusal) {
        guard include != nil, exclude != nil else { return }
        throw Configuration.Refusal(text: "\(topic): there may be \(includeName) or \(excludeName), not both")
    }
}

extension Configuration {
    /// Higher sample rates for a while, when something happens that deserves a closer look.
    package struct BoostSettings: Equatable, Sendable {
        package var isEnabled = true
        package var seconds = 30.0
        /// Samples per second meanwhile, by topic; a configured rate that is higher stays.
        package var rates = [
            "/cpu": 50.0, "/cpu/cores": 20, "/memory": 20, "/memory/paging": 20, "/pressure": 20, "/disk": 20,
            "/net": 20,
        ]
    }

    static let boostSecondsRange = 1.0...3_600

    mutating func applyBoost(_ value: JSONValue) throws(Refusal) {
        guard case .object(let members) = value else {
            throw Refusal(text: "boost: \(text(of: value)) is not an object")
        }
        for (setting, value) in members.sorted(by: { $0.key < $1.key }) {
            switch setting {
            case "enabled":
                guard case .bool(let isEnabled) = value else {
                    throw Refusal(text: "boost.enabled: \(text(of: value)) is not true or false")
                }
                boost.isEnabled = isEnabled
            case "seconds": boost.seconds = try number(value, in: Self.boostSecondsRange, key: "boost.seconds")
            case "rates":
                guard case .object(let rates) = value else {
                    throw Refusal(text: "boost.rates: \(text(of: value)) is not an object keyed by topic")
                }
                boost.rates = [:]
                for (topic, rate) in rates.sorted(by: { $0.key < $1.key }) {
                    guard channels.contains(where: { $0.topic == topic && $0.sampling != nil }) else {
                        throw Refusal(text: "boost.rates: \(quoted(topic)) is no channel with a rate")
                    }
                    boost.rates[topic] = try number(
                        rate, in: Self.rateHertzRange, key: "boost.rates.\(quoted(topic))")
                }
            default:
                throw Refusal(text: "boost: \(quoted(setting)) is unknown; there are enabled, seconds and rates")
            }
        }
    }
}
