/// What a run of text on a terminal looks like.
package enum Style: Sendable {
    case plain, strong, faint, good, warning, bad, chosen
}

/// One line of a terminal: runs of text, each in one style.
package struct StyledLine: Equatable, Sendable {
    package struct Run: Equatable, Sendable {
        package var text: String
        package var style: Style
    }

    package private(set) var runs: [Run] = []

    package init(_ text: String = "", _ style: Style = .plain) { append(text, style) }

    /// Without its styles.
    package var text: String { runs.map(\.text).joined() }

    var width: Int { runs.reduce(0) { $0 + $1.text.count } }

    mutating func append(_ text: String, _ style: Style = .plain) {
        guard !text.isEmpty else { return }
        if runs.last?.style == style {
            runs[runs.count - 1].text += text
        } else {
            runs.append(Run(text: text, style: style))
        }
    }

    mutating func append(_ line: StyledLine) { for run in line.runs { append(run.text, run.style) } }

    mutating func pad(to width: Int) { append(String(repeating: " ", count: max(0, width - self.width))) }

    /// At most so many characters.
    func cut(to width: Int) -> StyledLine {
        var line = StyledLine()
        for run in runs { line.append(String(run.text.prefix(width - line.width)), run.style) }
        return line
    }

    /// For terminals that show no more than that; as wide as before.
    var ascii: StyledLine {
        var line = StyledLine()
        for run in runs {
            let text = run.text.map { character -> Character in
                switch character {
                case _ where character.isASCII: character
                case "µ": "u"
                case "°": " "
                case "…": "~"
                default: "?"
                }
            }
            line.append(String(text), run.style)
        }
        return line
    }
}
