internal import FoxgloveProtocol

/// Panels of what a host has; nil where it has nothing of it.
extension HostOutline {
    /// Lines of the entries that matter most, each with these fields and what the legend adds to the entry's name.
    /// `other` is the list that the entries are taken of where it is another one with the same ids.
    func lines(of list: String, as other: String? = nil, _ fields: (name: String, suffix: String)...) -> [Line] {
        let shown = (entries[other ?? list] ?? []).prefix(Palette.lines.count / fields.count)
        return shown.flatMap { entry in
            fields.map { Line("\(list)[:]{\(entry.filter)}.\($0.name)", entry.name + $0.suffix) }
        }
    }

    /// `axis` says what is drawn, with its unit; `seconds` is how much of the past is.
    func plot(
        _ title: String, axis: String, from low: Double? = 0, to high: Double? = nil, seconds: Double = 60,
        _ lines: [Line]
    ) -> Tile? {
        let lines = lines.filter { has($0.path) }.prefix(Palette.lines.count)
        guard !lines.isEmpty else { return nil }
        var config: [String: JSONValue] = [
            "paths": .array(zip(lines, Palette.lines).map(Self.series)),
            "followingViewWidth": .number(seconds),
            "isSynced": .bool(true),
            "legendDisplay": .string("floating"),
            "showLegend": .bool(true),
            "showPlotValuesInLegend": .bool(true),
            "showXAxisLabels": .bool(true),
            "showYAxisLabels": .bool(true),
            "sidebarDimension": .number(240),
            "xAxisVal": .string("timestamp"),
            "yAxisLabel": .string(axis),
        ]
        config["minYValue"] = low.map { .number($0) }
        config["maxYValue"] = high.map { .number($0) }
        return .panel(Panel("Plot", title, config))
    }

    /// By the time of the reading, which is exact where the arrival is not.
    private static func series(_ line: Line, _ color: String) -> JSONValue {
        .object([
            "value": .string(line.path), "label": .string(line.label), "color": .string(color),
            "enabled": .bool(true), "showLine": .bool(true), "lineSize": .number(1.5),
            "timestampMethod": .string("headerStamp"),
        ])
    }

    /// Green at its low end unless `isHighGood`.
    func gauge(_ title: String, _ path: String, _ range: ClosedRange<Double>, isHighGood: Bool = false) -> Tile? {
        guard has(path) else { return nil }
        return .panel(
            Panel(
                "Gauge", title,
                [
                    "path": .string(path), "minValue": .number(range.lowerBound),
                    "maxValue": .number(range.upperBound), "colorMap": .string("red-yellow-green"),
                    "colorMode": .string("colormap"), "reverse": .bool(!isHighGood),
                    "gradient": .array([.string(Palette.good), .string(Palette.bad)]),
                ]))
    }

    /// The first rule that holds counts; none does while the value is not known.
    func indicator(_ title: String, _ path: String, _ rules: Rule...) -> Tile? {
        guard has(path) else { return nil }
        return .panel(
            Panel(
                "Indicator", title,
                [
                    "path": .string(path), "style": .string("background"),
                    "fallbackColor": .string(Palette.unknown), "fallbackLabel": .string("not known"),
                    "rules": .array(
                        rules.map { rule in
                            .object([
                                "operator": .string(rule.comparison), "rawValue": .string(rule.value),
                                "color": .string(rule.color), "label": .string(rule.label),
                            ])
                        }),
                ]))
    }

    /// `path` leads to a list, of which the table has all entries.
    func table(_ title: String, _ path: String) -> Tile? {
        has(path) ? .panel(Panel("Table", title, ["topicPath": .string("\(path)[:]")])) : nil
    }

    /// The whole message of a channel.
    func message(_ title: String, _ topic: String) -> Tile? {
        guard has(topic) else { return nil }
        return .panel(
            Panel(
                "RawMessages", title,
                [
                    "topicPath": .string(topic), "expansion": .string("all"), "diffEnabled": .bool(false),
                    "diffMethod": .string("custom"), "diffTopicPath": .string(""),
                    "showFullMessageForDiff": .bool(false),
                ]))
    }

    /// Lines of the level "info" and above.
    func log(_ title: String, _ topic: String) -> Tile? {
        guard has(topic) else { return nil }
        return .panel(
            Panel(
                "RosOut", title,
                ["topicToRender": .string(topic), "minLogLevel": .number(2), "searchTerms": .array([])]))
    }

    private func has(_ path: String) -> Bool { topics.contains(String(path.prefix { $0 != "." })) }
}
