internal import FoxgloveProtocol

/// A panel of a layout. Its type and the keys of its config are those of Lichtblick's source; Foxglove knows the same.
struct Panel {
    /// Its type, and its title in small letters, which no other panel of that type in the layout has.
    let id: String
    let config: [String: JSONValue]

    init(_ type: String, _ title: String, _ config: [String: JSONValue]) {
        id = "\(type)!" + title.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
        var config = config
        config["lichtblickPanelTitle"] = .string(title)
        config["foxglovePanelTitle"] = .string(title)
        self.config = config
    }
}

/// A line of a plot.
struct Line {
    let path: String
    let label: String

    init(_ path: String, _ label: String) {
        self.path = path
        self.label = label
    }
}

/// Colours with a contrast of 3 and more to the backgrounds of both the light and the dark theme.
enum Palette {
    /// In the order in which the lines of a plot take them; a plot has as many lines at most.
    static let lines = [
        "#3d85e0", "#e8702a", "#3aa05a", "#9a67dd", "#1f9ea8", "#d95b9f", "#a8841c", "#e04b4b",
    ]
    static let good = "#3aa05a"
    static let warning = "#e8702a"
    static let bad = "#e04b4b"
    static let unknown = "#7f8a96"
    static let button = "#3d85e0"
}

/// What an indicator shows while a value compares so with a number.
struct Rule {
    let comparison: String
    /// As JSON.
    let value: String
    let color: String
    let label: String

    init(_ comparison: String, _ value: String, _ color: String, _ label: String) {
        self.comparison = comparison
        self.value = value
        self.color = color
        self.label = label
    }
}
