internal import TelemetrySchema

/// The upper part: CPUs, memory, waits.
extension Screen {
    private static let labelWidth = 5
    private static let percentWidth = 7
    private static let gap = 2

    var head: [StyledLine] {
        var lines: [StyledLine] = []
        if let cpu { lines.append(cpu) }
        lines += cores
        lines += memory
        if let waits { lines.append(waits) }
        return lines
    }

    /// "CPU    12.3 % ━━━╸───── " and what else is told in `rest`.
    private func gauge(_ label: StyledLine, _ ratio: Double?, _ rest: String, width: Int) -> StyledLine {
        var line = label
        line.pad(to: Self.labelWidth)
        line.append(TextTable.padded(Unit.ratio.text(ratio ?? .nan), to: Self.percentWidth, true) + " ")
        line.append(bar.line(ratio, width: max(4, width - line.width - rest.count - Self.gap)))
        line.append("  " + rest)
        return line
    }

    private var cpu: StyledLine? {
        guard let message = model.messages["/cpu"] else { return nil }
        let shares = ["user", "system", "iowait", "steal"].prefix(columns >= 110 ? 4 : columns >= 70 ? 3 : 0)
        let texts = shares.map { "\($0) \(Unit.ratio.text(message["\($0)_ratio"]?.number ?? .nan))" }
        // Numbers that change their length do not move the bar.
        let rest = TextTable.padded(texts.joined(separator: "  "), to: 14 * shares.count, true)
        return gauge(heading("CPU", of: "/cpu"), message["usage_ratio"]?.number, rest, width: columns)
    }

    /// Bars where they fit, else a character for each CPU.
    private var cores: [StyledLine] {
        let cores = model.messages["/cpu/cores"]?["cores"]?.rows ?? []
        guard !cores.isEmpty else { return [] }
        let ids = cores.map { Unit.none.text($0["id"]?.number ?? .nan) }
        let idWidth = max(Self.labelWidth - 2, ids.map(\.count).max() ?? 0)
        let rowCountMax = max(2, rows / 4)
        let narrowest = idWidth + 15
        let columnCountMax = max(1, (columns + Self.gap) / (narrowest + Self.gap))
        let isChosen = model.chosenTopic == "/cpu/cores"
        func id(_ index: Int) -> StyledLine {
            StyledLine(TextTable.padded(ids[index], to: idWidth, true) + " ", isChosen ? .chosen : .faint)
        }
        func ratio(_ index: Int) -> Double? { cores[index]["usage_ratio"]?.number }
        guard cores.count <= columnCountMax * rowCountMax else {
            // Of a number that people count in.
            let perRow = stride(from: 128, through: 8, by: -8).first { $0 + idWidth + 1 <= columns } ?? 8
            return stride(from: 0, to: cores.count, by: perRow).prefix(rowCountMax * 2).map { start in
                var line = id(start)
                for index in start..<min(start + perRow, cores.count) { line.append(bar.mark(ratio(index))) }
                return line
            }
        }
        // As few columns as the height allows make the longest bars, as long as two rows are enough.
        let columnCount = min(columnCountMax, max(2, (cores.count + 1) / 2, cores.count / rowCountMax))
        let rowCount = (cores.count + columnCount - 1) / columnCount
        let width = (columns + Self.gap) / columnCount - Self.gap
        return (0..<rowCount).map { row in
            var line = StyledLine()
            for (place, index) in stride(from: row, to: cores.count, by: rowCount).enumerated() {
                line.pad(to: place * (width + Self.gap))
                line.append(id(index))
                line.append(bar.line(ratio(index), width: width - idWidth - 2 - Self.percentWidth))
                line.append(" " + TextTable.padded(Unit.ratio.text(ratio(index) ?? .nan), to: Self.percentWidth, true))
            }
            return line
        }
    }

    private var memory: [StyledLine] {
        guard let message = model.messages["/memory"] else { return [] }
        func size(_ field: String) -> String { Unit.bytes.text(message[field]?.number ?? .nan) }
        let hasSwap = (message["swap_total_bytes"]?.number ?? 0) > 0
        let isOneLine = hasSwap && columns >= 110
        let width = isOneLine ? (columns - Self.gap) / 2 : columns
        func line(_ label: String, _ prefix: String, _ rest: String = "") -> StyledLine {
            let sizes = TextTable.padded(
                "\(size("\(prefix)used_bytes")) of \(size("\(prefix)total_bytes"))", to: 20, true)
            let ratio = message["\(prefix)used_ratio"]?.number
            return gauge(heading(label, of: "/memory"), ratio, sizes + rest, width: width)
        }
        var memory = line("Mem", "", columns >= 70 && !isOneLine ? ", \(size("available_bytes")) available" : "")
        guard hasSwap else { return [memory] }
        let swap = line("Swap", "swap_")
        guard isOneLine else { return [memory, swap] }
        memory.pad(to: width + Self.gap)
        memory.append(swap)
        return [memory]
    }

    private var waits: StyledLine? {
        guard let message = model.messages["/pressure"] else { return nil }
        var line = heading("Wait", of: "/pressure")
        line.pad(to: Self.labelWidth)
        for resource in ["cpu", "memory", "io", "irq"] {
            guard let stall = message[resource]?.message else { continue }
            // Interrupts only ever hold up everybody.
            let ratio = stall["some_ratio"]?.number ?? stall["full_ratio"]?.number
            line.append(" \(resource) ", .faint)
            line.append(
                TextTable.padded(Unit.ratio.text(ratio ?? .nan), to: Self.percentWidth, true),
                ratio.map { $0 >= 0.5 ? .bad : $0 >= 0.1 ? .warning : .plain } ?? .faint)
            line.append("   ")
        }
        return line
    }
}
