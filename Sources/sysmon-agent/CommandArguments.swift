/// Words and options of a command, by GNU conventions: options stand anywhere, as `--name VALUE` or `--name=VALUE`, and
/// `--` ends them.
struct CommandArguments {
    private(set) var words: [String] = []
    private var values: [String: [String]] = [:]

    /// `names` are those of the options, which all take a value; `usage` is what to write instead.
    init(parsing arguments: [String], options names: [String], usage: String) throws(Options.Mistake) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                words += rest
                return
            }
            guard argument.hasPrefix("-"), argument != "-" else {
                words.append(argument)
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard names.contains(parts[0]) else {
                throw Options.Mistake(text: "\(parts[0]) is unknown; write \(usage)")
            }
            guard let value = parts.count > 1 ? parts[1] : rest.popFirst() else {
                throw Options.Mistake(text: "\(argument) needs a value; write \(usage)")
            }
            values[parts[0], default: []].append(value)
        }
    }

    /// The last one given counts.
    subscript(name: String) -> String? { values[name]?.last }
}

extension Options {
    /// What says where a host is.
    static let pathOptions = ["--path.procfs", "--path.sysfs", "--path.rootfs"]

    init(paths arguments: CommandArguments) {
        self.init()
        procfs = arguments["--path.procfs"] ?? procfs
        sysfs = arguments["--path.sysfs"] ?? sysfs
        rootfs = arguments["--path.rootfs"] ?? rootfs
    }
}

/// Of what there is, the name nearest to one that there is not.
func suggestion(for name: String, among names: [String]) -> String? {
    let nearest = names.map { ($0, distance(Array(name.utf8), Array($0.utf8))) }.min { $0.1 < $1.1 }
    guard let (candidate, count) = nearest, count * 3 <= name.utf8.count else { return nil }
    return candidate
}

/// Letters to put in, to leave out or to replace (Levenshtein).
private func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (place, byte) in left.enumerated() {
        var corner = row[0]
        row[0] = place + 1
        for index in right.indices {
            let replaced = corner + (byte == right[index] ? 0 : 1)
            corner = row[index + 1]
            row[index + 1] = min(replaced, row[index] + 1, row[index + 1] + 1)
        }
    }
    return row[right.count]
}
