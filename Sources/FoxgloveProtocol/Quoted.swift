/// Text of a stranger as a status or a log may show it: in quotes, short, on one line, without characters that are not
/// seen or that turn the text around.
package func quoted(_ text: String) -> String {
    let limit = 64
    let shown = text.unicodeScalars.prefix(limit).map { scalar -> Character in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: "?"
        default: Character(scalar)
        }
    }
    return "\"\(String(shown))\(text.unicodeScalars.dropFirst(limit).isEmpty ? "" : "…")\""
}
