extension Completion {
    static func bash(_ commands: [CommandDescription]) -> String {
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
            let action: String
            switch value {
            case .flag: continue
            case .text: action = ""
            case .path: action = "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\")); "
            case .choice(let words):
                action = "COMPREPLY=($(compgen -W \(quoted(words.joined(separator: " "))) -- \"$word\")); "
            }
            text += "        --\(name)) \(action)return ;;\n"
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
}
