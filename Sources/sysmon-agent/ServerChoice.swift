import FoxgloveClient
import Networking
import SysmonAgent

/// The server that a command is to look at: `--url`, and `--ca` for one that speaks TLS.
struct ServerChoice {
    let url: ServerURL
    private let authorities: String?

    static let defaultURL = "ws://127.0.0.1:8765"
    static let options = [
        CommandOption("url", .text("URL"), "address of the agent (default \(defaultURL))"),
        CommandOption("ca", .path, "who signed the certificate of a wss:// address (PEM; default: the system's)"),
    ]

    init(_ arguments: Arguments) throws(UsageError) {
        let text = arguments.value(of: "url") ?? Self.defaultURL
        do throws(ServerURL.Fault) { url = try ServerURL(parsing: text) } catch {
            throw UsageError(text: "--url \(text): \(error.text)")
        }
        authorities = arguments.value(of: "ca")
        guard authorities == nil || url.isSecure else {
            throw UsageError(text: "--ca is for addresses that begin with wss://")
        }
    }

    /// Begins to connect.
    func connect() throws(Failure) -> ServerLink {
        guard url.isSecure else { return try ServerLink(to: url, tls: nil) }
        let tls: TLSClientContext
        do throws(TLSError) { tls = try TLSClientContext(authorities: authorities) } catch {
            throw Failure(text: "--ca: \(error.reason)")
        }
        return try ServerLink(to: url, tls: tls)
    }
}
