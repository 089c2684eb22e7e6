import FoxgloveServer
import Glibc
import Networking
import SysmonAgent
import Telemetry

/// Who is let in: from the options to the policy of the server, and its renewal while the server runs.
final class Admission {
    private(set) var policy = AccessPolicy()
    private let file: TokenFile?
    private let log: Log

    /// `hosts` are the addresses or names that the server listens on.
    init(
        _ options: Options, listeningOn hosts: [String], hostname: String, log: Log
    ) throws(Service.Failure) {
        self.log = log
        file = options.tokenFile.map(TokenFile.init)
        policy.digest = sha256
        policy.isReadOnly = options.isReadOnly
        policy.allowedOrigins += options.allowedOrigins
        policy.names = Set(options.serverNames)
        let openHost = hosts.first { !Self.isLoopback($0) }
        policy.isBoundToLoopback = openHost == nil
        if let file {
            do { policy.tokens = try file.read() } catch { throw Service.Failure(text: "--token-file \(error.text)") }
            guard !policy.tokens.isEmpty || options.clientAuthority == nil else {
                throw Service.Failure(
                    text: "--token-file \(file.path) has no entries; add role:name:san=SUBJECT for the certificates of "
                        + "--tls.client-ca")
            }
            if policy.tokens.isEmpty { log(.info, "\(file.path) has no entries: nobody is asked to log in") }
        }
        guard let openHost else { return }
        policy.names.insert(hostname.lowercased())
        if !policy.tokens.isEmpty {
            guard options.certificate == nil else { return }
            log(
                .warning,
                "tokens travel in clear text to \(openHost): give --tls.cert and --tls.key, or keep it to a "
                    + "network that you trust")
        } else if options.isInsecure {
            policy.greetingWarning =
                "Everybody who reaches this server may read everything"
                + (policy.isReadOnly ? "" : " and change its configuration") + ": it was started with --insecure"
            log(.warning, "everybody who reaches \(openHost) is let in (--insecure)")
        } else {
            throw Service.Failure(
                text: "\(openHost) is open to other machines, and nobody would have to log in: give a "
                    + "--token-file (`sysmon-agent token new` makes tokens), or --insecure if that is meant",
                status: 2)
        }
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
