import FoundationEssentials
import Glibc
import HostMetrics
import SysmonAgent

/// Where the configuration comes from: files, the environment, the command line. Each reading is of what is there now.
struct ConfigurationSources {
    static let defaultPath = "/etc/sysmon-agent/config.json5"
    /// Of `conf.d`.
    static let fileCountMax = 256

    /// Of commands that look at the host as the agent does.
    static let options =
        [
            CommandOption(
                "config", .path, "the file of settings, as JSON5 (default \(defaultPath), if it exists)"),
            CommandOption("set", .text("KEY=VALUE"), "a setting by its key, such as /cpu.rate_hertz=20; repeatable"),
            CommandOption("rate", .text("TOPIC=HZ"), "samples per second of a channel; repeatable"),
        ] + Setting.all.compactMap(CommandOption.init)

    /// A file's text is there, or nothing.
    private typealias Text = (path: String, bytes: [UInt8])

    private let arguments: Arguments
    let changes: ChangesFile?

    init(_ arguments: Arguments) {
        self.arguments = arguments
        changes = ChangesFile(environment: ProcessInfo.processInfo.environment)
    }

    /// `warn` is told what of the kept changes cannot be used.
    func read(_ defaults: Configuration, warn: (String) -> Void) throws(Failure) -> Configuration {
        var loader = ConfigurationLoader(defaults)
        let path = arguments.value(of: "config")
        for text in try Self.texts(path: path ?? Self.defaultPath, mayBeAbsent: path == nil) {
            loader.read(file: text.path, text.bytes)
        }
        do throws(Failure) {
            if let changes, let bytes = try changes.read() {
                for mistake in loader.readChanges(file: changes.path, bytes) {
                    warn("\(mistake.line); it was left out")
                }
            }
        } catch { warn(error.text) }
        loader.read(environment: ProcessInfo.processInfo.environment)
        for (name, value) in arguments.options { loader.read(option: name, value: value) }
        do throws(ConfigurationLoader.Mistakes) { return try loader.finish() } catch {
            throw Failure(
                text: error.all.map(\.line).joined(separator: "\n"), status: error.all.allSatisfy(\.isUsage) ? 2 : 1)
        }
    }

    /// For commands that look at the host themselves: the configuration, and the host that it names.
    func readForHost() throws(Failure) -> (configuration: Configuration, host: Host) {
        let configuration = try read(Agent.defaultConfiguration(allCollectors), warn: writeError)
        try configuration.host.checkPaths()
        let host = configuration.host.makeHost()
        host.entrySettings = configuration.entrySettings
        return (configuration, host)
    }

    /// The file, and those of `conf.d` beside it in the order of their names.
    static func texts(path: String, mayBeAbsent: Bool) throws(Failure) -> [(path: String, bytes: [UInt8])] {
        var texts: [Text] = []
        let isThere = unsafe access(path, F_OK) == 0
        if isThere || !mayBeAbsent { texts.append((path, try bytes(of: path))) }
        let folder = (path.contains("/") ? path[...(path.lastIndex(of: "/") ?? path.startIndex)] : "") + "conf.d"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: String(folder))) ?? []
        let chosen = names.filter { $0.hasSuffix(".json5") && !$0.hasPrefix(".") }.sorted()
        guard chosen.count <= fileCountMax else {
            throw Failure(text: "\(folder): more than \(fileCountMax) files; put settings together in fewer")
        }
        for name in chosen { texts.append(("\(folder)/\(name)", try bytes(of: "\(folder)/\(name)"))) }
        return texts
    }

    static func bytes(of path: String) throws(Failure) -> [UInt8] {
        do throws(SmallFile.Fault) { return try SmallFile(path: path, byteLimit: JSON5Reader.byteLimit).bytes } catch {
            throw Failure(text: error.text)
        }
    }
}
