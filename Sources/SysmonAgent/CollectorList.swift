internal import FoxgloveProtocol
package import HostMetrics
internal import Telemetry

/// All collectors as a text for people: how each one works.
package struct CollectorList {
    private let registrations: [Registration]

    package init(_ registrations: [Registration]) { self.registrations = registrations }

    package var text: String {
        line("TOPIC", "RUNS ON", "SAMPLED BY", "NEWS EVERY", "SETTINGS OF ENTRIES")
            + registrations.map { registration in
                line(
                    registration.channel.topic, registration.isBlocking ? "its thread" : "the loop",
                    registration.isEventDriven ? "events" : "timer", Self.resolution(registration),
                    registration.entrySettings.map(\.rawValue).joined(separator: ", "))
            }.joined()
    }

    private func line(_ topic: String, _ thread: String, _ trigger: String, _ resolution: String, _ settings: String)
        -> String
    {
        let cells = [(topic, 20), (thread, 12), (trigger, 12), (resolution, 12)]
        let line = cells.map { $0 + String(repeating: " ", count: max(1, $1 - $0.count)) }.joined() + settings
        return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }

    /// How often the source changes; of an event-driven one nothing is to be said.
    private static func resolution(_ registration: Registration) -> String {
        guard !registration.isEventDriven else { return "-" }
        guard registration.resolutionSeconds > 0 else { return "read" }
        return SysmonAgent.text(of: .number(registration.resolutionSeconds)) + " s"
    }
}
