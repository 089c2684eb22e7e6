import FoxgloveServer
import Glibc
import Networking
import WebSocketProtocol

/// `sysmon-agent token new`: makes a token.
struct TokenCommand {
    var role: Role
    var name: String

    private static let usage = "sysmon-agent token new --role viewer|operator [--name NAME]"
    private static let tokenByteCount = 32

    /// `arguments` are those after the word `token`.
    init(parsing arguments: [String]) throws(Options.Mistake) {
        guard arguments.first == "new" else { throw Options.Mistake(text: "write \(Self.usage)") }
        var values: [String: String] = [:]
        var rest = arguments.dropFirst()
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard ["--role", "--name"].contains(parts[0]) else {
                throw Options.Mistake(text: "\(parts[0]) is unknown; write \(Self.usage)")
            }
            guard let value = parts.count > 1 ? parts[1] : rest.popFirst() else {
                throw Options.Mistake(text: "\(argument) needs a value; write \(Self.usage)")
            }
            values[parts[0]] = value
        }
        guard let role = values["--role"].flatMap(Role.init) else {
            throw Options.Mistake(text: "--role must be viewer or operator; write \(Self.usage)")
        }
        self.role = role
        name = values["--name"] ?? role.rawValue
        guard TokenList.isName(name) else {
            let limit = TokenList.Limits().nameByteCount
            throw Options.Mistake(text: "--name \(name): must be 1 to \(limit) letters, digits, or -_.@")
        }
    }

    /// The line for the token file goes to stdout, so that `>>` adds it there; the token to stderr, which is the only
    /// place where it ever stands.
    func run() throws(Service.Failure) {
        let token = Base64URL.encode(randomBytes(Self.tokenByteCount))
        let digest = sha256(Array(token.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let line = Array("\(role.rawValue):\(name):\(digest)\n".utf8)
        guard unsafe write(STDOUT_FILENO, line, line.count) == line.count else {
            throw Service.Failure(text: "cannot write the line: \(unsafe String(cString: strerror(errno)))")
        }
        let text = Array("The token, which is not shown again:\n\(token)\n".utf8)
        _ = unsafe write(STDERR_FILENO, text, text.count)
    }
}
