import SysmonAgent
import Testing

/// The command line, as GNU programs read it.
struct ArgumentsTests {
    private static let options = [
        CommandOption("port", .text("PORT"), ""), CommandOption("path.procfs", .path, ""),
        CommandOption("path.sysfs", .path, ""), CommandOption("time", .flag, ""),
    ]

    @Test(
        arguments: [
            ([], [], []),
            (["--port", "1", "--port=2"], ["port=1", "port=2"], []),
            (["--port", "--time"], ["port=--time"], []),
            (["--port=a=b"], ["port=a=b"], []),
            (["--port="], ["port="], []),
            (["one", "--time", "two", "-"], ["time="], ["one", "two", "-"]),
            (["--time", "--", "--port", "--"], ["time="], ["--port", "--"]),
            (["--po", "1", "--path.p=/x", "--t"], ["port=1", "path.procfs=/x", "time="], []),
        ] as [([String], [String], [String])])
    func optionsAndOperandsAreToldApart(arguments: [String], options: [String], operands: [String]) throws {
        let parsed = try Arguments(parsing: arguments, options: Self.options)
        #expect(parsed.options.map { "\($0.name)=\($0.value)" } == options)
        #expect(parsed.operands == operands)
    }

    @Test(
        arguments: [
            (["--nonsense"], "--nonsense is unknown; try --help"),
            (["-p"], "-p is unknown; try --help"),
            (["--port"], "--port needs a value; try --help"),
            (["--time=yes"], "--time takes no value; try --help"),
            (["--path", "/"], "--path may mean --path.procfs, --path.sysfs; write one of them"),
        ])
    func mistakesAreNamed(arguments: [String], text: String) {
        #expect(throws: UsageError(text: text)) { try Arguments(parsing: arguments, options: Self.options) }
    }

    @Test func theLastOfAnOptionCounts() throws {
        let parsed = try Arguments(parsing: ["--port=1", "--time", "--port=2"], options: Self.options)
        #expect(parsed.value(of: "port") == "2")
        #expect(parsed.value(of: "path.procfs") == nil)
        #expect(parsed.contains("time") && !parsed.contains("path.sysfs"))
    }
}
