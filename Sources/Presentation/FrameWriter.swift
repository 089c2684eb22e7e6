/// What a terminal is to be sent so that it shows a frame: only the lines that changed, as one piece, so that nothing
/// flickers and a slow line carries little.
package struct FrameWriter {
    private var shown: [StyledLine]?
    private let hasColor: Bool

    package init(hasColor: Bool) { self.hasColor = hasColor }

    /// The other screen, without a cursor, and without lines that go on below when they are too long.
    package static let enter = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J"
    package static let leave = "\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"
    /// Terminals that know it show all of a frame at once; the others ignore it.
    private static let begin = "\u{1B}[?2026h"
    private static let end = "\u{1B}[?2026l"

    /// What is shown is not known any more: the size changed, or another program wrote.
    package mutating func forget() { shown = nil }

    /// `columns` is the width of the terminal. Empty: nothing changed.
    package mutating func bytes(for lines: [StyledLine], columns: Int) -> [UInt8] {
        var text = ""
        if shown?.count != lines.count {
            text += "\u{1B}[2J"
            shown = nil
        }
        for (index, line) in lines.enumerated() where shown?[index] != line {
            text += "\u{1B}[\(index + 1);1H"
            for run in line.runs { text += code(run.style) + run.text }
            text += "\u{1B}[0m"
            // At the right edge the cursor stays on the last character, which would be erased.
            if line.width < columns { text += "\u{1B}[K" }
        }
        shown = lines
        return text.isEmpty ? [] : Array((Self.begin + text + Self.end).utf8)
    }

    private func code(_ style: Style) -> String {
        switch style {
        case .plain: "\u{1B}[0m"
        case .strong: "\u{1B}[0;1m"
        case .faint: "\u{1B}[0;2m"
        case .good: hasColor ? "\u{1B}[0;32m" : "\u{1B}[0m"
        case .warning: hasColor ? "\u{1B}[0;33m" : "\u{1B}[0;1m"
        case .bad: hasColor ? "\u{1B}[0;31m" : "\u{1B}[0;1m"
        case .chosen: "\u{1B}[0;7m"
        }
    }
}
