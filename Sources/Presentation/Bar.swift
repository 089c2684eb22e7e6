/// How full something is, as a bar; and of many things, a character for each.
struct Bar {
    /// Whether the terminal shows more than ASCII.
    let isUnicode: Bool

    /// `ratio` nil: not known.
    func line(_ ratio: Double?, width: Int) -> StyledLine {
        let width = max(0, width)
        let halves = Int((min(1, max(0, ratio ?? 0)) * Double(2 * width)).rounded())
        let hasHalf = isUnicode && halves % 2 == 1
        let full = String(repeating: isUnicode ? "━" : "#", count: halves / 2) + (hasHalf ? "╸" : "")
        var line = StyledLine(full, Self.style(ratio))
        line.append(String(repeating: isUnicode ? "─" : "-", count: width - full.count), .faint)
        return line
    }

    /// One character.
    func mark(_ ratio: Double?) -> StyledLine {
        guard let ratio else { return StyledLine("?", .faint) }
        let marks = Array(isUnicode ? "▁▂▃▄▅▆▇█" : "0123456789")
        let place = min(marks.count - 1, Int(min(1, max(0, ratio)) * Double(marks.count)))
        return StyledLine(String(marks[place]), Self.style(ratio))
    }

    static func style(_ ratio: Double?) -> Style {
        guard let ratio else { return .faint }
        return ratio >= 0.9 ? .bad : ratio >= 0.7 ? .warning : .good
    }
}
