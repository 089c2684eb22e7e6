internal import FoxgloveProtocol

/// The manual: sysmon-agent(8) and sysmon-agent.config(5).
package enum Manual {
    package static let sections = ["8", "5"]

    /// Nil: there is no such section.
    package static func page(_ section: String, _ commands: [CommandDescription]) -> String? {
        switch section {
        case "8": program(commands)
        case "5": configuration()
        default: nil
        }
    }

    private static func program(_ commands: [CommandDescription]) -> String {
        var page = ManualPage(
            "sysmon-agent", section: 8, title: "System Manager's Manual",
            summary: "live telemetry of a Linux host for Foxglove and Lichtblick")
        page.section("SYNOPSIS")
        for command in commands {
            page.paragraph(HelpText.usage(of: command, isFirst: command.name == commands.first?.name))
        }
        page.section("DESCRIPTION")
        page.paragraph(
            """
            sysmon-agent reads /proc, /sys and other sources of the kernel at rates of your choice, and serves what it
            finds over WebSocket on ws://127.0.0.1:8765 to viewers such as Foxglove and Lichtblick. It samples only
            what somebody looks at. Rates are changed while it runs, by its settings, by parameters or by messages on
            /config; nobody is disconnected.
            """)
        page.section("COMMANDS")
        for command in commands {
            page.subsection(command.name)
            page.paragraph(sentence(command.summary))
            // Those that several commands have are told once.
            let isFirst = command.name == commands.first?.name
            let known = isFirst ? [] : Set(commands.first?.options.map(\.name) ?? [])
            let own = command.options.filter { !known.contains($0.name) }
            for option in own { page.entry(option.form, sentence(option.summary)) }
            if own.count < command.options.count { page.paragraph("It takes the options of run, too.") }
            if !command.details.isEmpty { page.example(command.details) }
        }
        page.section("OPTIONS")
        page.paragraph("Every command takes these. Names of options may be shortened as long as they are clear.")
        for option in CommandOption.common { page.entry(option.form, sentence(option.summary)) }
        page.section("SIGNALS")
        page.entry(
            "SIGHUP",
            """
            Reads the configuration, the tokens and the certificate again. Connections stay. What has a mistake in it
            changes nothing, and the log says so.
            """)
        page.entry("SIGTERM, SIGINT", "Says goodbye to the viewers and exits.")
        page.section("ENVIRONMENT")
        page.entry("SYSMON_SECTION_KEY", "A setting, such as SYSMON_SERVER_PORT. See sysmon-agent.config(5).")
        page.entry(
            "STATE_DIRECTORY",
            "Where changes are kept that clients ask to keep. systemd sets it with StateDirectory=.")
        page.section("FILES")
        page.entry("/etc/sysmon-agent/config.json5", "The configuration. See sysmon-agent.config(5).")
        page.entry("/etc/sysmon-agent/conf.d/*.json5", "Further ones, in the order of their names.")
        page.entry("$STATE_DIRECTORY/config.json", "Changes that clients asked to keep.")
        page.section("EXIT STATUS")
        page.entry("0", "It did what it should.")
        page.entry("1", "It could not; one line on standard error says why.")
        page.entry("2", "It was called wrongly.")
        page.section("EXAMPLES")
        page.paragraph("To sample the CPUs 20 times a second, and to see which channels this host has:")
        page.example("sysmon-agent --set /cpu.rate_hertz=20\nsysmon-agent list channels")
        page.paragraph("To serve other machines, which need a token:")
        page.example(
            """
            (umask 077; sysmon-agent token new --role viewer --name kiosk >> tokens)
            sysmon-agent --host 0.0.0.0 --token-file tokens
            """)
        page.section("SEE ALSO")
        page.paragraph("sysmon-agent.config(5), proc(5), systemd.exec(5)")
        return page.text
    }

    private static func configuration() -> String {
        var page = ManualPage(
            "sysmon-agent.config", section: 5, title: "File Formats Manual", summary: "settings of sysmon-agent")
        page.section("DESCRIPTION")
        page.paragraph(
            """
            Settings come from these places, of which a later one wins: the defaults;
            /etc/sysmon-agent/config.json5, or the file of --config instead of it; the files conf.d/*.json5 beside it,
            in the order of their names; changes that clients asked to keep, in $STATE_DIRECTORY/config.json; variables
            of the environment; options, in the order given.
            """)
        page.paragraph(
            """
            A file is an object of sections in JSON5: JSON with comments, trailing commas, single quotes, names without
            quotes and hexadecimal numbers. What it does not name stays as it is; null unsets what may be absent.
            """)
        page.example(
            """
            {
                // Ten a second would be the default.
                channels: {"/cpu": {rate_hertz: 20}, "/net": {include: "eth.*"}},
                server: {host: "0.0.0.0", token_file: "/etc/sysmon-agent/tokens"},
            }
            """)
        page.paragraph(
            """
            The same setting is called /cpu.rate_hertz or server.host in --set KEY=VALUE and in parameters, and
            SYSMON_SERVER_HOST in the environment, where only the settings of sections have a name. Lists are separated
            by commas there. sysmon-agent config default prints a file with all settings, sysmon-agent check-config
            tells every mistake of a file.
            """)
        page.paragraph(
            """
            SIGHUP has the files read again. A mistake in any of them leaves everything as it was. What takes effect
            only at a start is marked below.
            """)
        for section in Setting.sections {
            page.section("SECTION \(section)")
            for setting in Setting.all where setting.section == section {
                let option = setting.option.map { "Option --\($0). " } ?? ""
                page.entry(
                    setting.key,
                    "\(setting.note)\(defaultSentence(setting)) \(option)Variable \(setting.variable)."
                        + (setting.needsRestart ? " Takes effect at a start." : ""))
            }
        }
        page.section("CHANNELS")
        page.paragraph(
            """
            The object channels has the topics as names, and an object of these settings for each. Which channel has
            which is shown by sysmon-agent config default. A pattern is an extended regular expression (regex(7)) that
            must match the whole id; include and exclude do not go together.
            """)
        for setting in ChannelSetting.all { page.entry(setting.name, setting.note) }
        page.section("SEE ALSO")
        page.paragraph("sysmon-agent(8), regex(7)")
        return page.text
    }

    private static func defaultSentence(_ setting: Setting) -> String {
        setting.defaultValue == .null ? "" : " Default: \(setting.defaultValue.text)."
    }
}
