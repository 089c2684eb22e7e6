import HostMetrics
import SysmonAgent

/// `sysmon-agent config default`: a file to start from.
struct ConfigDefaultCommand: Command {
    static let description = CommandDescription(
        "config default", "print a configuration file with all settings, their defaults and what they mean")

    init(_ arguments: Arguments) throws(UsageError) {}

    func run() throws(Failure) {
        print(ConfigurationSample.text(of: Agent.defaultConfiguration(allCollectors)), terminator: "")
    }
}
