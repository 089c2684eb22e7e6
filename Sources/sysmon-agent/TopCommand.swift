import FoxgloveProtocol
import Glibc
import Presentation

/// `sysmon-agent top`: this host, or that of an agent, on a screen of the terminal.
struct TopCommand {
    private let server: ServerChoice?
    private let options: Options

    static let usage = "sysmon-agent top [--url ws://HOST:PORT] [--ca FILE] [--path.procfs PATH]..."

    /// `arguments` are those after the word `top`.
    init(parsing arguments: [String]) throws(Options.Mistake) {
        let arguments = try CommandArguments(
            parsing: arguments, options: ServerChoice.options + Options.pathOptions, usage: Self.usage)
        if let word = arguments.words.first {
            throw Options.Mistake(text: "\(printable(word)) is unexpected; write \(Self.usage)")
        }
        options = Options(paths: arguments)
        server = arguments["--url"] == nil ? nil : try ServerChoice(arguments)
        guard server == nil || Options.pathOptions.allSatisfy({ arguments[$0] == nil }) else {
            throw Options.Mistake(text: "--path says where this host's files are, and --url that it is another one")
        }
        guard server != nil || arguments["--ca"] == nil else { throw Options.Mistake(text: "--ca needs --url wss://…") }
    }

    func run() throws(Service.Failure) {
        try options.checkPaths()
        guard let terminal = Terminal() else {
            throw Service.Failure(
                text: "top needs a terminal that shows screens; sysmon-agent once and cat print to any output",
                status: 2)
        }
        let session = TopSession(terminal, server, options)
        try session.run()
    }
}
