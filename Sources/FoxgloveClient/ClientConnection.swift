package import FoxgloveProtocol
package import Telemetry
package import WebSocketProtocol

/// A client's connection to a server of the protocol, from its request to its end.
///
/// It does no I/O: bytes that came go in, bytes to send are taken out, and time is an argument. Topics are wanted by
/// name, and subscribed to whenever the server offers them.
package struct ClientConnection {
    package enum Event: Equatable {
        /// The first message, and again when the server begins a new session.
        case serverInfo(name: String, capabilities: [String])
        case advertised([RemoteChannel])
        case unadvertised([RemoteChannel])
        /// A message of a channel that is wanted; its bytes are in ``payload`` until the next call.
        case message(RemoteChannel, logTime: Timestamp)
        case parameters([Parameter])
        case status(Status)
        /// Nothing follows. What ``takeOutput()`` still has says goodbye.
        case ended(End)
    }

    package enum End: Equatable {
        /// The server answered the request with this HTTP status.
        case refused(status: Int)
        case closed(CloseCode?)
        /// The server broke a rule or a bound.
        case violation(String)
        /// Nothing was heard for too long.
        case silent
    }

    private enum Phase { case answer, open, ended }

    package let url: ServerURL
    private let limits: ClientLimits
    private let handshake: ClientHandshake
    private var random: any RandomNumberGenerator
    private var phase = Phase.answer
    private var head: [UInt8] = []
    private var decoder: FrameDecoder
    private var output: [UInt8]
    private var hasServerInfo = false
    private var wanted: Set<String> = []
    private var channels: [UInt32: RemoteChannel] = [:]
    /// Channels by subscription.
    private var subscriptions: [UInt32: RemoteChannel] = [:]
    private var nextSubscriptionID: UInt32 = 1
    /// When the server was heard last, or the connection began.
    private var heardAt: Instant
    private var hasPinged = false

    /// `random` makes keys and masks, which must be hard to guess.
    package init(
        to url: ServerURL, limits: ClientLimits = ClientLimits(),
        random: any RandomNumberGenerator = SystemRandomNumberGenerator(), now: Instant
    ) {
        self.url = url
        self.limits = limits
        self.random = random
        decoder = FrameDecoder(limits: limits.message, peer: .server)
        handshake = ClientHandshake(url, random: &self.random)
        output = handshake.request
        heardAt = now
    }

    /// The channels that the server offers now, by topic.
    package var offered: [RemoteChannel] { channels.values.sorted { $0.topic < $1.topic } }

    package var payload: [UInt8] { Array(decoder.payload.dropFirst(MessageDataHeader.byteCount)) }

    /// What is to be sent, in order; the caller keeps what the socket does not take.
    package mutating func takeOutput() -> [UInt8] {
        defer { output = [] }
        return output
    }

    // MARK: What the owner does

    /// Wants these topics, in addition, from now on.
    package mutating func want(_ topics: some Sequence<String>) {
        wanted.formUnion(topics)
        for channel in offered { subscribe(to: channel) }
    }

    package mutating func getParameters(_ names: [String]) { send(.getParameters(names)) }

    package mutating func setParameters(_ parameters: [Parameter]) { send(.setParameters(parameters)) }

    package mutating func subscribeToParameters(_ names: [String]) { send(.subscribeParameterUpdates(names)) }

    /// Says goodbye; nothing more is read.
    package mutating func close() {
        guard phase == .open else { return }
        send(.close, closePayload(.normal))
        phase = .ended
    }

    /// When ``tick(now:)`` is to be called at the latest.
    package var nextDeadline: Instant? {
        switch phase {
        case .answer: heardAt + limits.handshakeTime
        case .open where !hasServerInfo: heardAt + limits.handshakeTime
        case .open where !hasPinged: heardAt + limits.pingInterval
        case .open: heardAt + limits.pingInterval + limits.pongTime
        case .ended: nil
        }
    }

    /// Asks a silent server for a sign of life, and gives it up in the end.
    package mutating func tick(now: Instant) -> Event? {
        guard let nextDeadline, nextDeadline <= now else { return nil }
        guard phase == .open, hasServerInfo, !hasPinged else { return end(.silent) }
        hasPinged = true
        send(.ping, [])
        return nil
    }

    // MARK: What comes in

    /// Takes bytes from `offset` on and moves it; returns nil when all are taken.
    package mutating func next(_ bytes: Span<UInt8>, _ offset: inout Int, now: Instant) -> Event? {
        if hasServerInfo, offset < bytes.count {
            heardAt = now
            hasPinged = false
        }
        while true {
            switch phase {
            case .answer:
                guard let answer = takeAnswer(bytes, &offset) else { return nil }
                if let end = answer { return self.end(end) }
                phase = .open
            case .open:
                guard let event = decoder.next(bytes, &offset) else { return nil }
                if let event = take(event) { return event }
            case .ended:
                offset = bytes.count
                return nil
            }
        }
    }

    /// Nil: it has not come whole. Else what ends the connection, or nothing.
    private mutating func takeAnswer(_ bytes: Span<UInt8>, _ offset: inout Int) -> End?? {
        while offset < bytes.count {
            head.append(bytes[offset])
            offset += 1
            guard head.count <= limits.answerHeadByteCount else { return .violation("the answer is too long") }
            guard head.last == 0x0A, head.suffix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]) else { continue }
            guard let answer = HTTPAnswer(parsing: head.dropLast(4), fieldCountMax: limits.answerFieldCount) else {
                return .violation("the answer is not HTTP/1.1")
            }
            head = []
            return .some(handshake.refusal(in: answer))
        }
        return nil
    }

    private mutating func take(_ event: FrameDecoder.Event) -> Event? {
        switch event {
        case .text: return takeText()
        case .binary:
            guard let header = MessageDataHeader(parsing: decoder.payload),
                let channel = subscriptions[header.subscriptionID]
            else { return nil }
            return .message(channel, logTime: header.logTime)
        case .ping:
            send(.pong, decoder.payload)
            return nil
        case .pong: return nil
        case .close(let code):
            send(.close, closePayload(code ?? .normal))
            return end(.closed(code))
        case .violation(let code):
            send(.close, closePayload(code))
            return end(
                .violation(
                    code == .messageTooBig
                        ? "a message is longer than \(limits.message.messageByteCount) bytes"
                        : "a frame breaks the rules of WebSocket"))
        }
    }

    private mutating func takeText() -> Event? {
        do throws(InvalidMessage) {
            switch try ServerText(parsing: decoder.payload) {
            case .serverInfo(let name, let capabilities):
                hasServerInfo = true
                return .serverInfo(name: name, capabilities: capabilities)
            case .advertise(let advertised):
                for channel in advertised { try offer(channel) }
                return .advertised(advertised)
            case .unadvertise(let ids):
                let gone = ids.compactMap { channels.removeValue(forKey: $0) }
                for channel in gone { unsubscribe(from: channel) }
                return .unadvertised(gone)
            case .parameterValues(let parameters, _): return .parameters(parameters)
            case .status(let status): return .status(status)
            case .other: return nil
            }
        } catch {
            send(.close, closePayload(.policyViolation))
            return end(.violation("a message cannot be understood: \(error.reason)"))
        }
    }

    private mutating func offer(_ channel: RemoteChannel) throws(InvalidMessage) {
        guard
            [channel.topic, channel.encoding, channel.schemaName].allSatisfy({
                $0.utf8.count <= limits.nameByteCount
            })
        else { throw InvalidMessage("the name of a channel is longer than \(limits.nameByteCount) bytes") }
        // The same again, after a new session or by mistake: its subscription stands.
        guard channels[channel.id] != channel else { return }
        if let old = channels[channel.id] { unsubscribe(from: old) }
        channels[channel.id] = channel
        guard channels.count <= limits.channelCount else {
            throw InvalidMessage("there are more than \(limits.channelCount) channels")
        }
        subscribe(to: channel)
    }

    private mutating func subscribe(to channel: RemoteChannel) {
        guard wanted.contains(channel.topic), !subscriptions.values.contains(channel) else { return }
        let id = nextSubscriptionID
        nextSubscriptionID &+= 1
        subscriptions[id] = channel
        send(.subscribe(id: id, channelID: channel.id))
    }

    private mutating func unsubscribe(from channel: RemoteChannel) {
        let ids = subscriptions.filter { $0.value == channel }.map(\.key)
        for id in ids { subscriptions[id] = nil }
        if !ids.isEmpty { send(.unsubscribe(ids)) }
    }

    // MARK: What goes out

    private mutating func send(_ request: ClientRequest) {
        guard phase == .open else { return }
        send(.text, Array(request.json.utf8))
    }

    private mutating func send(_ opcode: FrameHeader.Opcode, _ payload: [UInt8]) {
        output += MaskedFrame.bytes(opcode, payload, mask: UInt32.random(in: 0...UInt32.max, using: &random))
    }

    private func closePayload(_ code: CloseCode) -> [UInt8] {
        [UInt8(truncatingIfNeeded: code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue)]
    }

    private mutating func end(_ end: End) -> Event {
        phase = .ended
        head = []
        return .ended(end)
    }
}
