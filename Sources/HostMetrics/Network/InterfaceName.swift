package import TelemetrySchema

/// Names of interfaces as ids of messages.
package enum InterfaceName {
    /// Filters of viewers have no escapes: a name with both kinds of quotes could not be written there.
    package static func append(_ name: [UInt8], to arena: inout TextArena) -> Text {
        let quote = UInt8(ascii: "\"")
        let apostrophe = UInt8(ascii: "'")
        guard name.contains(apostrophe), name.contains(quote) else { return arena.append(name.span) }
        let changed = name.map { $0 == quote ? apostrophe : $0 }
        return arena.append(changed.span)
    }
}
