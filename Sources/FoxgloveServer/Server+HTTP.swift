internal import FoxgloveProtocol
internal import Telemetry
package import WebSocketProtocol

/// What a server answers to requests that ask for no WebSocket.
package struct HTTPFeatures: Sendable {
    /// Paths for which nobody needs a token.
    package var openPaths: Set<String> = []
    /// Pages of other allowed origins may read what is below this path; nil: nothing.
    package var sharedPath: String?

    package init() {}
}

/// A GET or HEAD that was let in, which the owner answers with ``Server/answer(_:with:)``, at once or later.
package struct ResourceRequest: Equatable, Sendable {
    package var client: ConnectionID
    /// As it came, without a token.
    package var path: String
    /// As it came, without the question mark and without a token.
    package var query: String
    /// Tells this request from every other one of this run.
    var serial: UInt64
}

/// A request until its answer is sent.
struct HTTPExchange {
    var serial: UInt64
    /// Lines that the answer has beside its own.
    var fields: [String]
    /// When it must be over: at first the owner's time, then the client's; nil: to be set.
    var deadline: Instant?
}

/// Plain HTTP on the port of the WebSocket: one request for each connection, which its answer ends.
extension Server {
    func answer(
        _ request: HTTPRequest, _ http: HTTPFeatures, _ client: Client, _ id: ConnectionID, now: Instant
    ) {
        let target = RequestTarget(request.target)
        let isShared = http.sharedPath.map { target.path.hasPrefix($0) } ?? false
        let isPreflight = isShared && request.method == "OPTIONS"
        let isOpen = isPreflight || http.openPaths.contains(String(target.path))
        guard isPreflight || ["GET", "HEAD"].contains(request.method) else {
            let allowed = isShared ? "GET, HEAD, OPTIONS" : "GET, HEAD"
            return client.connection.respond(with: .methodRefused(allowed: allowed))
        }
        guard !request.hasBody else { return client.connection.respond(with: .bodyRefused) }
        guard request.values(of: "host").count == 1 else { return client.connection.respond(with: .hostRefused) }
        guard admit(request, client, id, isOpen: isOpen, now: now) else { return }
        var fields = ["Cache-Control: no-store"]
        if isShared { fields += Self.sharingFields(request, isPreflight: isPreflight) }
        if isPreflight {
            client.connection.respond(with: HTTPResponse.noContent.with(fields))
        } else if let location = target.pageLocation, !isOpen {
            client.connection.respond(with: .redirect(to: location).with(fields))
        } else if !isOpen, let limit = exchangeLimit(of: client) {
            reach(limit)
            client.connection.respond(with: .tooManyRequests)
        } else {
            lastExchangeSerial += 1
            client.exchange = HTTPExchange(
                serial: lastExchangeSerial, fields: fields, deadline: now + limits.httpAnswerTime)
            report(
                .resourceRequested(
                    ResourceRequest(
                        client: id, path: String(target.path), query: target.query, serial: lastExchangeSerial)))
        }
    }

    /// Answers a request. Does nothing if its client is gone, or has waited too long.
    package func answer(_ request: ResourceRequest, with response: HTTPResponse) {
        guard let client = client(request.client), let exchange = client.exchange, exchange.serial == request.serial
        else { return }
        client.exchange?.deadline = nil
        client.connection.respond(with: response.with(exchange.fields))
    }

    func endOverdueExchange(of client: Client, now: Instant) {
        guard let deadline = client.exchange?.deadline else {
            client.exchange?.deadline = now + limits.httpBodyTime
            return
        }
        guard deadline <= now else { return }
        if client.connection.phase == .answering {
            reach(.httpAnswerTime)
            client.exchange?.deadline = nil
            client.connection.respond(with: .tookTooLong)
        } else {
            reach(.httpBodyTime)
            drop(client)
        }
    }

    /// An origin that comes so far is allowed.
    private static func sharingFields(_ request: HTTPRequest, isPreflight: Bool) -> [String] {
        guard let origin = request.values(of: "origin").first else { return ["Vary: Origin"] }
        var fields = ["Vary: Origin", "Access-Control-Allow-Origin: \(origin)"]
        if isPreflight {
            fields.append("Access-Control-Allow-Methods: GET, HEAD")
            if request.values(of: "access-control-request-private-network") == ["true"] {
                fields.append("Access-Control-Allow-Private-Network: true")
            }
        }
        return fields
    }

    private func exchangeLimit(of client: Client) -> LimitName? {
        var (count, countFromAddress) = (0, 0)
        for case let other? in clients where other.isInExchange {
            count += 1
            if other.address == client.address { countFromAddress += 1 }
        }
        if count >= limits.httpRequests { return .httpRequests }
        if countFromAddress >= limits.httpRequestsPerAddress { return .httpRequestsPerAddress }
        return heldByteCount >= limits.clientMemoryByteCount ? .clientMemory : nil
    }
}

extension HTTPResponse {
    static let bodyRefused = Self(400, "Bad Request", text: "No request has a body here.")
    static let hostRefused = Self(400, "Bad Request", text: "A request needs one Host header.")
    static let tooManyRequests = Self(
        503, "Service Unavailable", fields: ["Retry-After: 5"], text: "Too many requests wait for their answers.")
    static let tookTooLong = Self(504, "Gateway Timeout", text: "The answer took too long to make.")
    static let stopping = Self(503, "Service Unavailable", text: "The server is stopping.")

    static func methodRefused(allowed: String) -> Self {
        Self(405, "Method Not Allowed", fields: ["Allow: \(allowed)"], text: "Only \(allowed) is understood here.")
    }

    static func redirect(to location: String) -> Self {
        Self(307, "Temporary Redirect", fields: ["Location: \(location)"], text: "The page is where Location says.")
    }

    func with(_ more: [String]) -> Self {
        var response = self
        response.fields += more
        return response
    }
}
