import HostMetrics
import SysmonAgent

/// `sysmon-agent list channels`: what there is, and what of it this host has.
struct ListCommand {
    var options: Options

    static let usage = "sysmon-agent list channels [--config PATH] [--path.procfs PATH]..."

    func run() throws(Service.Failure) {
        try options.checkPaths()
        let configuration = try StartConfiguration(options: options, hostSettings: []).read()
        let host = options.makeHost()
        host.entrySettings = configuration.entrySettings
        let availabilities = Availability.ofEach(allCollectors, on: host)
        print(ChannelList(configuration, availabilities).text, terminator: "")
    }
}
