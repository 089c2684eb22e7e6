internal import FoxgloveProtocol

/// A part of a tab: a panel, or tiles side by side or below each other.
indirect enum Tile {
    case panel(Panel)
    case split(direction: String, [(share: Double, tile: Tile)])

    /// A tile, and how much room it gets relative to its neighbours. No tile: the host lacks what it would show, and
    /// the neighbours get its room.
    typealias Part = (share: Double, tile: Tile?)

    /// Side by side, from left to right; nil if none is there.
    static func row(_ parts: [Part]) -> Tile? { split("row", parts) }

    /// From top to bottom.
    static func column(_ parts: [Part]) -> Tile? { split("column", parts) }

    /// Rows below each other.
    static func rows(_ rows: [(share: Double, parts: [Part])]) -> Tile? {
        column(rows.map { ($0.share, row($0.parts)) })
    }

    private static func split(_ direction: String, _ parts: [Part]) -> Tile? {
        let parts = parts.compactMap { part in part.tile.map { (share: part.share, tile: $0) } }
        return parts.count > 1 ? .split(direction: direction, parts) : parts.first?.tile
    }

    var panels: [Panel] {
        switch self {
        case .panel(let panel): [panel]
        case .split(_, let parts): parts.flatMap { $0.tile.panels }
        }
    }

    /// As the files have it: a tree in which each split is in two.
    var mosaic: JSONValue {
        switch self {
        case .panel(let panel): return .string(panel.id)
        case .split(let direction, let parts):
            guard parts.count > 1 else { return parts[0].tile.mosaic }
            let whole = parts.reduce(0) { $0 + $1.share }
            return .object([
                "direction": .string(direction),
                "splitPercentage": .number((100 * parts[0].share / whole).rounded()),
                "first": parts[0].tile.mosaic,
                "second": Tile.split(direction: direction, Array(parts.dropFirst())).mosaic,
            ])
        }
    }
}
