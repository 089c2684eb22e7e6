package import Telemetry
package import TelemetrySchema

/// The lines of one metric family: what lies between its `# TYPE` and that of the next one.
package struct FamilyLines: Equatable, Sendable {
    package var bytes: [UInt8] = []
    package var seriesCount = 0

    package init() {}
}

/// Writes the lines of one metric family from the messages of its channel. They are the same in both formats.
package struct FamilyWriter {
    /// Where the family stands in the table.
    package let place: Int
    private let name: [UInt8]
    private let sources: [Source]
    private let pageSizeBytes: Double

    private struct Source {
        var list: MessageField?
        var condition: (field: MessageField, test: MetricFamily.Condition)?
        var labels: [(name: String, field: MessageField, part: MetricFamily.Part)]
        var values: [(labels: [(name: String, value: String)], number: Number)]
    }

    private enum Number {
        case one
        case stamp
        case field(MessageField, (Double) -> Double)
        case ratio(MessageField, MessageField)
        case isText(MessageField, String, Bool)
    }

    /// Traps where the table names a field that messages of `type` do not have.
    package init(_ family: MetricFamily, at place: Int, type: MessageType, pageSizeBytes: Double) {
        self.place = place
        self.pageSizeBytes = pageSizeBytes
        name = Array(family.name.utf8)
        sources = family.sources.map { source in
            let list = source.list.isEmpty ? nil : Self.field(source.list, type, family)
            let entryType = list?.messageType ?? type
            func field(_ name: String) -> MessageField { Self.field(name, entryType, family) }
            return Source(
                list: list, condition: source.condition.map { (field($0.field), $0) },
                labels: source.labels.map { ($0.name, field($0.field), $0.part) },
                values: source.values.map { value in
                    let number: Number =
                        switch value.number {
                        case .one: .one
                        case .stamp: .stamp
                        case .field(let name): .field(field(name)) { $0 }
                        case .times(let name, let factor): .field(field(name)) { $0 * factor }
                        case .plus(let name, let offset): .field(field(name)) { $0 + offset }
                        case .pages(let name): .field(field(name)) { $0 / pageSizeBytes }
                        case .ratio(let name, of: let other): .ratio(field(name), field(other))
                        case .isText(let name, let text): .isText(field(name), text, true)
                        case .isNotText(let name, let text): .isText(field(name), text, false)
                        }
                    return (value.labels, number)
                })
        }
    }

    private static func field(_ name: String, _ type: MessageType, _ family: MetricFamily) -> MessageField {
        guard let field = type.field(name) else { preconditionFailure("\(family.topic) has no field \(name)") }
        return field
    }

    /// `stamp` is the time of the message.
    package func lines(of message: borrowing UnpackedMessage, stamp: Timestamp) -> FamilyLines {
        var lines = FamilyLines()
        /// How often a set of labels came, to keep series apart that would be the same.
        var counts: [[UInt8]: Int] = [:]
        for source in sources {
            guard let list = source.list else {
                append(source, message.content, stamp, &lines, &counts)
                continue
            }
            for index in 0..<message.content.count(of: list) {
                append(source, message.content.message(index, of: list), stamp, &lines, &counts)
            }
        }
        return lines
    }

    private func append(
        _ source: Source, _ entry: borrowing MessageContent, _ stamp: Timestamp, _ lines: inout FamilyLines,
        _ counts: inout [[UInt8]: Int]
    ) {
        if let (field, condition) = source.condition, !condition.admits(Self.text(field, entry)) { return }
        let labels = source.labels.map { ($0.name, $0.part.of(Self.text($0.field, entry))) }
        for value in source.values {
            guard let number = Self.number(value.number, entry, stamp), number.isFinite else { continue }
            let usual = Self.text(of: labels + value.labels)
            var series = usual
            var count = 1
            while let used = counts[series], let first = labels.first {
                count = max(count, used) + 1
                series = Self.text(of: [(first.0, "\(first.1) #\(count)")] + labels.dropFirst() + value.labels)
            }
            counts[usual] = count
            counts[series] = 1
            lines.bytes += name
            lines.bytes += series
            lines.bytes.append(UInt8(ascii: " "))
            lines.bytes.append(number: number)
            lines.bytes.append(UInt8(ascii: "\n"))
            lines.seriesCount += 1
        }
    }

    /// Of a number its digits; a bool is 0 or 1.
    private static func text(_ field: MessageField, _ entry: borrowing MessageContent) -> String {
        if let text = entry.text(field) { return text }
        var digits: [UInt8] = []
        if let number = entry.number(field) { digits.append(number: number) }
        return String(decoding: digits, as: UTF8.self)
    }

    private static func number(_ number: Number, _ entry: borrowing MessageContent, _ stamp: Timestamp) -> Double? {
        switch number {
        case .one: 1
        case .stamp: Double(stamp.unixNanoseconds) / 1e9
        case .field(let field, let convert): entry.number(field).map(convert)
        case .ratio(let field, let other): entry.number(field).flatMap { top in entry.number(other).map { top / $0 } }
        case .isText(let field, let text, let isWanted): (entry.text(field) == text) == isWanted ? 1 : 0
        }
    }

    /// Labels in braces; nothing where there are none.
    static func text(of labels: [(String, String)]) -> [UInt8] {
        guard !labels.isEmpty else { return [] }
        var text: [UInt8] = [UInt8(ascii: "{")]
        for (index, (name, value)) in labels.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text += name.utf8
            text += "=\"".utf8
            for byte in value.utf8 {
                switch byte {
                case UInt8(ascii: "\\"), UInt8(ascii: "\""): text += [UInt8(ascii: "\\"), byte]
                case UInt8(ascii: "\n"): text += "\\n".utf8
                default: text.append(byte)
                }
            }
            text.append(UInt8(ascii: "\""))
        }
        text.append(UInt8(ascii: "}"))
        return text
    }
}

extension MetricFamily.Part {
    func of(_ text: String) -> String {
        var rest = Substring(text)
        if !after.isEmpty, let start = rest.firstRange(of: after) { rest = rest[start.upperBound...] }
        if !before.isEmpty, let end = rest.firstRange(of: before) { rest = rest[..<end.lowerBound] }
        return prefix + rest
    }
}

extension [UInt8] {
    /// A number as Prometheus reads it; whole ones without a fraction.
    mutating func append(number: Double) {
        if let whole = Int64(exactly: number), abs(number) < 1e15 {
            self += "\(whole)".utf8
        } else {
            self += "\(number)".utf8
        }
    }
}
