import Foundation
import SysmonAgent
import Testing

/// What a layout's file says.
struct LayoutFile {
    let json: JSONValue

    init(_ layout: Layout?, for host: HostOutline) throws {
        json = try JSONDecoder().decode(JSONValue.self, from: Data(#require(layout).file(for: host)))
    }

    var configs: [String: JSONValue] { json["configById"]?.object ?? [:] }

    /// Those of the only panel that is always there.
    private var tabList: [JSONValue] { configs[json["layout"]?.text ?? ""]?["tabs"]?.array ?? [] }

    var tabs: [String] { tabList.compactMap { $0["title"]?.text } }

    /// Of all plots, gauges and indicators.
    var paths: [String] {
        configs.values.flatMap { config in
            (config["paths"]?.array ?? []).compactMap { $0["value"]?.text } + [config["path"]?.text].compactMap(\.self)
        }
    }

    /// Of a plot, by its title.
    func legend(_ title: String) -> [String] {
        let plot = configs.first { $0.key.hasPrefix("Plot!") && $0.value["lichtblickPanelTitle"]?.text == title }
        return (plot?.value["paths"]?.array ?? []).compactMap { $0["label"]?.text }
    }

    /// Width and height of each panel, by id, where a tab has so much room.
    func sizes(width: Double, height: Double) -> [String: (width: Double, height: Double)] {
        var sizes: [String: (width: Double, height: Double)] = [:]
        func place(_ node: JSONValue?, _ width: Double, _ height: Double) {
            if let id = node?.text {
                sizes[id] = (width, height)
            } else {
                let share = (node?["splitPercentage"]?.number ?? 50) / 100
                let isRow = node?["direction"]?.text == "row"
                place(node?["first"], isRow ? width * share : width, isRow ? height : height * share)
                place(node?["second"], isRow ? width * (1 - share) : width, isRow ? height : height * (1 - share))
            }
        }
        for tab in tabList { place(tab["layout"], width, height) }
        return sizes
    }
}
