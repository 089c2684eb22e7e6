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

    mutating func append(_ name: [UInt8]) {
        let id = [UInt8](identifier: name.span)
        texts.append(arena.append(id.span))
    }
}
