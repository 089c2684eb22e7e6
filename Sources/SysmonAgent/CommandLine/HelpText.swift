/// What `--help` prints.
package enum HelpText {
    private static let optionWidth = 23

    /// Of one command. `commands` are listed too where it is the one that needs no name.
    package static func text(of command: CommandDescription, among commands: [CommandDescription]) -> String {
        let isFirst = command.name == commands.first?.name
        let operands = command.operands.isEmpty ? "" : " \(command.operands)"
        var text = "Usage: sysmon-agent \(isFirst ? "[\(command.name)]" : command.name) [OPTION]...\(operands)\n"
        if isFirst { text += "  or:  sysmon-agent COMMAND [OPTION]...\n" }
        text += sentence(command.summary) + "\n\n"
        for option in command.options + CommandOption.common {
            text += line(
                (["--\(option.name)"] + [option.value.placeholder].compactMap(\.self)).joined(separator: " "),
                option.summary)
        }
        if isFirst {
            text += "\nCommands, each with a --help of its own:\n"
            for command in commands { text += line(command.name, command.summary) }
        }
        if !command.details.isEmpty { text += "\n\(command.details)\n" }
        return text
    }

    /// Begins with a capital and ends with a full stop.
    package static func sentence(_ summary: String) -> String {
        summary.prefix(1).uppercased() + summary.dropFirst() + "."
    }

    /// What has no room beside the name goes below it.
    private static func line(_ name: String, _ summary: String) -> String {
        let gap =
            name.count < optionWidth
            ? String(repeating: " ", count: optionWidth - name.count)
            : "\n" + String(repeating: " ", count: optionWidth + 2)
        return "  \(name)\(gap)\(summary)\n"
    }
}
