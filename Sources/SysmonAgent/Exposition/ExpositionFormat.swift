/// How the samples of a scrape are written.
package enum ExpositionFormat: CaseIterable, Sendable {
    /// Prometheus text, version 0.0.4: what whoever names no format gets.
    case text
    /// OpenMetrics 1.0.
    case openMetrics

    package var contentType: String {
        switch self {
        case .text: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// What an `Accept` field asks for (RFC 9110, section 12.5.1): OpenMetrics where it is named and nothing is liked
    /// better, else text. Parts that are malformed are passed over.
    package init(accept: String) {
        var quality: [Self: Double] = [:]
        var isNamed = false
        for range in accept.split(separator: ",") {
            guard let range = MediaRange(range) else { continue }
            switch range.type {
            case "application/openmetrics-text" where range.version == nil || range.version == "1.0.0":
                isNamed = true
                quality[.openMetrics] = max(quality[.openMetrics] ?? 0, range.quality)
            case "text/plain" where range.version == nil || range.version == "0.0.4", "text/*", "*/*":
                quality[.text] = max(quality[.text] ?? 0, range.quality)
            default: continue
            }
        }
        let liked = quality[.openMetrics] ?? 0
        self = isNamed && liked > 0 && liked >= quality[.text] ?? 0 ? .openMetrics : .text
    }

    private struct MediaRange {
        var type: String
        var version: String?
        var quality = 1.0

        init?(_ text: Substring) {
            let parts = text.split(separator: ";", omittingEmptySubsequences: false).map {
                Self.trimmed($0).lowercased()
            }
            guard let type = parts.first, !type.isEmpty else { return nil }
            self.type = type
            for part in parts.dropFirst() {
                let pair = part.split(separator: "=", maxSplits: 1).map { Self.trimmed($0) }
                guard pair.count == 2 else { continue }
                if pair[0] == "version" { version = String(pair[1]) }
                if pair[0] == "q" {
                    guard let quality = Double(pair[1]), (0...1).contains(quality) else { return nil }
                    self.quality = quality
                }
            }
        }

        private static func trimmed(_ text: some StringProtocol) -> String {
            let blanks: Set<Character> = [" ", "\t"]
            let start = text.drop { blanks.contains($0) }
            let end = start.lastIndex { !blanks.contains($0) }
            return end.map { String(start[...$0]) } ?? ""
        }
    }
}
