import SysmonAgent

/// `sysmon-agent completion`: the command line, for a shell to complete.
struct CompletionCommand: Command {
    static let description = CommandDescription(
        "completion", operands: Completion.shells.joined(separator: "|"),
        "print a script that completes this command line in a shell",
        details: "source <(sysmon-agent completion bash)")

    private let shell: String

    init(_ arguments: Arguments) throws(UsageError) {
        guard arguments.operands.count == 1, Completion.shells.contains(arguments.operands[0]) else {
            throw UsageError(text: "completion needs one of \(Completion.shells.joined(separator: ", "))")
        }
        shell = arguments.operands[0]
    }

    func run() throws(Failure) {
        print(Completion.script(for: shell, commands.map { $0.description }) ?? "", terminator: "")
    }
}
