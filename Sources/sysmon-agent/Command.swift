import SysmonAgent

/// A thing that the program does: a struct in a file of its own, and its line in ``commands``.
protocol Command: SendableMetatype {
    static var description: CommandDescription { get }
    /// Takes its arguments, which have no options but those of ``description``.
    init(_ arguments: Arguments) throws(UsageError)
    func run() throws(Failure)
}

/// All of them, in the order of the help. The first needs no name.
let commands: [any Command.Type] = [
    RunCommand.self,
    OnceCommand.self,
    TopCommand.self,
    CatCommand.self,
    ListChannelsCommand.self,
    ListSensorsCommand.self,
    ListCollectorsCommand.self,
    LayoutCommand.self,
    ConfigDefaultCommand.self,
    CheckConfigCommand.self,
    TokenNewCommand.self,
    CertSelfSignedCommand.self,
    CompletionCommand.self,
    ManualCommand.self,
]

/// What keeps a command from its work, with a text that names the thing and the way out: a line, or several.
struct Failure: Error {
    var text: String
    var status: Int32 = 1
}

/// Chooses the command that the words at the beginning name, and runs it.
func dispatch(_ arguments: [String]) throws {
    let words = arguments.prefix { !$0.hasPrefix("-") }
    let named = commands.first { command in
        let name = command.description.name.split(separator: " ").map(String.init)
        return words.starts(with: name)
    }
    guard let command = named ?? (words.isEmpty ? commands.first : nil) else { throw unknownCommand(Array(words)) }
    let description = command.description
    let wordCount = named == nil ? 0 : description.name.split(separator: " ").count
    let parsed = try Arguments(
        parsing: arguments.dropFirst(wordCount), options: description.options + CommandOption.common)
    if parsed.contains("help") {
        return print(HelpText.text(of: description, among: commands.map { $0.description }), terminator: "")
    }
    if parsed.contains("version") { return print("sysmon-agent \(agentVersion)") }
    if description.operands.isEmpty, let operand = parsed.operands.first {
        let other = commands.first { $0.description.name.hasPrefix(operand + " ") }
        let usage = "sysmon-agent \((other ?? command).description.name) [OPTION]..."
        throw UsageError(text: "\(operand) is unexpected; write \(usage), or try --help")
    }
    try command.init(parsed).run()
}

private func unknownCommand(_ words: [String]) -> UsageError {
    let names = commands.map { $0.description.name }
    let related = names.filter { $0.hasPrefix(words[0] + " ") }
    return UsageError(
        text: "\(words.joined(separator: " ")) is no command; there is "
            + (related.isEmpty ? names : related).joined(separator: ", "))
}
