internal import FoundationEssentials
internal import FoxgloveProtocol

/// A dashboard, as a file that Foxglove and Lichtblick import.
package struct Layout: Sendable {
    struct Tab {
        var title: String
        var tile: Tile

        /// Nil: the host has nothing to show there.
        init?(_ title: String, _ tile: Tile?) {
            guard let tile else { return nil }
            self.title = title
            self.tile = tile
        }
    }

    /// One word: viewers name an imported layout for its file.
    package let name: String
    /// One line.
    package let summary: String
    let tabs: @Sendable (HostOutline) -> [Tab?]

    package static let all = [overview, cpu, network, sensors]

    package static func named(_ name: String) -> Layout? { all.first { $0.name == name } }

    /// All with their summaries, a line each.
    package static var list: String {
        all.map { $0.name + String(repeating: " ", count: 12 - $0.name.count) + $0.summary + "\n" }.joined()
    }

    /// The file for a host, with panels and series for what it has.
    package func file(for host: HostOutline) -> [UInt8] {
        let tabs = tabs(host).compactMap(\.self)
        var configs = [String: JSONValue]()
        for panel in tabs.flatMap(\.tile.panels) {
            precondition(configs.updateValue(.object(panel.config), forKey: panel.id) == nil, "\(panel.id) twice")
        }
        let root = "Tab!\(name)"
        configs[root] = .object([
            "activeTabIdx": .number(0),
            "tabs": .array(tabs.map { .object(["title": .string($0.title), "layout": $0.tile.mosaic]) }),
        ])
        let file = JSONValue.object([
            "configById": .object(configs),
            "globalVariables": .object([:]),
            "layout": .string(root),
            "playbackConfig": .object(["speed": .number(1)]),
            "userNodes": .object([:]),
        ])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Only strings, finite numbers, and lists and objects of them are encoded, which cannot fail.
        guard let data = try? encoder.encode(file) else { preconditionFailure("a layout has no JSON") }
        return Array(data) + [UInt8(ascii: "\n")]
    }
}
