extension Completion {
    static func zsh(_ commands: [CommandDescription]) -> String {
        var text = """
            #compdef sysmon-agent
            # Completion of sysmon-agent for zsh: put this file into a folder of $fpath as _sysmon-agent.
            local typed="${(j: :)words[2,CURRENT-1]} "
            local -a commands
            case $typed in

            """
        for command in commands.dropFirst() {
            let count = command.name.split(separator: " ").count
            text += "    \(quoted(command.name + " "))*)\n"
            text += "        words=(sysmon-agent ${words[\(count + 2),-1]}); (( CURRENT -= \(count) ))\n"
            text += "        \(zshArguments(command, rest: zshOperand(command)))\n        ;;\n"
        }
        for (first, _) in groups(commands) {
            text += "    \(quoted(first + " "))*) commands=(\n"
            for command in commands where command.name.hasPrefix(first + " ") {
                text += "        \(quoted("\(command.name.dropFirst(first.count + 1)):\(command.summary)"))\n"
            }
            text += "        ); _describe command commands ;;\n"
        }
        guard let first = commands.first else { return text }
        text += "    *)\n        if [[ $typed == ' ' && $PREFIX != -* ]]; then\n            commands=(\n"
        for command in commands where !command.name.contains(" ") {
            text += "                \(quoted("\(command.name):\(command.summary)"))\n"
        }
        for (word, seconds) in groups(commands) {
            text += "                \(quoted("\(word):\(seconds.joined(separator: ", "))"))\n"
        }
        return text + "            )\n            _describe command commands\n        fi\n"
            + "        \(zshArguments(first, rest: []))\n        ;;\nesac\n"
    }

    private static func zshArguments(_ command: CommandDescription, rest: [String]) -> String {
        let options = (command.options + CommandOption.common).map { option -> String in
            let summary = option.summary.replacing("[", with: "(").replacing("]", with: ")").replacing(":", with: "\\:")
            return switch option.value {
            case .flag: "--\(option.name)[\(summary)]"
            case .text(let placeholder): "*--\(option.name)=[\(summary)]:\(placeholder): "
            case .path: "*--\(option.name)=[\(summary)]:path:_files"
            case .choice(let words): "*--\(option.name)=[\(summary)]:word:(\(words.joined(separator: " ")))"
            }
        }
        return (["_arguments"] + (options + rest).map { "            " + quoted($0) }).joined(separator: " \\\n")
    }

    private static func zshOperand(_ command: CommandDescription) -> [String] {
        if takesFile(command) { return ["::file:_files"] }
        return choices(command).isEmpty ? [] : [":word:(\(choices(command).joined(separator: " ")))"]
    }
}
