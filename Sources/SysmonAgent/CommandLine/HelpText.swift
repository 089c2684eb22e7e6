/// What `--help` prints.
package enum HelpText {
    /// Of what stands before the descriptions.
    private static let nameWidth = 25

    /// Of one command. `commands` are listed too where it is the one that needs no name.
    package static func text(of command: CommandDescription, among commands: [CommandDescription]) -> String {
        let isFirst = command.name == commands.first?.name
        var text = "Usage: \(usage(of: command, isFirst: isFirst))\n"
        if isFirst { text += "  or:  sysmon-agent COMMAND [OPTION]...\n" }
        text += wrapped(sentence(command.summary), indent: "") + "\n"
        for option in command.options + CommandOption.common { text += entry(option.form, option.summary) }
        if isFirst {
            text += "\nCommands, each with a --help of its own:\n"
            for command in commands { text += entry(command.name, command.summary) }
        }
        if !command.details.isEmpty { text += "\n\(command.details)\n" }
        return text
    }

    /// A line such as `sysmon-agent check-config [OPTION]... [FILE]`.
    static func usage(of command: CommandDescription, isFirst: Bool) -> String {
        "sysmon-agent \(isFirst ? "[\(command.name)]" : command.name) [OPTION]..."
            + (command.operands.isEmpty ? "" : " \(command.operands)")
    }

    /// What has no room beside the name goes below it.
    private static func entry(_ name: String, _ summary: String) -> String {
        let text = wrapped(summary, indent: String(repeating: " ", count: nameWidth))
        let start = "  " + name
        return start.count < nameWidth ? start + text.dropFirst(start.count) : start + "\n" + text
    }
}
