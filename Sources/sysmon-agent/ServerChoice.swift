import FoxgloveClient
import Networking

/// The server that a command is to look at: `--url`, and `--ca` for one that speaks TLS.
struct ServerChoice {
    let url: ServerURL
    private let authorities: String?

    static let options = ["--url", "--ca"]
    static let defaultURL = "ws://127.0.0.1:8765"

    init(_ arguments: CommandArguments) throws(Options.Mistake) {
        let text = arguments["--url"] ?? Self.defaultURL
        do throws(ServerURL.Fault) { url = try ServerURL(parsing: text) } catch {
            throw Options.Mistake(text: "--url \(text): \(error.text)")
        }
        authorities = arguments["--ca"]
        guard authorities == nil || url.isSecure else {
            throw Options.Mistake(text: "--ca is for addresses that begin with wss://")
        }
    }

    /// Begins to connect.
    func connect() throws(Service.Failure) -> ServerLink {
        guard url.isSecure else { return try ServerLink(to: url, tls: nil) }
        let tls: TLSClientContext
        do throws(TLSError) { tls = try TLSClientContext(authorities: authorities) } catch {
            throw Service.Failure(text: "--ca: \(error.reason)")
        }
        return try ServerLink(to: url, tls: tls)
    }
}
