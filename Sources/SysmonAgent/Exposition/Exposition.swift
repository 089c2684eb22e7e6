/// The answer to a scrape.
package struct Exposition: Sendable {
    package let contentType: String
    package let body: [UInt8]
}

/// Puts the lines of all families together, each family once, in the order of the table.
package struct ExpositionWriter {
    private let families: [MetricFamily]
    /// Before the lines of each family.
    private let heads: [ExpositionFormat: [[UInt8]]]
    /// The most that a text may have. What does not fit is left out by whole families, and counted.
    private let byteCountMax: Int

    /// Room for what the scrape tells of itself, which always fits.
    package static let ownByteCount = 32_768

    package init(_ families: [MetricFamily], byteCountMax: Int) {
        self.families = families
        self.byteCountMax = byteCountMax
        heads = Dictionary(
            uniqueKeysWithValues: ExpositionFormat.allCases.map { format in
                (format, families.map { Array(Self.head(of: $0, in: format).utf8) })
            })
    }

    /// `lines` are by place in the table; `own` makes those of the scrape itself from the count of series left out.
    package func text(
        _ format: ExpositionFormat, _ lines: [Int: FamilyLines], own: (_ leftOut: Int) -> [Int: FamilyLines]
    ) -> Exposition {
        let heads = heads[format] ?? []
        var body: [UInt8] = []
        var leftOutCount = 0
        func append(_ place: Int, _ lines: FamilyLines) {
            body += heads[place]
            body += lines.bytes
        }
        for place in families.indices {
            guard let lines = lines[place], lines.seriesCount > 0 else { continue }
            if body.count + heads[place].count + lines.bytes.count > byteCountMax - Self.ownByteCount {
                leftOutCount += lines.seriesCount
            } else {
                append(place, lines)
            }
        }
        for (place, lines) in own(leftOutCount).sorted(by: { $0.key < $1.key }) { append(place, lines) }
        if format == .openMetrics { body += "# EOF\n".utf8 }
        return Exposition(contentType: format.contentType, body: body)
    }

    private static func head(of family: MetricFamily, in format: ExpositionFormat) -> String {
        var (name, type) = (family.name, family.kind.rawValue)
        switch (format, family.kind) {
        case (.text, .info): type = "gauge"
        case (.text, .unknown): type = "untyped"
        case (.openMetrics, .counter): name.removeLast("_total".utf8.count)
        case (.openMetrics, .info): name.removeLast("_info".utf8.count)
        default: break
        }
        return "# HELP \(name) \(family.help)\n# TYPE \(name) \(type)\n"
    }
}
