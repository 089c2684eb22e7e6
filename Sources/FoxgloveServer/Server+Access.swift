internal import FoxgloveProtocol
internal import Telemetry
package import WebSocketProtocol

/// Who is let in, and what a client may do then.
extension Server {
    /// The connection is encrypted; `peerNames` are the subject alternative names of the certificate that its client
    /// showed and that was checked.
    package func secured(_ id: ConnectionID, peerNames: [String]) {
        client(id)?.isTLS = true
        client(id)?.peerNames = peerNames
    }

    /// What a connection may do; the least if it is no client.
    package func role(of id: ConnectionID) -> Role { client(id).map(role) ?? .viewer }

    /// Under which name a client logged in; empty if nobody was asked to.
    package func name(of id: ConnectionID) -> String { client(id)?.name ?? "" }

    /// A client for a log: address, role, and the name if it logged in.
    package func description(of id: ConnectionID) -> String {
        let name = name(of: id)
        return "\(address(of: id)) (\(role(of: id).rawValue)\(name.isEmpty ? "" : " \(name)"))"
    }

    func role(_ client: Client) -> Role { access.isReadOnly ? .viewer : client.role }

    /// What is announced, the same to clients of every role; `playbackControl` belongs to the younger subprotocol.
    func capabilities(isSDK: Bool) -> [Capability] {
        features.capabilities.filter { capability in
            switch capability {
            case .playbackControl: isSDK
            case .clientPublish, .services: !access.isReadOnly
            default: true
            }
        }
    }

    func offers(_ capability: Capability, to client: Client) -> Bool {
        capabilities(isSDK: client.isSDK).contains(capability)
    }

    package static var operatorsOnlyText: String {
        "Only operators may change the configuration; this connection is a viewer"
    }

    /// Lets a client in or turns it away. `isOpen`: it need not log in.
    func admit(
        _ request: HTTPRequest, _ client: Client, _ id: ConnectionID, isOpen: Bool = false, now: Instant
    ) -> Bool {
        willDecide(now)
        switch access.decide(request, isTLS: client.isTLS, peerNames: client.peerNames, isOpen: isOpen) {
        case .allow(let role, let name):
            client.role = role
            client.name = name
            return true
        case .refuse(let refusal):
            switch refusal.kind {
            case .host: reach(.refusedHosts)
            case .origin: reach(.refusedOrigins)
            case .login: reach(.refusedLogins)
            }
            if refusalNotices.mustTell(refusal.kind, from: client.address, now: now) {
                report(.refused(address: client.address, reason: refusal.reason))
            }
            guard refusal.kind == .login else {
                client.connection.respond(with: refusal.response)
                return false
            }
            if let limit = loginThrottle.admit(id, from: client.address, now: now) {
                reach(limit)
                drop(client)
            } else {
                client.waitingAnswer = refusal.response
            }
            return false
        }
    }

    /// Gives failed logins the answers that are due.
    func answerFailedLogins(now: Instant) {
        while let id = loginThrottle.popDue(now: now) {
            guard let client = client(id), !client.mustDrop, let answer = client.waitingAnswer else { continue }
            client.waitingAnswer = nil
            client.connection.respond(with: answer)
        }
    }
}
