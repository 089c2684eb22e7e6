import CLinux
import FoxgloveServer
import Glibc
import SysmonAgent

/// The command line, by GNU conventions.
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
    var logFormat = Log.Format.logfmt
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

    enum Request {
        case run(Options)
        case newToken(TokenCommand)
        case listChannels(ListCommand)
        case help, version
    }

    /// Wrong usage, with a text that names the option and the way out.
    struct Mistake: Error {
        var text: String
    }

    static let help = """
        Usage: sysmon-agent [OPTION]...
          or:  sysmon-agent list channels [OPTION]...
          or:  sysmon-agent token new --role viewer|operator [--name NAME]
        Sample this host and serve the samples to Foxglove and Lichtblick over WebSocket.

          --host HOST          address or name to listen on (default 127.0.0.1)
          --port PORT          port to listen on, 0 for any free one (default 8765)
          --name NAME          what viewers show for this source (default: the host's name)
          --session-id ID      what tells viewers that they are back at the same run (default: the start time)
          --time               let viewers follow this host's clock instead of their own
          --config PATH        what to begin with, as JSON: {"channels": {"/cpu": {"rate_hertz": 20}}}; read again on
                               SIGHUP
          --rate TOPIC=HZ      samples per second of a channel, 0.001 to 1000; repeatable
          --path.procfs PATH   where the host's /proc is (default /proc)
          --path.sysfs PATH    where the host's /sys is (default /sys)
          --path.rootfs PATH   where the host's / is (default /)
          --log-level LEVEL    error, warning, info or debug (default info)
          --log.format FORMAT  logfmt or json, one object per line (default logfmt)
          --token-file PATH    who may log in (default: nobody is asked to, for which --host must be loopback)
          --allow-origin ORIGIN
                               let web pages of this origin connect, such as https://example.com or
                               http://example.com:*; repeatable
          --server-name NAME   a name by which browsers reach this server; repeatable
          --read-only          let nobody change anything
          --insecure           listen beyond loopback although nobody is asked to log in
          --tls.cert PATH      speak TLS, with this certificate and its chain (PEM)
          --tls.key PATH       its key (PEM, mode 0600)
          --tls.client-ca PATH who may sign certificates of clients; what such a client may do stands in the token file
          --help               show this text
          --version            show the version

        The command list channels shows what each channel tells, its rate, its source, and whether this host has it. It
        heeds --config, --rate and --path.*.

        The command token new makes a token. It writes its line for the token file to stdout and the token to stderr:
          (umask 077; sysmon-agent token new --role operator --name ann >> tokens)
        A viewer then connects to ws://HOST:PORT/?token=TOKEN. The file must be closed to other users. It is read again
        when it has changed, and on SIGHUP; whoever is connected stays so. A line ROLE:NAME:san=SUBJECT admits a client
        certificate.

        Rates can be changed while it runs: publish {"channels": {"/cpu": {"rate_hertz": 20}}} on /config.
        """

    private enum Key: Int32, CaseIterable {
        case host = 256, port, name, sessionID, time, config, rate, procfs, sysfs, rootfs, logLevel, logFormat
        case tokenFile, allowOrigin, serverName, readOnly, insecure, tlsCert, tlsKey, tlsClientCA
        case help, version

        var name: StaticString {
            switch self {
            case .host: "host"
            case .port: "port"
            case .name: "name"
            case .sessionID: "session-id"
            case .time: "time"
            case .config: "config"
            case .rate: "rate"
            case .procfs: "path.procfs"
            case .sysfs: "path.sysfs"
            case .rootfs: "path.rootfs"
            case .logLevel: "log-level"
            case .logFormat: "log.format"
            case .tokenFile: "token-file"
            case .allowOrigin: "allow-origin"
            case .serverName: "server-name"
            case .readOnly: "read-only"
            case .insecure: "insecure"
            case .tlsCert: "tls.cert"
            case .tlsKey: "tls.key"
            case .tlsClientCA: "tls.client-ca"
            case .help: "help"
            case .version: "version"
            }
        }

        var takesValue: Bool { ![.time, .readOnly, .insecure, .help, .version].contains(self) }
    }

    static func parse() throws(Mistake) -> Request {
        if CommandLine.arguments.dropFirst().first == "token" {
            return .newToken(try TokenCommand(parsing: Array(CommandLine.arguments.dropFirst(2))))
        }
        var options = Options()
        var table = unsafe Key.allCases.map { key in
            unsafe option(
                name: UnsafeRawPointer(key.name.utf8Start).assumingMemoryBound(to: CChar.self),
                has_arg: key.takesValue ? required_argument : no_argument, flag: nil, val: key.rawValue)
        }
        unsafe table.append(option())
        while true {
            // The colon turns off getopt_long's own messages, which do not say what to do.
            let code = unsafe getopt_long(CommandLine.argc, CommandLine.unsafeArgv, ":", table, nil)
            if code == -1 { break }
            let value = unsafe getopt_argument().map { unsafe String(cString: $0) } ?? ""
            switch Key(rawValue: code) {
            case .help: return .help
            case .version: return .version
            case .host: options.host = value
            case .port:
                guard let port = UInt16(value) else { throw Mistake(text: "--port \(value): must be 0 to 65535") }
                options.port = port
            case .name: options.name = value
            case .sessionID:
                guard (1...128).contains(value.utf8.count) else {
                    throw Mistake(text: "--session-id: must have 1 to 128 bytes")
                }
                options.sessionID = value
            case .time: options.tellsTime = true
            case .config: options.configuration = value
            case .rate: options.rates.append(try parseRate(value))
            case .procfs: options.procfs = value
            case .sysfs: options.sysfs = value
            case .rootfs: options.rootfs = value
            case .logLevel:
                guard let level = Log.Level.allCases.first(where: { "\($0)" == value }) else {
                    throw Mistake(text: "--log-level \(value): must be error, warning, info or debug")
                }
                options.logLevel = level
            case .logFormat:
                guard let format = Log.Format(rawValue: value) else {
                    throw Mistake(text: "--log.format \(value): must be logfmt or json")
                }
                options.logFormat = format
            case .tokenFile: options.tokenFile = value
            case .allowOrigin: options.allowedOrigins.append(try parseOrigin(value))
            case .serverName:
                guard let name = AccessPolicy.name(value) else {
                    throw Mistake(text: "--server-name \(value): must be a name without scheme and port")
                }
                options.serverNames.append(name)
            case .readOnly: options.isReadOnly = true
            case .insecure: options.isInsecure = true
            case .tlsCert: options.certificate = value
            case .tlsKey: options.key = value
            case .tlsClientCA: options.clientAuthority = value
            case nil:
                // The index has not moved on inside a cluster of letters, of which none is an option.
                let letter = UInt8(truncatingIfNeeded: getopt_letter())
                let argument =
                    letter > 0x20 && letter < 0x7F
                    ? "-\(Character(Unicode.Scalar(letter)))" : CommandLine.arguments[Int(getopt_index()) - 1]
                let fault = code == Int32(UInt8(ascii: ":")) ? "needs a value" : "is unknown or takes no value"
                throw Mistake(text: "\(argument) \(fault); try --help")
            }
        }
        guard (options.certificate == nil) == (options.key == nil) else {
            throw Mistake(text: "--tls.cert and --tls.key belong together; give both")
        }
        guard options.clientAuthority == nil || options.certificate != nil else {
            throw Mistake(text: "--tls.client-ca needs --tls.cert and --tls.key")
        }
        guard options.clientAuthority == nil || options.tokenFile != nil else {
            throw Mistake(text: "--tls.client-ca needs --token-file, which says what a certificate may do")
        }
        // Not CommandLine.arguments, which has them in their old order.
        let words = (getopt_index()..<CommandLine.argc).map { index in
            unsafe CommandLine.unsafeArgv[Int(index)].map { unsafe String(cString: $0) } ?? ""
        }
        guard let word = words.first else { return .run(options) }
        guard word == "list" else { throw Mistake(text: "\(word) is unexpected; try --help") }
        guard words == ["list", "channels"] else { throw Mistake(text: "write \(ListCommand.usage)") }
        return .listChannels(ListCommand(options: options))
    }

    private static func parseOrigin(_ text: String) throws(Mistake) -> OriginPattern {
        if let pattern = OriginPattern(text) { return pattern }
        throw Mistake(
            text: "--allow-origin \(text): must be SCHEME://HOST, SCHEME://HOST:PORT or SCHEME://HOST:*, without path")
    }

    private static func parseRate(_ text: String) throws(Mistake) -> (topic: String, hertz: Double) {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let hertz = Double(parts[1]) else {
            throw Mistake(text: "--rate \(text): must be TOPIC=HZ, such as /cpu=20")
        }
        return (String(parts[0]), hertz)
    }
}
