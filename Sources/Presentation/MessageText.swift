package import TelemetrySchema

/// A message as text for people: single values in columns, entries as tables.
package struct MessageText {
    private let message: DecodedMessage
    private let width: Int

    private static let indent = "  "
    private static let gap = 3

    /// `fields` are the names to show, of the message and of its entries; nil: all but the header and the counters
    /// whose rates are there, too.
    package init(_ message: DecodedMessage, fields: [String]? = nil, width: Int) {
        self.message = Self.selected(message, fields)
        self.width = max(20, width - Self.indent.count)
    }

    package var lines: [String] {
        let singles = message.fields.filter { !$0.value.isMessage && !$0.value.isList }
        var lines = folded(singles)
        let groups = message.fields.filter { $0.value.isMessage }
        lines += grouped(groups)
        let lists = message.fields.filter { $0.value.isList }
        for list in lists where !list.value.rows.isEmpty {
            if lists.count + groups.count > 1 || !singles.isEmpty {
                lines.append(Unit.of(list.name).label.uppercased())
            }
            lines += table(list.value.rows).lines
        }
        return (lines.isEmpty ? ["nothing"] : lines).map { Self.indent + $0 }
    }

    // MARK: What is shown

    private static func selected(_ message: DecodedMessage, _ names: [String]?) -> DecodedMessage {
        let fields = message.fields.filter { field in
            if let names { return names.contains(field.name) }
            return field.name != "header" && !isCounterWithRate(field.name, in: message)
        }
        return DecodedMessage(
            fields.map { field in
                switch field.value {
                case .message(let inner): DecodedMessage.Field(field.name, .message(selected(inner, names)))
                case .list(let elements):
                    DecodedMessage.Field(
                        field.name,
                        .list(elements.map { $0.message.map { .message(selected($0, names)) } ?? $0 }))
                default: field
                }
            })
    }

    /// Of those the rate is what people look at; JSON has both.
    private static func isCounterWithRate(_ name: String, in message: DecodedMessage) -> Bool {
        guard name.hasSuffix("_total") else { return false }
        let stem = name.dropLast("_total".count)
        return stem.hasSuffix("_seconds") || message["\(stem)_per_second"] != nil
    }

    // MARK: Layout

    /// "label value" in as many columns as there is room for, downwards.
    private func folded(_ fields: [DecodedMessage.Field]) -> [String] {
        guard !fields.isEmpty else { return [] }
        let cells = zip(fields, Unit.labels(of: fields.map(\.name))).map { field, label in
            (
                label: label, text: text(of: field.value, in: Unit.of(field.name).unit),
                isText: field.value.text != nil
            )
        }
        let labelWidth = cells.map(\.label.count).max() ?? 0
        // A long text, such as the name of a processor, does not make all the columns as wide.
        let textWidth = cells.filter { !$0.isText }.map(\.text.count).max() ?? 0
        let cellWidth = labelWidth + 1 + textWidth
        let columnCount =
            cells.contains { $0.isText } ? 1 : max(1, (width + Self.gap) / (cellWidth + Self.gap))
        let rowCount = (cells.count + columnCount - 1) / columnCount
        return (0..<rowCount).map { row in
            let line = stride(from: row, to: cells.count, by: rowCount).map { index in
                let cell = cells[index]
                let label = TextTable.padded(cell.label, to: labelWidth) + " "
                guard !cell.isText else { return label + cut(cell.text, to: width - label.count) }
                return label + TextTable.padded(cell.text, to: textWidth, columnCount > 1)
            }
            return trimmed(line.joined(separator: String(repeating: " ", count: Self.gap)))
        }
    }

    /// Messages in a message: those of the same kind as the rows of a table, the others one by one.
    private func grouped(_ fields: [DecodedMessage.Field]) -> [String] {
        var lines: [String] = []
        var rest = fields[...]
        while let first = rest.first {
            let names = first.value.message?.fields.map(\.name)
            let alike = rest.prefix { $0.value.message?.fields.map(\.name) == names }
            rest = rest.dropFirst(alike.count)
            if alike.count > 1 {
                let rows = alike.map { field in
                    DecodedMessage(
                        [DecodedMessage.Field("", .text(Unit.of(field.name).label))]
                            + (field.value.message?.fields ?? []))
                }
                lines += table(rows).lines
            } else {
                lines.append(Unit.of(first.name).label.uppercased())
                lines += folded(first.value.message?.fields.filter { !$0.value.isMessage && !$0.value.isList } ?? [])
            }
        }
        return lines
    }

    private func table(_ rows: [DecodedMessage]) -> TextTable {
        // Cases of a oneof are in some rows only.
        var names: [String] = []
        for row in rows {
            for field in row.fields where !names.contains(field.name) { names.append(field.name) }
        }
        return TextTable(
            columns: zip(names, Unit.labels(of: names)).map { name, label in
                let unit = Unit.of(name).unit
                let values = rows.map { $0[name] }
                return TextTable.Column(
                    heading: label.uppercased(), isRight: values.contains { $0?.isQuantity ?? false },
                    cells: values.map { $0.map { text(of: $0, in: unit) } ?? "-" })
            }, width: width)
    }
}

extension DecodedValue {
    fileprivate var isMessage: Bool { if case .message = self { true } else { false } }
    fileprivate var isList: Bool { if case .list = self { true } else { false } }

    fileprivate var isQuantity: Bool {
        switch self {
        case .number, .unsigned, .signed: true
        default: false
        }
    }
}
