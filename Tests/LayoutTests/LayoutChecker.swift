import Foundation

/// Finds what is wrong with a layout file of the kind that Lichtblick and Foxglove import, and with its message paths.
struct LayoutChecker {
    let schemas: SchemaPool

    /// One line for each problem; none: the layout is good.
    func problems(in layout: JSONValue) -> [String] {
        var problems: [String] = []
        for key in ["configById", "globalVariables", "playbackConfig"] where layout[key]?.object == nil {
            problems.append("\(key) must be an object")
        }
        if layout["playbackConfig"]?["speed"]?.number == nil {
            problems.append("playbackConfig.speed must be a number")
        }
        if let scripts = layout["userNodes"], scripts.object == nil { problems.append("userNodes must be an object") }
        if layout["version"] != nil { problems.append("version is left out: Lichtblick refuses what it does not know") }

        let panels = layout["configById"]?.object ?? [:]
        var used: [String] = []
        if let tree = layout["layout"] { collectPanels(of: tree, into: &used, problems: &problems) }
        for (id, config) in panels.sorted(by: { $0.key < $1.key }) where id.hasPrefix("Tab!") {
            let tabs = config["tabs"]?.array ?? []
            if tabs.isEmpty { problems.append("\(id) has no tabs") }
            if !tabs.indices.contains(Int(config["activeTabIdx"]?.number ?? -1)) {
                problems.append("\(id).activeTabIdx names no tab")
            }
            for tab in tabs {
                if tab["title"]?.text == nil { problems.append("\(id) has a tab without title") }
                if let tree = tab["layout"] { collectPanels(of: tree, into: &used, problems: &problems) }
            }
        }
        for (id, places) in Dictionary(grouping: used, by: { $0 }) where places.count > 1 {
            problems.append("\(id) is used \(places.count) times")
        }
        for id in Set(used).subtracting(panels.keys) { problems.append("\(id) has no config") }
        for id in Set(panels.keys).subtracting(used) { problems.append("\(id) is not used") }
        for (id, config) in panels.sorted(by: { $0.key < $1.key }) {
            problems += panelProblems(id, config).map { "\(id): \($0)" }
        }
        return problems
    }

    private func collectPanels(of tree: JSONValue, into used: inout [String], problems: inout [String]) {
        if let id = tree.text {
            used.append(id)
            return
        }
        guard let direction = tree["direction"]?.text, ["row", "column"].contains(direction),
            let first = tree["first"], let second = tree["second"]
        else {
            problems.append("a node is neither a panel nor a split with direction, first and second")
            return
        }
        if let share = tree["splitPercentage"], !(1...99).contains(share.number ?? 0) {
            problems.append("splitPercentage must be a number between 1 and 99")
        }
        let known: Set = ["direction", "first", "second", "splitPercentage"]
        for key in Set((tree.object ?? [:]).keys).subtracting(known) { problems.append("a node has the key \(key)") }
        collectPanels(of: first, into: &used, problems: &problems)
        collectPanels(of: second, into: &used, problems: &problems)
    }
}

// MARK: - Panels

extension LayoutChecker {
    /// Config keys by panel type; the type is what stands before the "!" of a panel's id.
    private static let keys: [String: Set<String>] = [
        "Plot": [
            "paths", "minYValue", "maxYValue", "showXAxisLabels", "showYAxisLabels", "showLegend", "legendDisplay",
            "showPlotValuesInLegend", "isSynced", "xAxisVal", "xAxisPath", "followingViewWidth", "xAxisLabel",
            "yAxisLabel", "sidebarDimension", "timeWindowMode",
        ],
        "Gauge": ["path", "minValue", "maxValue", "colorMap", "colorMode", "gradient", "reverse"],
        "Indicator": ["path", "style", "fallbackColor", "fallbackLabel", "rules"],
        "Table": ["topicPath"],
        "RawMessages": [
            "topicPath", "diffEnabled", "diffMethod", "diffTopicPath", "showFullMessageForDiff", "expansion",
            "fontSize",
        ],
        "RosOut": ["searchTerms", "minLogLevel", "topicToRender", "nameFilter"],
        "StateTransitions": ["paths", "isSynced", "xAxisRange", "showPoints"],
        "Publish": [
            "topicName", "datatype", "value", "advancedView", "buttonText", "buttonTooltip", "buttonColor",
        ],
        "CallService": [
            "serviceName", "requestPayload", "layout", "buttonText", "buttonTooltip", "buttonColor", "editingMode",
            "timeoutSeconds",
        ],
        "Parameters": ["title"],
        "SourceInfo": [],
        "TopicGraph": [],
        "GlobalVariableSliderPanel": ["globalVariableName", "sliderProps"],
        "Tab": ["activeTabIdx", "tabs"],
    ]
    private static let titleKeys: Set = ["lichtblickPanelTitle", "foxglovePanelTitle"]

    private func panelProblems(_ id: String, _ config: JSONValue) -> [String] {
        let parts = id.split(separator: "!", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty, let keys = Self.keys[String(parts[0])] else {
            return ["the id must be <panel type>!<text>"]
        }
        guard let config = config.object else { return ["the config must be an object"] }
        var problems = Set(config.keys).subtracting(keys).subtracting(Self.titleKeys).map { "unknown key \($0)" }
        func check(_ key: String, _ use: PathUse) {
            guard let path = config[key]?.text else { return problems.append("\(key) is missing") }
            problems += pathProblems(path, use)
        }
        switch parts[0] {
        case "Plot", "StateTransitions":
            problems += seriesProblems(config["paths"]?.array ?? [], parts[0] == "Plot" ? .plot : .anyScalar)
        case "Gauge":
            check("path", .gauge)
            guard let low = config["minValue"]?.number, let high = config["maxValue"]?.number, low < high else {
                problems.append("minValue and maxValue must be set, in this order")
                break
            }
        case "Indicator": check("path", .anyScalar)
        case "Table": check("topicPath", .table)
        case "RawMessages": check("topicPath", .anything)
        case "Publish": problems += publishProblems(config)
        default: break
        }
        return problems
    }

    private func seriesProblems(_ series: [JSONValue], _ use: PathUse) -> [String] {
        if series.isEmpty { return ["paths is missing or empty"] }
        var problems: [String] = []
        for entry in series {
            guard let path = entry["value"]?.text else {
                problems.append("a series has no value")
                continue
            }
            if entry["timestampMethod"] != .string("headerStamp") {
                problems.append("\(path): timestampMethod must be headerStamp, which is exact")
            }
            if entry["enabled"] != .bool(true) { problems.append("\(path): enabled must be true") }
            if Double(path) == nil { problems += pathProblems(path, use) }  // A number is a line of reference.
        }
        return problems
    }
}

// MARK: - Message paths

extension LayoutChecker {
    /// What a panel can show.
    enum PathUse {
        case plot
        case gauge
        case anyScalar
        case table
        case anything
    }

    private static let modifiers: Set = [
        "derivative", "abs", "acos", "asin", "atan", "ceil", "cos", "log", "log1p", "log2", "log10", "round", "sign",
        "sin", "sqrt", "tan", "trunc",
    ]

    func pathProblems(_ text: String, _ use: PathUse) -> [String] {
        do {
            try check(MessagePath(text), use)
            return []
        } catch {
            return ["\(text): \(error)"]
        }
    }

    private func check(_ path: MessagePath, _ use: PathUse) throws(PathError) {
        guard let type = schemas.topics[path.topic] else { throw PathError("no channel \(path.topic)") }
        if let modifier = path.modifier, use != .plot || !Self.modifiers.contains(modifier) {
            throw PathError("the panel does not know .@\(modifier)")
        }
        // Where the path has led so far: to what kind of value, and to how many of them.
        var kind = SchemaPool.Kind.message(type)
        var isList = false  // A list that wants an index, a slice or a filter.
        var isMany = false  // A slice without a filter behind it.
        for part in path.parts {
            switch part {
            case .field(let name):
                if isList { throw PathError("the list before .\(name) wants [:] or an index") }
                let field = try self.field(name, of: kind)
                kind = field.kind
                isList = field.isRepeated
            case .index:
                if !isList { throw PathError("[ ] stands behind something that is no list") }
                isList = false
            case .slice:
                if !isList { throw PathError("[:] stands behind something that is no list") }
                isList = false
                isMany = true
            case .filter(let names, let value):
                if isList { throw PathError("a filter of a list wants [:] before it") }
                try check(value, against: names, in: kind)
                isMany = false
            }
        }
        try check(kind, isList: isList, isMany: isMany, for: use)
    }

    private func field(_ name: String, of kind: SchemaPool.Kind) throws(PathError) -> SchemaPool.Field {
        guard case .message(let type) = kind else { throw PathError(".\(name) stands behind a value without fields") }
        guard let field = schemas.field(name, of: type) else { throw PathError("\(type) has no field \(name)") }
        return field
    }

    private func check(
        _ value: MessagePath.FilterValue, against names: [String], in kind: SchemaPool.Kind
    ) throws(PathError) {
        var kind = kind
        for name in names {
            let field = try field(name, of: kind)
            if field.isRepeated { throw PathError("a filter cannot look into the list \(name)") }
            kind = field.kind
        }
        switch (value, kind) {
        case (.integer, .number), (.integer, .wideInteger), (.text, .text), (.boolean, .boolean): break
        case (.variable, .number), (.variable, .wideInteger), (.variable, .text), (.variable, .boolean): break
        default: throw PathError("the filter's value has another type than \(names.joined(separator: "."))")
        }
    }

    private func check(_ kind: SchemaPool.Kind, isList: Bool, isMany: Bool, for use: PathUse) throws(PathError) {
        switch use {
        case .plot, .gauge, .anyScalar:
            if isList || isMany { throw PathError("a list draws one tangled line: filter by id") }
            switch kind {
            case .number: return
            case .wideInteger where use == .plot, .boolean where use == .plot: return
            case .text where use == .anyScalar, .boolean where use == .anyScalar, .wideInteger where use == .anyScalar:
                return
            default: throw PathError("the panel cannot show this type of value")
            }
        case .table:
            guard case .message = kind else { throw PathError("a table shows messages") }
        case .anything: return
        }
    }
}

// MARK: - Commands

extension LayoutChecker {
    /// The bounds of what a client may set, by the field of sysmon.v1.ChannelConfig.
    private static let bounds: [String: ClosedRange<Double>] = [
        "rate_hertz": 0.001...1000, "window_seconds": 0...10,
    ]

    private func publishProblems(_ config: [String: JSONValue]) -> [String] {
        guard let topic = config["topicName"]?.text, topic == "/config" else {
            return ["topicName must be /config: the agent takes no other"]
        }
        var problems: [String] = []
        if config["datatype"]?.text != schemas.topics[topic] {
            problems.append("datatype must be the type of \(topic)")
        }
        guard let text = config["value"]?.text,
            let patch = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)), case .object = patch
        else { return problems + ["value must be the text of a JSON object"] }
        return problems + patchProblems(patch)
    }

    private func patchProblems(_ patch: JSONValue) -> [String] {
        guard let channels = patch["channels"]?.object, patch.object?.count == 1, !channels.isEmpty else {
            return ["a patch holds channels by topic and nothing else"]
        }
        var problems: [String] = []
        for (topic, settings) in channels.sorted(by: { $0.key < $1.key }) {
            if schemas.topics[topic] == nil { problems.append("no channel \(topic)") }
            guard let settings = settings.object, !settings.isEmpty else {
                problems.append("\(topic): settings must be an object")
                continue
            }
            for (key, value) in settings.sorted(by: { $0.key < $1.key }) {
                let kind = key == "id" ? nil : schemas.field(key, of: "sysmon.v1.ChannelConfig")?.kind
                switch (kind, value) {
                case (.boolean, .bool): break
                case (.number, .number(let number)) where Self.bounds[key]?.contains(number) == true: break
                case (nil, _): problems.append("\(topic).\(key): no such setting")
                default: problems.append("\(topic).\(key): wrong value")
                }
            }
        }
        return problems
    }
}
