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

    // MARK: bash

    private static func bash(_ commands: [CommandDescription]) -> String {
        var text = """
            # Completion of sysmon-agent for bash: source this file, or put it into
            # /usr/share/bash-completion/completions/ as sysmon-agent.
            _sysmon_agent() {
                local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
                local typed="${COMP_WORDS[*]:1:COMP_CWORD - 1} " words=
                # bash takes the sign between an option and its value for a word.
                if [[ $word == = ]]; then word=; elif [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD - 2]}; fi
                COMPREPLY=()
                case $before in

            """
        let options = Dictionary(commands.flatMap(\.options).map { ($0.name, $0.value) }) { first, _ in first }
        for (name, value) in options.sorted(by: { $0.key < $1.key }) {
            switch value {
            case .flag: break
            case .text: text += "        --\(name)) return ;;\n"
            case .path:
                text += "        --\(name)) compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
            case .choice(let words):
                text +=
                    "        --\(name)) COMPREPLY=($(compgen -W '\(words.joined(separator: " "))' -- \"$word\")); return ;;\n"
            }
        }
        text += "    esac\n    case $typed in\n"
        for command in commands.dropFirst() {
            text += "        \(quoted(command.name + " "))*)\n"
            text += "            words=\(quoted((optionNames(command) + choices(command)).joined(separator: " ")))\n"
            if takesFile(command) { text += "            COMPREPLY=($(compgen -f -- \"$word\"))\n" }
            text += "            ;;\n"
        }
        for (first, seconds) in groups(commands) {
            text += "        \(quoted(first + " "))*) words=\(quoted(seconds.joined(separator: " "))) ;;\n"
        }
        if let first = commands.first {
            text +=
                "        ' ') words=\(quoted((firstWords(commands) + optionNames(first)).joined(separator: " "))) ;;\n"
            text += "        *) words=\(quoted(optionNames(first).joined(separator: " "))) ;;\n"
        }
        return text + """
                esac
                COMPREPLY+=($(compgen -W "$words" -- "$word"))
            }
            complete -F _sysmon_agent sysmon-agent

            """
    }

    // MARK: zsh

    private static func zsh(_ commands: [CommandDescription]) -> String {
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

    // MARK: fish

    private static func fish(_ commands: [CommandDescription]) -> String {
        var text = """
            # Completion of sysmon-agent for fish: put this file into
            # /usr/share/fish/vendor_completions.d/ as sysmon-agent.fish.
            function __sysmon_agent_typed
                set -l typed (commandline -opc)[2..]
                string match -qr -- $argv[1] "$typed "
            end
            complete -c sysmon-agent -f

            """
        for command in commands where !command.name.contains(" ") {
            text += fishLine("^ $", "-a \(fishQuoted(command.name)) -d \(fishQuoted(command.summary))")
        }
        for (first, seconds) in groups(commands) {
            text += fishLine("^ $", "-a \(fishQuoted(first)) -d \(fishQuoted(seconds.joined(separator: ", ")))")
            for command in commands where command.name.hasPrefix(first + " ") {
                let second = String(command.name.dropFirst(first.count + 1))
                text += fishLine("^\(first) $", "-a \(fishQuoted(second)) -d \(fishQuoted(command.summary))")
            }
        }
        for command in commands {
            let isFirst = command.name == commands.first?.name
            let condition = isFirst ? "^( $|run |-)" : "^\(command.name) "
            for option in command.options + CommandOption.common {
                let value =
                    switch option.value {
                    case .flag: ""
                    case .text: " -x"
                    case .path: " -r -F"
                    case .choice(let words): " -x -a \(fishQuoted(words.joined(separator: " ")))"
                    }
                text += fishLine(condition, "-l \(option.name)\(value) -d \(fishQuoted(option.summary))")
            }
            if takesFile(command) { text += fishLine(condition, "-F") }
            for word in choices(command) { text += fishLine(condition, "-a \(fishQuoted(word))") }
        }
        return text
    }

    private static func fishLine(_ condition: String, _ rest: String) -> String {
        "complete -c sysmon-agent -n \(fishQuoted("__sysmon_agent_typed \"\(condition.replacing("$", with: "\\$"))\"")) \(rest)\n"
    }

    // MARK: What they share

    private static func optionNames(_ command: CommandDescription) -> [String] {
        (command.options + CommandOption.common).map { "--\($0.name)" }
    }

    /// First words of several, each with the second ones.
    private static func groups(_ commands: [CommandDescription]) -> [(first: String, seconds: [String])] {
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

    private static func firstWords(_ commands: [CommandDescription]) -> [String] {
        commands.map(\.name).filter { !$0.contains(" ") } + groups(commands).map(\.first)
    }

    /// The operand is one of these words: `bash|zsh|fish`.
    private static func choices(_ command: CommandDescription) -> [String] {
        command.operands.contains("|") ? command.operands.split(separator: "|").map(String.init) : []
    }

    private static func takesFile(_ command: CommandDescription) -> Bool {
        command.operands.contains("FILE") || command.operands.contains("PATH")
    }

    private static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: #"'\''"#))'" }

    private static func fishQuoted(_ text: String) -> String {
        "'\(text.replacing(#"\"#, with: #"\\"#).replacing("'", with: #"\'"#))'"
    }
}
