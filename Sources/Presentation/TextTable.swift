/// Rows and columns of text, aligned, within a width: what does not fit beside the first column goes below, in further
/// blocks that repeat it.
struct TextTable {
    struct Column {
        var heading: String
        /// Numbers stand right, texts left.
        var isRight: Bool
        var cells: [String]

        var width: Int { max(heading.count, cells.map(\.count).max() ?? 0) }
    }

    private static let gap = 2

    var columns: [Column]
    private let width: Int
    /// What a text may take of the width; the rest is cut.
    private var cellWidthMax: Int { max(16, width / 3) }

    init(columns: [Column], width: Int) {
        self.columns = columns
        self.width = width
    }

    var lines: [String] {
        guard let first = columns.first, !first.cells.isEmpty else { return [] }
        var lines: [String] = []
        var rest = columns.dropFirst()
        repeat {
            var block = [first]
            var used = min(first.width, cellWidthMax)
            while let next = rest.first, block.count == 1 || used + Self.gap + shownWidth(next) <= width {
                block.append(next)
                used += Self.gap + shownWidth(next)
                rest = rest.dropFirst()
            }
            lines.append(line(block.map { ($0.heading, $0) }))
            for row in first.cells.indices { lines.append(line(block.map { ($0.cells[row], $0) })) }
        } while !rest.isEmpty
        return lines
    }

    private func shownWidth(_ column: Column) -> Int { min(column.width, cellWidthMax) }

    private func line(_ cells: [(text: String, column: Column)]) -> String {
        let padded = cells.map { cell in
            TextTable.padded(cut(cell.text, to: cellWidthMax), to: shownWidth(cell.column), cell.column.isRight)
        }
        return trimmed(padded.joined(separator: String(repeating: " ", count: Self.gap)))
    }

    static func padded(_ text: String, to width: Int, _ isRight: Bool = false) -> String {
        let blanks = String(repeating: " ", count: max(0, width - text.count))
        return isRight ? blanks + text : text + blanks
    }
}

/// At most so many characters, the last one of which tells that some are missing.
func cut(_ text: String, to width: Int) -> String {
    text.count <= width ? text : text.prefix(max(0, width - 1)) + "…"
}

/// Without blanks at the end.
func trimmed(_ text: String) -> String {
    String(text.reversed().drop { $0 == " " }.reversed())
}
