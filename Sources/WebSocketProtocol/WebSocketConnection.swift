package import Telemetry

/// One client's connection, from the first byte of its request to the end of the closing handshake.
///
/// It does no I/O: bytes that came go in, bytes to send wait in ``outbox``, and time is an argument. It answers pings
/// and closes by itself; requests and messages it hands to its owner.
package struct WebSocketConnection: Sendable {
    package struct Limits: Sendable {
        package var requestHeadByteCount = 8 * 1_024
        package var requestFieldCount = 64
        package var message = FrameDecoder.Limits(messageByteCount: 1_024 * 1_024, fragmentCount: 1_024)
        package var controlFramesPerSecond = 20.0
        package init() {}
    }

    package enum Phase: Equatable, Sendable {
        /// The request has not come whole.
        case request
        /// The request has not been answered; what comes after it is ignored.
        case answering
        case open
        /// Nothing more is read, and nothing more is sent after what is in the outbox.
        case closing
    }

    package enum Event: Equatable, Sendable {
        /// To be answered with ``accept(subprotocol:key:)`` or ``respond(with:)``.
        case request(HTTPRequest)
        /// A whole message, whose bytes are in ``payload`` until the next call.
        case text, binary
        /// The peer closed, or broke a rule or the named limit. The answer is in the outbox.
        case ended(Breach?)
    }

    /// A limit that a client reached.
    package enum Breach: Equatable, Sendable {
        case requestHead, message, controlFrames
    }

    package private(set) var phase = Phase.request
    package var outbox = Outbox()
    /// When a pong came last; nil: none yet.
    package private(set) var lastPong: Instant?

    private let limits: Limits
    private var decoder: FrameDecoder
    private var head: [UInt8] = []
    private var isBodyWanted = true
    private var controlRate: RateLimit

    package init(limits: Limits) {
        self.limits = limits
        decoder = FrameDecoder(limits: limits.message)
        controlRate = RateLimit(perSecond: limits.controlFramesPerSecond, burst: limits.controlFramesPerSecond)
    }

    package var payload: [UInt8] { decoder.payload }

    /// Bytes of memory held for this client.
    package var byteCount: Int { head.count + decoder.byteCapacity + outbox.byteCapacity }

    /// Takes bytes from `offset` on and moves it; returns nil when all are taken.
    package mutating func next(_ bytes: Span<UInt8>, _ offset: inout Int, now: Instant) -> Event? {
        while true {
            switch phase {
            case .request:
                return takeRequest(bytes, &offset)
            case .open:
                guard let event = decoder.next(bytes, &offset) else { return nil }
                if let event = handle(event, now: now) { return event }
            case .answering, .closing:
                offset = bytes.count
                return nil
            }
        }
    }

    // MARK: What the owner does

    package mutating func accept(subprotocol: String, key: String) {
        precondition(phase == .answering)
        phase = .open
        outbox.append(raw: Upgrade.response(subprotocol: subprotocol, key: key))
    }

    /// Answers the request with something else than a WebSocket. Nothing can follow.
    package mutating func respond(with response: HTTPResponse) {
        guard phase == .request || phase == .answering else { return }
        phase = .closing
        outbox.append(raw: response.head)
        if isBodyWanted { outbox.finish(with: response.body) }
    }

    package mutating func close(_ code: CloseCode, _ reason: String = "") {
        guard phase == .open else {
            phase = .closing
            return
        }
        phase = .closing
        outbox.appendClose(code, reason)
    }

    package mutating func ping() {
        guard phase == .open else { return }
        outbox.append(.ping, [])
    }

    // MARK: What comes in

    private mutating func takeRequest(_ bytes: Span<UInt8>, _ offset: inout Int) -> Event? {
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            head.append(byte)
            // A control character is no HTTP; a TLS hello, for one, is told apart by its first byte.
            guard byte >= 0x20 || byte == 0x0D || byte == 0x0A || byte == 0x09 else {
                return end(.malformedRequest, nil)
            }
            guard head.count <= limits.requestHeadByteCount else { return end(.headTooLarge, .requestHead) }
            guard byte == 0x0A, head.suffix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]) else { continue }
            let lines = head.dropLast(4)
            head = []
            do {
                let request = try HTTPRequest(parsing: lines.span, fieldLimit: limits.requestFieldCount)
                phase = .answering
                isBodyWanted = request.method != "HEAD"
                return .request(request)
            } catch .malformed {
                return end(.malformedRequest, nil)
            } catch {
                return end(.headTooLarge, .requestHead)
            }
        }
        return nil
    }

    private mutating func end(_ response: HTTPResponse, _ breach: Breach?) -> Event {
        head = []
        respond(with: response)
        return .ended(breach)
    }

    private mutating func handle(_ event: FrameDecoder.Event, now: Instant) -> Event? {
        switch event {
        case .text: return .text
        case .binary: return .binary
        case .ping, .pong:
            guard controlRate.allow(now: now) else {
                close(.policyViolation)
                return .ended(.controlFrames)
            }
            if event == .pong { lastPong = now } else { outbox.append(.pong, decoder.payload) }
            return nil
        case .close(let code):
            close(code ?? .normal)
            return .ended(nil)
        case .violation(let code):
            close(code)
            return .ended(code == .messageTooBig ? .message : nil)
        }
    }
}
