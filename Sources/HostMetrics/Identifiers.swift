internal import TelemetrySchema

extension [UInt8] {
    /// A name as an `id` that viewers can filter by: valid UTF-8, and never with both kinds of quotes, since their
    /// filters have no escapes.
    package init(identifier name: Span<UInt8>) {
        self.init(validUTF8: name)
        guard contains(UInt8(ascii: "'")) else { return }
        for index in indices where self[index] == UInt8(ascii: "\"") { self[index] = UInt8(ascii: "'") }
    }
}

extension TextArena {
    /// Appends an entry's id, from an array that another part of the same value may own.
    mutating func append(id: [UInt8]) -> Text { append(id: id.span) }
}
