internal import TelemetrySchema

/// The lower part: tables side by side where there is room, and below them the processes.
extension Screen {
    /// A table with its heading.
    private struct Block {
        var lines: [StyledLine]
        var width: Int
    }

    private static let gap = 3
    /// The heading of the processes, some of them, and a blank line.
    private static let processesHeightMin = 7

    func body(height: Int) -> [StyledLine] {
        var lines: [StyledLine] = []
        var rest = [network, disks, temperatures].compactMap { $0 }[...]
        let reserved = model.messages["/processes"] == nil ? 0 : Self.processesHeightMin
        while !rest.isEmpty {
            var row: [Block] = []
            var width = 0
            while let next = rest.first, row.isEmpty || width + next.width <= columns {
                row.append(next)
                width += next.width + Self.gap
                rest = rest.dropFirst()
            }
            let room = height - lines.count - reserved - 1
            // A heading alone tells nothing.
            guard room >= 2 else { break }
            lines.append(StyledLine())
            lines += besides(row, height: room)
        }
        let room = height - lines.count - 1
        if room >= 2, let processes { lines += [StyledLine()] + processes.lines.prefix(room) }
        return lines
    }

    private func besides(_ blocks: [Block], height: Int) -> [StyledLine] {
        let count = min(height, blocks.map(\.lines.count).max() ?? 0)
        return (0..<count).map { index in
            var line = StyledLine()
            var start = 0
            for block in blocks {
                line.pad(to: start)
                // What is left out is counted.
                let isLast = index == count - 1 && block.lines.count > count
                if isLast {
                    line.append("\(block.lines.count - count + 1) more", .faint)
                } else if index < block.lines.count {
                    line.append(block.lines[index])
                }
                start += block.width + Self.gap
            }
            return line
        }
    }

    // MARK: Tables

    private struct Cell {
        var text: String
        var style = Style.plain
    }

    /// Columns of given widths; the first one stands left, the others right, the last one left again if `endsLeft`.
    private func block(
        _ topic: String, _ headings: [String], _ widths: [Int], _ rows: [[Cell]], endsLeft: Bool = false
    ) -> Block {
        func line(_ cells: [Cell], isHeading: Bool = false) -> StyledLine {
            var line = StyledLine()
            for (place, cell) in cells.enumerated() {
                let isRight = place > 0 && !(endsLeft && place == cells.count - 1)
                if place > 0 { line.append("  ") }
                let text = TextTable.padded(
                    printable(Presentation.cut(cell.text, to: widths[place])), to: widths[place], isRight)
                if isHeading, place == 0 {
                    let name = heading(cell.text, of: topic)
                    line.append(name)
                    line.pad(to: widths[place])
                } else {
                    line.append(text, isHeading ? .faint : cell.style)
                }
            }
            return line
        }
        return Block(
            lines: [line(headings.map { Cell(text: $0) }, isHeading: true)] + rows.map { line($0) },
            width: widths.reduce(2 * (widths.count - 1), +))
    }

    private func cell(_ row: DecodedMessage, _ field: String) -> Cell {
        let number = row[field]?.number
        return Cell(
            text: Unit.of(field).unit.text(number ?? .nan), style: (number ?? 0) == 0 ? .faint : .plain)
    }

    private func name(_ row: DecodedMessage, _ field: String = "id") -> Cell {
        Cell(text: row[field].map { text(of: $0, in: .none) } ?? "-")
    }

    private var network: Block? {
        guard let message = model.messages["/net"] else { return nil }
        let rows = (message["interfaces"]?.rows ?? []).filter {
            ![.name("OPER_DOWN"), .name("OPER_NOT_PRESENT")].contains($0["oper_state"])
        }
        return block(
            "/net", ["Network", "receive", "send"], [12, 9, 9],
            rows.map { [name($0), cell($0, "rx_bytes_per_second"), cell($0, "tx_bytes_per_second")] })
    }

    private var disks: Block? {
        guard let message = model.messages["/disk"] else { return nil }
        return block(
            "/disk", ["Disk", "read", "write", "busy"], [9, 9, 9, 7],
            (message["devices"]?.rows ?? []).map { row in
                var busy = cell(row, "utilization_ratio")
                if let ratio = row["utilization_ratio"]?.number, ratio >= 0.7 { busy.style = Bar.style(ratio) }
                return [name(row), cell(row, "read_bytes_per_second"), cell(row, "write_bytes_per_second"), busy]
            })
    }

    private var temperatures: Block? {
        let rows = model.messages["/sensors"]?["temperatures"]?.rows ?? []
        guard !rows.isEmpty else { return nil }
        return block(
            "/sensors", ["Temperature", ""], [20, 9],
            rows.map { row in
                let celsius = row["celsius"]?.number
                let limits = ["max_celsius", "critical_celsius"].compactMap { row[$0]?.number }.filter { $0 > 0 }
                let isHot = celsius.map { celsius in limits.contains { celsius >= $0 } } ?? false
                return [
                    name(row, "label"),
                    Cell(text: Unit.celsius.text(celsius ?? .nan), style: isHot ? .bad : .plain),
                ]
            })
    }

    private var processes: Block? {
        guard let message = model.messages["/processes"] else { return nil }
        // What there is no room for is left out; the name always shows.
        let fields =
            [("user", "user", 10, 50), ("CPU", "cpu_ratio", 8, 0), ("memory", "resident_bytes", 9, 0)]
            + [("read", "read_bytes_per_second", 9, 76), ("write", "write_bytes_per_second", 9, 76)]
        let shown = fields.filter { columns >= $0.3 }
        let widths = [9] + shown.map { $0.2 }
        let used = widths.reduce(2 * widths.count, +)
        return block(
            "/processes", ["Process"] + shown.map { $0.0 } + ["name"], widths + [max(8, columns - used)],
            (message["top"]?.rows ?? []).map { row in
                [name(row)] + shown.map { $0.1 == "user" ? name(row, "user") : cell(row, $0.1) } + [name(row, "name")]
            }, endsLeft: true)
    }
}
