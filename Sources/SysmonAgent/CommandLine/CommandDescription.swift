/// What a command is called, takes and does: help, completion and the manual are made of this.
package struct CommandDescription: Sendable {
    /// The words that choose it, such as `list channels`.
    package var name: String
    /// What follows the options in its usage line, such as `[FILE]`; empty: nothing may.
    package var operands: String
    /// One line, beginning with a verb.
    package var summary: String
    package var options: [CommandOption]
    /// What else its help says, in lines of at most 80 columns.
    package var details: String

    package init(
        _ name: String, operands: String = "", _ summary: String, options: [CommandOption] = [], details: String = ""
    ) {
        self.name = name
        self.operands = operands
        self.summary = summary
        self.options = options
        self.details = details
    }
}

/// A long option.
package struct CommandOption: Sendable {
    package enum Value: Equatable, Sendable {
        /// It takes none.
        case flag
        /// As help shows it, such as `HOST`.
        case text(String)
        /// A path of a file or folder.
        case path
        case choice([String])

        package var placeholder: String? {
            switch self {
            case .flag: nil
            case .text(let placeholder): placeholder
            case .path: "PATH"
            case .choice(let words): words.joined(separator: "|")
            }
        }
    }

    /// Without the dashes.
    package var name: String
    package var value: Value
    /// One line.
    package var summary: String

    package init(_ name: String, _ value: Value, _ summary: String) {
        self.name = name
        self.value = value
        self.summary = summary
    }

    /// What every command takes.
    package static let common = [
        CommandOption("help", .flag, "print this text and exit"),
        CommandOption("version", .flag, "print the version and exit"),
    ]
}
