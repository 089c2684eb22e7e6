import FoxgloveClient
import Glibc
import HostMetrics
import Networking
import Telemetry
import WebSocketProtocol

/// A connection to a server: the socket and the protocol that it carries. Its owner polls, and then calls
/// ``proceed(_:)``.
final class ServerLink {
    private let socket: ClientSocket
    private(set) var client: ClientConnection
    /// What ended the connection; nil: it stands.
    private(set) var failure: Failure?

    /// Begins to connect. `tls` is for servers whose address begins with wss.
    init(to url: ServerURL, tls: TLSClientContext?) throws(Failure) {
        do throws(SystemError) {
            socket = try ClientSocket(host: url.host, port: url.port, tls: url.isSecure ? tls : nil)
        } catch { throw Self.failure(of: error, url) }
        client = ClientConnection(to: url, now: SystemClock.monotonic())
        flush()
    }

    /// Takes over a socket that is connected to a server.
    init(adopting descriptor: Int32, as url: ServerURL) throws(Failure) {
        do throws(SystemError) { socket = try ClientSocket(adopting: descriptor) } catch {
            throw Self.failure(of: error, url)
        }
        client = ClientConnection(to: url, now: SystemClock.monotonic())
        flush()
    }

    var pollRequest: pollfd { pollfd(fd: socket.descriptor, events: socket.interest, revents: 0) }

    /// When ``proceed(_:)`` is to be called at the latest.
    var nextDeadline: Instant? { client.nextDeadline }

    /// Has the client ask for something.
    func ask(_ body: (inout ClientConnection) -> Void) {
        body(&client)
        flush()
    }

    /// Receives what there is and tells it, without waiting. The payload of a message is `client.payload` meanwhile.
    func proceed(_ handle: (ClientConnection.Event) -> Void) {
        guard failure == nil else { return }
        let now = SystemClock.monotonic()
        do throws(SystemError) {
            let isOpen = try socket.proceed { bytes in
                var offset = 0
                while let event = client.next(bytes, &offset, now: now) { take(event, handle) }
            }
            if let event = client.tick(now: now) { take(event, handle) }
            flush()
            if !isOpen, failure == nil { failure = lost("the server closed the connection") }
        } catch {
            if failure == nil { failure = Self.failure(of: error, client.url) }
        }
    }

    private func take(_ event: ClientConnection.Event, _ handle: (ClientConnection.Event) -> Void) {
        if case .ended(let end) = event, failure == nil { failure = failure(of: end) }
        handle(event)
    }

    private func flush() {
        do throws(SystemError) { try socket.send(client.takeOutput()) } catch {
            if failure == nil { failure = Self.failure(of: error, client.url) }
        }
    }

    // MARK: What ends a connection, for its user

    private func lost(_ reason: String) -> Failure {
        Failure(text: "lost the connection to \(client.url.text): \(reason)")
    }

    private func failure(of end: ClientConnection.End) -> Failure {
        let url = client.url.text
        switch end {
        case .refused(let status):
            let advice =
                switch status {
                case 401: "; log in with a token: \(url)/?token=TOKEN"
                case 403: "; it does not let this client in, its log says why"
                case 429, 503: "; it has too many clients, try again later"
                default: "; is this the port of a sysmon-agent?"
                }
            return Failure(text: "\(url) refuses the connection (HTTP status \(status))\(advice)")
        case .closed(let code): return lost("the server said goodbye" + (code.map { " (\($0.rawValue))" } ?? ""))
        case .violation(let reason): return lost("it is no server of this protocol: \(reason)")
        case .silent: return lost("the server does not answer")
        }
    }

    private static func failure(of error: SystemError, _ url: ServerURL) -> Failure {
        let advice =
            switch error.code {
            case ECONNREFUSED: "; is an agent running there? Its port is 8765 unless set otherwise"
            case EPROTO where error.reason.contains("certificate"):
                "; name the authority that signed it with --ca FILE"
            case EPROTO: "; an agent without --tls.cert is reached by ws://"
            default: ""
            }
        return Failure(text: "cannot \(error.action): \(error.reason)\(advice)")
    }
}

/// poll(2): waits for one of some descriptors, until `deadline` at the latest, and returns what it found of each.
func wait(for requests: [pollfd], until deadline: Instant?) -> [Int16] {
    var requests = requests
    let milliseconds = deadline.map { deadline in
        // Rounded up, so that the deadline has passed.
        Int32(min(deadline.seconds(since: SystemClock.monotonic()) * 1e3, 3_600_000).rounded(.up))
    }
    let count = unsafe poll(&requests, nfds_t(requests.count), milliseconds ?? -1)
    return requests.map { count > 0 ? $0.revents : 0 }
}
