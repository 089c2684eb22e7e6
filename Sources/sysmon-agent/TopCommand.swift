import FoxgloveProtocol
import Glibc
import Presentation
import SysmonAgent

/// `sysmon-agent top`: this host, or that of an agent, on a screen of the terminal.
struct TopCommand: Command {
    static let description = CommandDescription(
        "top", "show this host, or that of a running agent, on a screen of the terminal",
        options: ServerChoice.options + HostSettings.pathOptions,
        details: "Without --url it needs no running agent. The key ? shows the keys.")

    private let server: ServerChoice?
    private let settings: HostSettings

    init(_ arguments: Arguments) throws(UsageError) {
        settings = HostSettings(paths: arguments)
        server = arguments.contains("url") ? try ServerChoice(arguments) : nil
        guard server == nil || !HostSettings.pathOptions.contains(where: { arguments.contains($0.name) }) else {
            throw UsageError(text: "--path says where this host's files are, and --url that it is another one")
        }
        guard server != nil || !arguments.contains("ca") else { throw UsageError(text: "--ca needs --url wss://…") }
    }

    func run() throws(Failure) {
        try settings.checkPaths()
        guard let terminal = Terminal() else {
            throw Failure(
                text: "top needs a terminal that shows screens; sysmon-agent once and cat print to any output",
                status: 2)
        }
        let session = TopSession(terminal, server, settings)
        try session.run()
    }
}
