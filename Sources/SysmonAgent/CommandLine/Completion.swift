/// Scripts that complete the command line.
package enum Completion {
    package static let shells = ["bash", "zsh", "fish"]

    /// Nil: there is no such shell.
    package static func script(for shell: String, _ commands: [CommandDescription]) -> String? {
        switch shell {
        case "bash": bash(commands)
        case "zsh": zsh(commands)
        case "fish": fish(commands)
        default: nil
        }
    }

    // MARK: What the scripts share

    static func optionNames(_ command: CommandDescription) -> [String] {
        (command.options + CommandOption.common).map { "--\($0.name)" }
    }

    /// First words of several, each with the second ones.
    static func groups(_ commands: [CommandDescription]) -> [(first: String, seconds: [String])] {
        var groups: [(first: String, seconds: [String])] = []
        for words in commands.map({ $0.name.split(separator: " ").map(String.init) }) where words.count > 1 {
            if let index = groups.firstIndex(where: { $0.first == words[0] }) {
                groups[index].seconds.append(words[1])
            } else {
                groups.append((words[0], [words[1]]))
            }
        }
        return groups
    }

    static func firstWords(_ commands: [CommandDescription]) -> [String] {
        commands.map(\.name).filter { !$0.contains(" ") } + groups(commands).map(\.first)
    }

    /// The operand is one of these words: `bash|zsh|fish`.
    static func choices(_ command: CommandDescription) -> [String] {
        command.operands.contains("|") ? command.operands.split(separator: "|").map(String.init) : []
    }

    static func takesFile(_ command: CommandDescription) -> Bool {
        command.operands.contains("FILE") || command.operands.contains("PATH")
    }

    /// For bash and zsh.
    static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: #"'\''"#))'" }
}
