internal import FoxgloveProtocol
package import HostMetrics
internal import TelemetrySchema

/// All channels as a text for people: a line with topic, rate and state, and below it what the channel tells.
package struct ChannelList {
    private let configuration: Configuration
    private let availabilities: [Availability]

    private static let topicWidth = 20
    private static let rateWidth = 11

    /// `availabilities` are those of the collectors, in the order of the channels that `configuration` begins with.
    package init(_ configuration: Configuration, _ availabilities: [Availability]) {
        self.configuration = configuration
        self.availabilities = availabilities
    }

    package var text: String {
        var text = line("TOPIC", "RATE", "STATE")
        for (index, channel) in configuration.channels.enumerated() {
            text += line(channel.topic, Self.rate(channel), state(of: index))
            guard let description = topicDescriptions[channel.topic] else { continue }
            text += wrapped(description.summary, indent: "    ")
            text += wrapped("Source: \(description.source)", indent: "    ")
        }
        return text
    }

    private func line(_ topic: String, _ rate: String, _ state: String) -> String {
        Self.padded(topic, to: Self.topicWidth) + Self.padded(rate, to: Self.rateWidth) + state + "\n"
    }

    private func state(of index: Int) -> String {
        guard configuration.channels[index].isEnabled else { return "disabled by the configuration" }
        // What has no collector is told by the agent itself.
        guard availabilities.indices.contains(index) else { return "available" }
        return switch availabilities[index] {
        case .available: "available"
        case .absent(let error): "absent: \(error.reasonOfAbsence)"
        case .silent: "absent: it does not answer"
        }
    }

    private static func rate(_ channel: Configuration.ChannelSettings) -> String {
        guard let hertz = channel.sampling?.rateHertz else { return "on change" }
        let period = (1 / hertz).rounded()
        // Rather 1/60 than 0.016666666666666666.
        let isFraction = hertz < 0.1 && period * hertz == 1
        return (isFraction ? "1/\(SysmonAgent.text(of: .number(period)))" : SysmonAgent.text(of: .number(hertz)))
            + " Hz"
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
