import SysmonAgent

/// `sysmon-agent`: serves until it is stopped.
struct RunCommand: Command {
    static let description = CommandDescription(
        "run", "sample this host and serve the samples to Foxglove and Lichtblick over WebSocket",
        options: Options.all,
        details: """
            The token file must be closed to other users. It is read again when it has changed,
            and on SIGHUP; whoever is connected stays so. A line ROLE:NAME:san=SUBJECT admits a
            client certificate.

            Rates can be changed while it runs: publish {"channels": {"/cpu": {"rate_hertz": 20}}}
            on /config.
            """)

    private let options: Options

    init(_ arguments: Arguments) throws(UsageError) { options = try Options(arguments) }

    func run() throws(Failure) { try Service(options: options, log: Log(level: options.logLevel ?? .info)).run() }
}
