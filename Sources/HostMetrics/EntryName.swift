extension [UInt8] {
    /// For an id: filters of viewers have no escapes, so with both kinds of quotes it could not be written there.
    var withoutMixedQuotes: [UInt8] {
        guard contains(UInt8(ascii: "'")) else { return self }
        return map { $0 == UInt8(ascii: "\"") ? UInt8(ascii: "'") : $0 }
    }
}
