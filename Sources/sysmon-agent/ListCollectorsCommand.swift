import HostMetrics
import SysmonAgent

/// `sysmon-agent list collectors`: how each channel is sampled.
struct ListCollectorsCommand: Command {
    static let description = CommandDescription(
        "list collectors", "list the collectors: how each is sampled, and which settings of entries it has")

    init(_ arguments: Arguments) {}

    func run() { Output.write(CollectorList(allCollectors).text) }
}
