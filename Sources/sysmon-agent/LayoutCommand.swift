import Glibc
import HostMetrics
import SysmonAgent
import Telemetry

/// `sysmon-agent layout`: a dashboard for this host.
struct LayoutCommand: Command {
    static let description = CommandDescription(
        "layout", operands: "[NAME]", "print a dashboard for this host, which Foxglove and Lichtblick import",
        options: ConfigurationSources.options + [
            CommandOption("generic", .flag, "for any host instead, with the commonest names of devices")
        ],
        details: """
            sysmon-agent layout overview > overview.json

            Without NAME it tells which there are.
            """)

    private let layout: Layout?
    private let isGeneric: Bool
    private let sources: ConfigurationSources

    init(_ arguments: Arguments) throws(UsageError) {
        sources = ConfigurationSources(arguments)
        isGeneric = arguments.contains("generic")
        guard arguments.operands.count <= 1 else {
            throw UsageError(text: "\(arguments.operands[1]) is unexpected; give one layout at a time")
        }
        guard let name = arguments.operands.first else {
            layout = nil
            return
        }
        guard let layout = Layout.named(name) else {
            throw UsageError(
                text: "\(name) is no layout; there is \(Layout.all.map(\.name).joined(separator: ", "))")
        }
        self.layout = layout
    }

    func run() throws(Failure) {
        guard let layout else { return print(Layout.list, terminator: "") }
        let host = isGeneric ? HostOutline.generic : try outline()
        print(String(decoding: layout.file(for: host), as: UTF8.self), terminator: "")
    }

    private func outline() throws(Failure) -> HostOutline {
        let (configuration, host) = try sources.readForHost()
        let enabled = Set(configuration.channels.filter(\.isEnabled).map(\.topic))
        let registrations = allCollectors.filter { enabled.contains($0.channel.topic) }
        let outcomes = Snapshot.take(registrations, on: host) { usleep(UInt32($0 * 1e6)) }
        return HostOutline(registrations, outcomes)
    }
}
