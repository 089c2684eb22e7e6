import FoxgloveServer
import Glibc
import Networking
import SysmonAgent
import WebSocketProtocol

/// `sysmon-agent token new`: makes a token.
struct TokenNewCommand: Command {
    static let description = CommandDescription(
        "token new", "make a token: its line for the token file goes to stdout, the token to stderr",
        options: [
            CommandOption("role", .choice(["viewer", "operator"]), "what who has it may do"),
            CommandOption("name", .text("NAME"), "what the log calls who has it (default: the role)"),
        ],
        details: """
            (umask 077; sysmon-agent token new --role operator --name ann >> tokens)

            A viewer then connects to ws://HOST:PORT/?token=TOKEN.
            """)

    private let role: Role
    private let name: String

    private static let tokenByteCount = 32

    init(_ arguments: Arguments) throws(UsageError) {
        guard let role = arguments.value(of: "role").flatMap(Role.init) else {
            throw UsageError(text: "token new needs --role viewer or --role operator")
        }
        self.role = role
        name = arguments.value(of: "name") ?? role.rawValue
        guard TokenList.isName(name) else {
            let limit = TokenList.Limits().nameByteCount
            throw UsageError(text: "--name \(name): must be 1 to \(limit) letters, digits, or -_.@")
        }
    }

    /// The line for the token file goes to stdout, so that `>>` adds it there; the token to stderr, which is the only
    /// place where it ever stands.
    func run() throws(Failure) {
        let token = Base64URL.encode(randomBytes(Self.tokenByteCount))
        let digest = sha256(Array(token.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let line = Array("\(role.rawValue):\(name):\(digest)\n".utf8)
        guard unsafe write(STDOUT_FILENO, line, line.count) == line.count else {
            throw Failure(text: "cannot write the line: \(unsafe String(cString: strerror(errno)))")
        }
        let text = Array("The token, which is not shown again:\n\(token)\n".utf8)
        _ = unsafe write(STDERR_FILENO, text, text.count)
    }
}
