import Glibc
import HostMetrics
import Presentation
import SysmonAgent
import Telemetry
import TelemetrySchema

/// `sysmon-agent list`: what there is, and what of it this host has.
struct ListCommand {
    enum Subject: String, CaseIterable { case channels, sensors, collectors }

    var options: Options
    var subject: Subject

    static let usage = "sysmon-agent list channels|sensors|collectors [--config PATH] [--path.procfs PATH]..."

    func run() throws(Service.Failure) {
        switch subject {
        case .channels: try listChannels()
        case .sensors: try listSensors()
        case .collectors: Output.write(CollectorList(allCollectors).text)
        }
    }

    private func listChannels() throws(Service.Failure) {
        let host = try makeHost()
        let configuration = try StartConfiguration(options: options, hostSettings: []).read()
        host.entrySettings = configuration.entrySettings
        let availabilities = Availability.ofEach(allCollectors, on: host)
        Output.write(ChannelList(configuration, availabilities).text)
    }

    private func listSensors() throws(Service.Failure) {
        let host = try makeHost()
        host.entrySettings = try StartConfiguration(options: options, hostSettings: []).read().entrySettings
        let sensors = allCollectors.filter { $0.channel.topic == "/sensors" }
        for (registration, outcome) in zip(
            sensors, Snapshot.take(sensors, on: host) { usleep(UInt32($0 * 1e6)) })
        {
            switch outcome {
            case .message(let payload):
                guard let message = registration.decode(payload) else { continue }
                Output.write(SensorList(message).lines(width: Output.terminalSize?.columns).map { $0 + "\n" }.joined())
            case .absent(let error):
                throw Service.Failure(text: "this host has no sensors: \(error.reasonOfAbsence)")
            case .silent: throw Service.Failure(text: "the sensors of this host do not answer")
            }
        }
    }

    private func makeHost() throws(Service.Failure) -> Host {
        try options.checkPaths()
        return options.makeHost()
    }
}
