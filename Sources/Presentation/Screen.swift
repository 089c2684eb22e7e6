internal import TelemetrySchema

/// What `top` shows of its model, as lines for a terminal of a given size.
package struct Screen {
    let model: TopModel
    let columns: Int
    let rows: Int
    let bar: Bar

    package init(_ model: TopModel, columns: Int, rows: Int, isUnicode: Bool) {
        self.model = model
        self.columns = columns
        self.rows = rows
        bar = Bar(isUnicode: isUnicode)
    }

    /// As many lines as there are rows, none longer than there are columns.
    package var lines: [StyledLine] {
        guard rows > 0, columns > 0 else { return [] }
        var lines = [title]
        if model.isHelpShown {
            lines += [StyledLine()] + help
        } else {
            lines += head
            lines += body(height: rows - lines.count - 1)
        }
        lines = lines.prefix(max(0, rows - 1)) + []
        while lines.count < rows - 1 { lines.append(StyledLine()) }
        lines.append(footer)
        return lines.map { line in
            let line = line.cut(to: columns)
            return bar.isUnicode ? line : line.ascii
        }
    }

    // MARK: Title and footer

    private var title: StyledLine {
        var line = StyledLine(printable(model.name), .strong)
        if let uptime = number("/system/uptime", "uptime_seconds") { line.append("  up \(duration(uptime))") }
        let loads = ["load1", "load5", "load15"].map { number("/load", $0) }
        if model.messages["/load"] != nil {
            line.append("  load " + loads.map { Unit.none.text($0 ?? .nan) }.joined(separator: " "))
            let tasks = ["tasks_runnable", "tasks_total"].map { Unit.none.text(number("/load", $0) ?? .nan) }
            line.append("  \(tasks[0]) of \(tasks[1]) tasks run", .faint)
        }
        if let fault = model.connectionFault { return place(StyledLine(printable(fault), .bad), at: line) }
        return model.isPaused ? place(StyledLine("paused", .warning), at: line) : line
    }

    private var footer: StyledLine {
        if let notice = model.notice { return place(StyledLine(rateText), at: StyledLine(printable(notice), .warning)) }
        let keys = [("q", "quit"), ("p", "pause"), ("+ -", "rate"), ("tab", "choose"), ("?", "help")]
        var line = StyledLine()
        for (key, does) in keys {
            line.append(key, .strong)
            line.append(" \(does)   ", .faint)
        }
        return place(StyledLine(rateText), at: line)
    }

    /// The rates in effect of what is chosen: "all at 0.2 to 10 Hz".
    private var rateText: String {
        func text(_ hertz: Double) -> String { decimal(hertz, hertz == hertz.rounded() ? 0 : hertz < 0.1 ? 3 : 1) }
        if let topic = model.chosenTopic { return "\(topic) at \(model.rates[topic].map(text) ?? "-") Hz" }
        let rates = TopModel.ratedTopics.compactMap { model.rates[$0] }
        guard let least = rates.min(), let most = rates.max() else { return "" }
        return "all at \(text(least))\(least == most ? "" : " to \(text(most))") Hz"
    }

    private var help: [StyledLine] {
        [
            ("q", "quit"), ("p", "pause, or go on"),
            ("+  -", "sample faster or slower what is chosen: all, or one channel; its name stands below"),
            ("tab", "choose the next channel (shift-tab: the one before)"), ("?", "close this help"), ("", ""),
            ("CPU", "share of time in which CPUs are busy; below, each of them"),
            ("Wait", "share of time in which tasks wait for CPU, memory or disks (pressure)"),
            ("Busy", "share of time in which a disk has requests"), ("-", "not known, or not yet"),
        ].map { key, text in
            var line = StyledLine("  " + TextTable.padded(key, to: 6), .strong)
            line.append(text)
            return line
        }
    }

    // MARK: Parts

    func number(_ topic: String, _ field: String) -> Double? { model.messages[topic]?[field]?.number }

    /// What names a part, marked while its topic is chosen.
    func heading(_ text: String, of topic: String) -> StyledLine {
        StyledLine(text, model.chosenTopic == topic ? .chosen : .strong)
    }

    /// `right` at the right edge, over what is there.
    private func place(_ right: StyledLine, at line: StyledLine) -> StyledLine {
        var line = line.cut(to: max(0, columns - right.width - 2))
        line.pad(to: columns - right.width)
        line.append(right)
        return line
    }
}
