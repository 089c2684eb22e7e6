import Glibc
import HostMetrics
import Presentation
import SysmonAgent
import Telemetry

/// `sysmon-agent list sensors`: what chips measure, and within which limits.
struct ListSensorsCommand: Command {
    static let description = CommandDescription(
        "list sensors", "list the sensors of this host with their values and limits",
        options: ConfigurationSources.options)

    private let sources: ConfigurationSources

    init(_ arguments: Arguments) throws(UsageError) { sources = ConfigurationSources(arguments) }

    func run() throws(Failure) {
        let (_, host) = try sources.readForHost()
        let sensors = allCollectors.filter { $0.channel.topic == "/sensors" }
        for (registration, outcome) in zip(
            sensors, Snapshot.take(sensors, on: host) { usleep(UInt32($0 * 1e6)) })
        {
            switch outcome {
            case .message(let payload):
                guard let message = registration.decode(payload) else { continue }
                Output.write(SensorList(message).lines(width: Output.terminalSize?.columns).map { $0 + "\n" }.joined())
            case .absent(let error): throw Failure(text: "this host has no sensors: \(error.reasonOfAbsence)")
            case .silent: throw Failure(text: "the sensors of this host do not answer")
            }
        }
    }
}
