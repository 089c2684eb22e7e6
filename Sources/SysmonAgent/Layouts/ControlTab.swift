internal import FoxgloveProtocol

extension HostOutline {
    /// The tab in which rates are changed, with this channel for an example.
    func controlTab(exampleTopic topic: String) -> Layout.Tab? {
        let publish = Self.publish(exampleTopic: topic)
        let settings = Tile.column([(36, publish), (18, Self.resetButton), (46, Self.parameters)])
        let state = Tile.column([
            (34, log("Log of the agent", "/log")), (33, table("Channels", "/config.channels")),
            (33, table("Collectors", "/agent.collectors")),
        ])
        return Layout.Tab("Control", .row([(38, settings), (62, state)]))
    }

    private static func publish(exampleTopic topic: String) -> Tile {
        let patch = """
            {
              "channels": {
                "\(topic)": {
                  "rate_hertz": 20
                }
              }
            }
            """
        return .panel(
            Panel(
                "Publish", "Change a rate",
                [
                    "topicName": .string("/config"), "datatype": .string("sysmon.v1.Config"),
                    "value": .string(patch), "advancedView": .bool(true), "buttonText": .string("Apply"),
                    "buttonTooltip": .string("Send this patch of the configuration"),
                    "buttonColor": .string(Palette.button),
                ]))
    }

    private static let resetButton = Tile.panel(
        Panel(
            "CallService", "All as at the start",
            [
                "serviceName": .string("/config/reset"), "requestPayload": .string("{}"),
                "layout": .string("horizontal"), "buttonText": .string("Reset"),
                "buttonTooltip": .string("Put back what was in effect at the start"),
                "buttonColor": .string(Palette.button),
            ]))

    private static let parameters = Tile.panel(Panel("Parameters", "Parameters", ["title": .string("Parameters")]))
}
