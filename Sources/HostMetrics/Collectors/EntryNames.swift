internal import TelemetrySchema

/// The ids of a message's entries, made anew only when the entries change.
struct EntryNames: ~Copyable {
    private var arena: TextArena
    private var texts: [Text] = []

    init(byteCapacity: Int = 65_536) { arena = TextArena(byteCapacity: byteCapacity) }

    subscript(place: Int) -> Text { texts[place] }

    mutating func removeAll() {
        arena.removeAll()
        texts.removeAll(keepingCapacity: true)
    }

    mutating func append(_ name: [UInt8]) { texts.append(arena.append(Self.withoutMixedQuotes(name).span)) }

    /// Filters of viewers have no escapes: with both kinds of quotes a name could not be written there.
    private static func withoutMixedQuotes(_ name: [UInt8]) -> [UInt8] {
        guard name.contains(UInt8(ascii: "'")) else { return name }
        return name.map { $0 == UInt8(ascii: "\"") ? UInt8(ascii: "'") : $0 }
    }
}
