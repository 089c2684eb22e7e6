import FoxgloveServer
import Glibc
import Networking
import SysmonAgent
import Telemetry

/// Who is let in: from the settings to the policy of the server, and its renewal while the server runs.
final class Admission {
    private(set) var policy = AccessPolicy()
    private let file: TokenFile?
    private let log: Log
    /// A name of the server too, beyond loopback.
    private var hostname: String?

    /// `hosts` are the addresses or names that the server listens on.
    init(
        _ settings: HostSettings, listeningOn hosts: [String], hostname: String, log: Log
    ) throws(Failure) {
        self.log = log
        file = settings.tokenFile.map(TokenFile.init)
        policy.digest = sha256
        policy.isReadOnly = settings.isReadOnly
        adopt(settings)
        let openHost = hosts.first { !Self.isLoopback($0) }
        policy.isBoundToLoopback = openHost == nil
        if let file {
            do { policy.tokens = try file.read() } catch { throw Failure(text: "server.token_file: \(error.text)") }
            guard !policy.tokens.isEmpty || settings.clientAuthority == nil else {
                throw Failure(
                    text:
                        "server.token_file: \(file.path) has no entries; add role:name:san=SUBJECT for the "
                        + "certificates of tls.client_ca")
            }
            if policy.tokens.isEmpty { log(.info, "\(file.path) has no entries: nobody is asked to log in") }
        }
        guard let openHost else { return }
        self.hostname = hostname.lowercased()
        adopt(settings)
        if !policy.tokens.isEmpty {
            guard settings.certificate == nil else { return }
            log(
                .warning,
                "tokens travel in clear text to \(openHost): give --tls.cert and --tls.key, or keep it to a "
                    + "network that you trust")
        } else if settings.isInsecure {
            policy.greetingWarning =
                "Everybody who reaches this server may read everything"
                + (policy.isReadOnly ? "" : " and change its configuration") + ": it was started with --insecure"
            log(.warning, "everybody who reaches \(openHost) is let in (--insecure)")
        } else {
            throw Failure(
                text: "\(openHost) is open to other machines, and nobody would have to log in: give a "
                    + "--token-file (`sysmon-agent token new` makes tokens), or --insecure if that is meant",
                status: 2)
        }
    }

    /// Takes what may change while the server runs.
    func adopt(_ settings: HostSettings) {
        policy.allowedOrigins = OriginPattern.defaults + settings.allowedOrigins.compactMap { OriginPattern($0) }
        policy.names = Set((settings.serverNames + [hostname].compactMap(\.self)).compactMap(AccessPolicy.name))
    }

    /// Has `server` use the policy, and look at the token file at a handshake, at most once a second.
    func govern(_ server: Server) {
        server.access = policy
        guard let file else { return }
        server.willDecide = { [unowned self, unowned server] now in
            renew(server) { () throws(TokenFile.Fault) in try file.readIfChanged(now: now) }
        }
    }

    /// Reads the token file again, changed or not.
    func reload(_ server: Server) {
        server.access = policy
        guard let file else { return log(.info, "there is no token file to read again") }
        renew(server) { () throws(TokenFile.Fault) in try file.read() }
    }

    /// What cannot be used leaves the old list in effect. So does an empty file: it is more likely one that is being
    /// written than one that lets everybody in.
    private func renew(_ server: Server, read: () throws(TokenFile.Fault) -> TokenList?) {
        do throws(TokenFile.Fault) {
            guard let tokens = try read(), let file else { return }
            guard !tokens.isEmpty || policy.tokens.isEmpty else {
                throw TokenFile.Fault(text: "\(file.path) has no entries; restart the agent to ask nobody to log in")
            }
            policy.tokens = tokens
            if !tokens.isEmpty { policy.greetingWarning = nil }
            server.access = policy
            log(.info, "\(file.path) was read again: \(tokens.count) entries")
        } catch {
            log(.error, "\(error.text); the entries read before stay in effect")
        }
    }

    /// Whether only this machine reaches a server that listens on `host`. Other names are not looked up: they may mean
    /// something else tomorrow.
    private static func isLoopback(_ host: String) -> Bool {
        var address = in_addr()
        if unsafe inet_pton(AF_INET, host, &address) == 1 { return UInt32(bigEndian: address.s_addr) >> 24 == 127 }
        return ["localhost", "::1"].contains(host.lowercased())
    }
}
