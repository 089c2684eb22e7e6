import HostMetrics
import SysmonAgent

/// `sysmon-agent list channels`: what there is, and what of it this host has.
struct ListChannelsCommand: Command {
    static let description = CommandDescription(
        "list channels", "list the channels: what each tells, its rate, its source, and whether this host has it",
        options: ConfigurationSources.options)

    private let sources: ConfigurationSources

    init(_ arguments: Arguments) throws(UsageError) { sources = ConfigurationSources(arguments) }

    func run() throws(Failure) {
        let (configuration, host) = try sources.readForHost()
        let availabilities = Availability.ofEach(allCollectors, on: host)
        Output.write(ChannelList(configuration, availabilities).text)
    }
}
