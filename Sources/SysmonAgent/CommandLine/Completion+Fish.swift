extension Completion {
    static func fish(_ commands: [CommandDescription]) -> String {
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
        let typed = condition.replacing("$", with: "\\$")
        return "complete -c sysmon-agent -n \(fishQuoted("__sysmon_agent_typed \"\(typed)\"")) \(rest)\n"
    }

    private static func fishQuoted(_ text: String) -> String {
        "'\(text.replacing(#"\"#, with: #"\\"#).replacing("'", with: #"\'"#))'"
    }
}
