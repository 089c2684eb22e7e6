/// The settings of a channel's entries by their names in the configuration.
package enum EntrySetting: String, CaseIterable, Sendable {
    case include, exclude
    case includeType = "include_type"
    case excludeType = "exclude_type"
    case maxEntries = "max_entries"
    case raw

    /// What goes for every list of entries.
    package static let common = [include, exclude, maxEntries]
}

/// What the host's owner sets for the entries of a channel's messages; clients cannot change it.
package struct EntrySettings: Equatable, Sendable {
    /// Entries of one message at most.
    package var entryCountMax = Limits.entryCountMax
    /// Only entries whose id matches are published; nil: the collector's own choice.
    package var include: Pattern?
    /// Entries whose id matches are left out; nil: the collector's own choice.
    package var exclude: Pattern?
    /// The same for the type of a file system.
    package var includeType: Pattern?
    package var excludeType: Pattern?
    /// Sensors: values are published as they are, however implausible.
    package var isRaw = false

    package init() {}
}

/// Decides which entries of a channel are published.
///
/// An id is matched once and its verdict kept, so that a sample of known entries allocates nothing.
package struct EntryFilter {
    private let include: PatternMatcher?
    private let exclude: PatternMatcher?
    private var verdicts: [Int: Bool] = [:]

    package init(_ settings: EntrySettings) { self.init(include: settings.include, exclude: settings.exclude) }

    package init(include: Pattern?, exclude: Pattern?) {
        self.include = include.flatMap { PatternMatcher($0.text) }
        self.exclude = exclude.flatMap { PatternMatcher($0.text) }
    }

    /// Whether nothing is left out.
    package var admitsAll: Bool { include == nil && exclude == nil }

    package mutating func admits(_ id: Span<UInt8>) -> Bool {
        guard !admitsAll else { return true }
        // Seeded at random by the process: nobody can make two ids that share a key.
        var hasher = Hasher()
        hasher.combine(id)
        let key = hasher.finalize()
        if let verdict = verdicts[key] { return verdict }
        if verdicts.count >= Limits.verdictCountMax { verdicts.removeAll() }
        let verdict = include?.matches(id) ?? true && !(exclude?.matches(id) ?? false)
        verdicts[key] = verdict
        return verdict
    }

    package mutating func admits(_ id: [UInt8]) -> Bool { admits(id.span) }
}

extension Hasher {
    mutating func combine(_ bytes: Span<UInt8>) {
        for index in bytes.indices { combine(bytes[index]) }
    }
}
