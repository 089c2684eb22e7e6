/// Words put into lines of at most `width` columns, each after `indent`; a word that is too long stays whole. Ends with
/// a newline.
func wrapped(_ text: String, indent: String, width: Int = 80) -> String {
    var lines = [""]
    for word in text.split(separator: " ") {
        if lines[lines.count - 1].isEmpty {
            lines[lines.count - 1] = indent + word
        } else if lines[lines.count - 1].count + 1 + word.count <= width {
            lines[lines.count - 1] += " " + word
        } else {
            lines.append(indent + word)
        }
    }
    return lines.joined(separator: "\n") + "\n"
}

/// Begins with a capital and ends with a full stop.
func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }
