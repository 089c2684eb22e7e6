package import TelemetrySchema

/// What the chips of a host measure, with the limits of each feature: a message of `/sensors` as a table.
package struct SensorList {
    private let message: DecodedMessage

    package init(_ message: DecodedMessage) { self.message = message }

    /// `width` nil: as wide as it takes.
    package func lines(width: Int?) -> [String] {
        let rows = message.fields.flatMap { $0.value.rows }.map { row in
            // What tells the chip stands in the id.
            let measured = row.fields.filter { !["id", "chip", "label"].contains($0.name) }
            let value = measured.first { $0.value.number != nil || $0.value.isUnknown }
            let limits = measured.compactMap { field -> String? in
                let (unit, label) = Unit.of(field.name)
                switch field.value {
                case .bool(let isSet): return isSet ? label.uppercased() : nil
                default:
                    guard field != value, field.value.number != nil else { return nil }
                    return "\(label) \(text(of: field.value, in: unit))"
                }
            }
            return [
                row["id"]?.text ?? "", row["label"]?.text ?? "",
                value.map { text(of: $0.value, in: Unit.of($0.name).unit) } ?? "", limits.joined(separator: ", "),
            ].map(printable)
        }
        let headings = ["ID", "LABEL", "VALUE", "LIMITS"]
        let widths = headings.indices.map { place in
            max(headings[place].count, rows.map { $0[place].count }.max() ?? 0)
        }
        return ([headings] + rows).map { cells in
            let padded = cells.indices.map { TextTable.padded(cells[$0], to: widths[$0], $0 == 2) }
            let line = trimmed(padded.joined(separator: "  "))
            return width.map { cut(line, to: $0) } ?? line
        }
    }
}

extension DecodedValue {
    fileprivate var isUnknown: Bool { if case .number(let number) = self { number.isNaN } else { false } }
}
