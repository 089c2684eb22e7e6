import Glibc
import HostMetrics
import Presentation
import SysmonAgent
import Telemetry
import TelemetrySchema

/// `sysmon-agent once`: what this host is at now, without an agent.
struct OnceCommand: Command {
    private enum Format: String, CaseIterable { case text, json }

    static let description = CommandDescription(
        "once", operands: "[TOPIC]...", "show what this host is at now, without an agent",
        options: [
            CommandOption("format", .choice(Format.allCases.map(\.rawValue)), "how it is printed (default text)")
        ] + HostSettings.pathOptions)

    private let registrations: [Registration]
    /// Nobody asked for topics: what is absent is left out, and of the rest what matters most is shown.
    private let isOverview: Bool
    private let format: Format
    private let settings: HostSettings

    init(_ arguments: Arguments) throws(UsageError) {
        let word = arguments.value(of: "format") ?? "text"
        guard let format = Format(rawValue: word) else {
            throw UsageError(text: "--format \(word): must be text or json")
        }
        self.format = format
        settings = HostSettings(paths: arguments)
        isOverview = arguments.operands.isEmpty
        var registrations: [Registration] = []
        for topic in isOverview ? Overview.fields.map(\.topic) : arguments.operands {
            registrations.append(try Self.registration(of: topic))
        }
        self.registrations = registrations
    }

    private static func registration(of topic: String) throws(UsageError) -> Registration {
        if ["/agent", "/log", "/config"].contains(topic) {
            throw UsageError(
                text: "\(topic) is told by a running agent only; try sysmon-agent cat \(topic) --count 1")
        }
        guard let registration = allCollectors.first(where: { $0.channel.topic == topic }) else {
            let topics = allCollectors.map(\.channel.topic)
            let hint = nearest(to: topic, among: topics).map { "; did you mean \($0)?" } ?? ""
            throw UsageError(text: "\(printable(topic)) is no channel\(hint); try sysmon-agent list channels")
        }
        return registration
    }

    func run() throws(Failure) {
        try settings.checkPaths()
        let outcomes = Snapshot.take(registrations, on: settings.makeHost()) { seconds in
            usleep(UInt32(seconds * 1e6))
        }
        var shown: [(topic: String, message: DecodedMessage)] = []
        var faults: [String] = []
        for (registration, outcome) in zip(registrations, outcomes) {
            let topic = registration.channel.topic
            switch outcome {
            case .message(let payload):
                if let message = registration.decode(payload) { shown.append((topic, message)) }
            case .absent(.nothingUsable) where registration.isEventDriven: faults.append("\(topic) has no news")
            case .absent(let error): faults.append("\(topic) is absent: \(error.reasonOfAbsence)")
            case .silent: faults.append("\(topic) is absent: it does not answer")
            }
        }
        switch format {
        case .text: Output.write(text(of: shown))
        case .json: Output.write(json(of: shown))
        }
        guard !isOverview || shown.isEmpty, let last = faults.last else { return }
        for fault in faults.dropLast() { writeError(fault) }
        throw Failure(text: last)
    }

    private func text(of shown: [(topic: String, message: DecodedMessage)]) -> String {
        let width = Output.terminalSize?.columns ?? 80
        let fields = Dictionary(uniqueKeysWithValues: Overview.fields.map { ($0.topic, $0.names) })
        return shown.map { topic, message in
            let lines = MessageText(message, fields: isOverview ? fields[topic] : nil, width: width).lines
            return ([topic] + lines).map { $0 + "\n" }.joined()
        }.joined(separator: "\n")
    }

    /// One object, with a member for each topic.
    private func json(of shown: [(topic: String, message: DecodedMessage)]) -> [UInt8] {
        let members = shown.map { topic, message in
            Array("  \"\(topic)\": ".utf8) + message.json(notKnown: .isNull)
        }
        return Array("{\n".utf8) + members.joined(separator: Array(",\n".utf8)) + Array("\n}\n".utf8)
    }
}
