import SysmonAgent

/// `sysmon-agent manual`: the pages of the manual.
struct ManualCommand: Command {
    static let description = CommandDescription(
        "manual", operands: Manual.sections.joined(separator: "|"),
        "print the manual of the program (8) or of its configuration (5) for man",
        details: "sysmon-agent manual 8 | man -l -")

    private let section: String

    init(_ arguments: Arguments) throws(UsageError) {
        guard arguments.operands.count == 1, Manual.sections.contains(arguments.operands[0]) else {
            throw UsageError(text: "manual needs a section, \(Manual.sections.joined(separator: " or "))")
        }
        section = arguments.operands[0]
    }

    func run() throws(Failure) {
        print(Manual.page(section, commands.map { $0.description }) ?? "", terminator: "")
    }
}
