import FoxgloveServer
import SysmonAgent

/// What the options of `run` and of the commands that look at the same host say.
struct Options {
    var host = "127.0.0.1"
    var port: UInt16 = 8_765
    var name: String?
    var sessionID: String?
    var tellsTime = false
    /// In the order given.
    var rates: [(topic: String, hertz: Double)] = []
    var procfs = "/proc"
    var sysfs = "/sys"
    var rootfs = "/"
    var logLevel: Log.Level?
    var configuration: String?
    var tokenFile: String?
    /// Besides the default ones.
    var allowedOrigins: [OriginPattern] = []
    /// In lower case.
    var serverNames: [String] = []
    var isReadOnly = false
    var isInsecure = false
    /// Both or none.
    var certificate: String?
    var key: String?
    var clientAuthority: String?

    static let all = [
        CommandOption("host", .text("HOST"), "address or name to listen on (default 127.0.0.1)"),
        CommandOption("port", .text("PORT"), "port to listen on, 0 for any free one (default 8765)"),
        CommandOption("name", .text("NAME"), "what viewers show for this source (default: the host's name)"),
        CommandOption(
            "session-id", .text("ID"), "tells viewers that they are back at the same run (default: the start time)"),
        CommandOption("time", .flag, "let viewers follow this host's clock instead of their own"),
        CommandOption("config", .path, "what to begin with, as JSON like a patch; read again on SIGHUP"),
        CommandOption("rate", .text("TOPIC=HZ"), "samples per second of a channel, 0.001 to 1000; repeatable"),
        CommandOption("path.procfs", .path, "where the host's /proc is (default /proc)"),
        CommandOption("path.sysfs", .path, "where the host's /sys is (default /sys)"),
        CommandOption("path.rootfs", .path, "where the host's / is (default /)"),
        CommandOption("log-level", .choice(Configuration.logLevels), "what is written to the log (default info)"),
        CommandOption("token-file", .path, "who may log in (default: nobody is asked to)"),
        CommandOption("allow-origin", .text("ORIGIN"), "let web pages of this origin connect; repeatable"),
        CommandOption("server-name", .text("NAME"), "a name by which browsers reach this server; repeatable"),
        CommandOption("read-only", .flag, "let nobody change anything"),
        CommandOption("insecure", .flag, "listen beyond loopback although nobody is asked to log in"),
        CommandOption("tls.cert", .path, "speak TLS, with this certificate and its chain (PEM)"),
        CommandOption("tls.key", .path, "its key (PEM, mode 0600)"),
        CommandOption("tls.client-ca", .path, "who may sign certificates of clients"),
    ]

    init(_ arguments: Arguments) throws(UsageError) {
        for (name, value) in arguments.options { try set(name, to: value) }
        try checkPairs()
    }

    private mutating func set(_ name: String, to value: String) throws(UsageError) {
        switch name {
        case "host": host = value
        case "port":
            guard let port = UInt16(value) else { throw UsageError(text: "--port \(value): must be 0 to 65535") }
            self.port = port
        case "name": self.name = value
        case "session-id":
            guard (1...128).contains(value.utf8.count) else {
                throw UsageError(text: "--session-id: must have 1 to 128 bytes")
            }
            sessionID = value
        case "time": tellsTime = true
        case "config": configuration = value
        case "rate": rates.append(try Self.parseRate(value))
        case "path.procfs": procfs = value
        case "path.sysfs": sysfs = value
        case "path.rootfs": rootfs = value
        case "log-level":
            guard let level = Log.Level.allCases.first(where: { "\($0)" == value }) else {
                throw UsageError(text: "--log-level \(value): must be error, warning, info or debug")
            }
            logLevel = level
        case "token-file": tokenFile = value
        case "allow-origin": allowedOrigins.append(try Self.parseOrigin(value))
        case "server-name":
            guard let name = AccessPolicy.name(value) else {
                throw UsageError(text: "--server-name \(value): must be a name without scheme and port")
            }
            serverNames.append(name)
        case "read-only": isReadOnly = true
        case "insecure": isInsecure = true
        case "tls.cert": certificate = value
        case "tls.key": key = value
        case "tls.client-ca": clientAuthority = value
        default: break
        }
    }

    private func checkPairs() throws(UsageError) {
        guard (certificate == nil) == (key == nil) else {
            throw UsageError(text: "--tls.cert and --tls.key belong together; give both")
        }
        guard clientAuthority == nil || certificate != nil else {
            throw UsageError(text: "--tls.client-ca needs --tls.cert and --tls.key")
        }
        guard clientAuthority == nil || tokenFile != nil else {
            throw UsageError(text: "--tls.client-ca needs --token-file, which says what a certificate may do")
        }
    }

    private static func parseOrigin(_ text: String) throws(UsageError) -> OriginPattern {
        if let pattern = OriginPattern(text) { return pattern }
        throw UsageError(
            text: "--allow-origin \(text): must be SCHEME://HOST, SCHEME://HOST:PORT or SCHEME://HOST:*, without path")
    }

    private static func parseRate(_ text: String) throws(UsageError) -> (topic: String, hertz: Double) {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let hertz = Double(parts[1]) else {
            throw UsageError(text: "--rate \(text): must be TOPIC=HZ, such as /cpu=20")
        }
        return (String(parts[0]), hertz)
    }
}
