import Glibc
import HostMetrics
import SysmonAgent

/// `sysmon-agent`: serves until it is stopped.
struct RunCommand: Command {
    static let description = CommandDescription(
        "run", "sample this host and serve the samples to Foxglove and Lichtblick over WebSocket",
        options: ConfigurationSources.options,
        details: """
            The token file must be closed to other users. It is read again when it has changed,
            and on SIGHUP; whoever is connected stays so. A line ROLE:NAME:san=SUBJECT admits a
            client certificate.

            Rates can be changed while it runs: publish {"channels": {"/cpu": {"rate_hertz": 20}}}
            on /config.
            """)

    private let sources: ConfigurationSources

    init(_ arguments: Arguments) throws(UsageError) { sources = ConfigurationSources(arguments) }

    func run() throws(Failure) {
        var warnings: [String] = []
        let configuration = try sources.read(Agent.defaultConfiguration(allCollectors)) { warnings.append($0) }
        let log = Log(level: .info, format: Log.Format(rawValue: configuration.host.logFormat) ?? .logfmt)
        log.setLevel(configuration.logLevel)
        for warning in warnings { log(.warning, warning) }
        exit(Service(sources: sources, configuration: configuration, log: log).runToEnd())
    }
}
