import HostMetrics
import SysmonAgent

/// `sysmon-agent check-config`: all mistakes of a configuration, before an agent reads it.
struct CheckConfigCommand: Command {
    static let description = CommandDescription(
        "check-config", operands: "[FILE]",
        "check a configuration file and conf.d beside it, and print all mistakes as FILE:LINE:COLUMN: TEXT",
        details: """
            Without FILE it checks \(ConfigurationSources.defaultPath).
            The exit status is 1 if there are mistakes.
            """)

    private let path: String?

    init(_ arguments: Arguments) throws(UsageError) {
        guard arguments.operands.count <= 1 else { throw UsageError(text: "check-config takes one file; try --help") }
        path = arguments.operands.first
    }

    func run() throws(Failure) {
        var loader = ConfigurationLoader(Agent.defaultConfiguration(allCollectors))
        let texts = try ConfigurationSources.texts(
            path: path ?? ConfigurationSources.defaultPath, mayBeAbsent: path == nil)
        for text in texts { loader.read(file: text.path, text.bytes) }
        do throws(ConfigurationLoader.Mistakes) { _ = try loader.finish() } catch {
            for mistake in error.all { print(mistake.line) }
            throw Failure(text: "\(error.all.count) mistake\(error.all.count == 1 ? "" : "s")")
        }
    }
}
