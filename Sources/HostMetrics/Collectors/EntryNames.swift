internal import TelemetrySchema

/// The ids of a message's entries, made anew only when the entries change.
struct EntryNames: ~Copyable {
    private var arena: TextArena
    private var texts: [Text] = []
    /// What all names together may take; beyond it they are cut.
    let byteCapacity: Int

    init(byteCapacity: Int = 65_536) {
        self.byteCapacity = byteCapacity
        arena = TextArena(byteCapacity: byteCapacity)
    }

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
