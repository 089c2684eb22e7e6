/// Wrong usage, with a text that names the argument and the way out.
package struct UsageError: Error, Equatable, Sendable {
    package var text: String
    package init(text: String) { self.text = text }
}

/// The arguments of a command, by GNU conventions: `--name VALUE` or `--name=VALUE`, names as short as they are clear,
/// options and operands in any order, only operands after `--`.
///
/// Our own, because getopt_long knows only C strings and lives on global variables, and the options are made of tables.
package struct Arguments: Sendable {
    /// In the order given; the value of an option that takes none is empty.
    package private(set) var options: [(name: String, value: String)] = []
    package private(set) var operands: [String] = []

    /// `known` are all options that the command takes.
    package init(parsing arguments: some Sequence<String>, options known: [CommandOption]) throws(UsageError) {
        var rest = Array(arguments)[...]
        while let argument = rest.popFirst() {
            guard argument != "--" else {
                operands += rest
                break
            }
            guard argument.hasPrefix("-"), argument != "-" else {
                operands.append(argument)
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let option = try Self.option(parts[0], of: known)
            switch (option.value, parts.count > 1) {
            case (.flag, true): throw UsageError(text: "--\(option.name) takes no value; try --help")
            case (.flag, false): options.append((option.name, ""))
            case (_, true): options.append((option.name, parts[1]))
            case (_, false):
                guard let value = rest.popFirst() else {
                    throw UsageError(text: "--\(option.name) needs a value; try --help")
                }
                options.append((option.name, value))
            }
        }
    }

    /// Of an option that is given more than once, the last counts.
    package func value(of name: String) -> String? { options.last { $0.name == name }?.value }

    package func contains(_ name: String) -> Bool { options.contains { $0.name == name } }

    private static func option(_ text: String, of known: [CommandOption]) throws(UsageError) -> CommandOption {
        guard text.hasPrefix("--") else { throw UsageError(text: "\(text) is unknown; try --help") }
        let name = text.dropFirst(2)
        if let option = known.first(where: { $0.name == name }) { return option }
        let candidates = known.filter { $0.name.hasPrefix(name) }
        if candidates.count == 1 { return candidates[0] }
        guard candidates.isEmpty else {
            let names = candidates.map { "--\($0.name)" }.joined(separator: ", ")
            throw UsageError(text: "\(text) may mean \(names); write one of them")
        }
        throw UsageError(text: "\(text) is unknown; try --help")
    }
}
