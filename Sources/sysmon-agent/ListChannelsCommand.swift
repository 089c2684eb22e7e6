import HostMetrics
import SysmonAgent

/// `sysmon-agent list channels`: what there is, and what of it this host has.
struct ListChannelsCommand: Command {
    static let description = CommandDescription(
        "list channels", "list the channels: what each tells, its rate, its source, and whether this host has it",
        options: Options.all)

    private let options: Options

    init(_ arguments: Arguments) throws(UsageError) { options = try Options(arguments) }

    func run() throws(Failure) {
        try options.checkPaths()
        let configuration = try StartConfiguration(options: options, hostSettings: []).read()
        let host = options.makeHost()
        host.entrySettings = configuration.entrySettings
        let availabilities = Availability.ofEach(allCollectors, on: host)
        print(ChannelList(configuration, availabilities).text, terminator: "")
    }
}
