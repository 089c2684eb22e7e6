package import FoxgloveProtocol
package import Telemetry
package import WebSocketProtocol

/// A Foxglove WebSocket server without its sockets and clocks: channels, clients, and the messages between them.
///
/// Its owner publishes with ``publish(_:at:payloadByteCount:encode:)`` between ``beginTick(now:)`` and
/// ``endTick(now:)``, asks ``nextEvent()`` what clients want after every call that may change it, and passes on the
/// calls of the loop (``ConnectionHandler``). All on one thread.
package final class Server {
    /// What the server says of itself.
    package struct Identity: Sendable {
        package var name: String
        package var metadata: [String: String]
        /// Says which run of the server this is; a client that sees another one forgets the old data.
        package var sessionID: String

        package init(name: String, metadata: [String: String], sessionID: String) {
            self.name = name
            self.metadata = metadata
            self.sessionID = sessionID
        }
    }

    /// What clients want of the server's owner.
    package enum Event: Equatable, Sendable {
        case connected(ConnectionID, address: String)
        case disconnected(address: String)
        /// A client was turned away; told once in a while for each address and kind of reason.
        case refused(address: String, reason: String)
        /// The channel has its first subscriber, who may get its first message at this time.
        case listening(ChannelID, startsAt: Instant)
        /// The channel lost its last subscriber.
        case idle(ChannelID)
        /// A client published on a command topic.
        case published(ConnectionID, topic: String, encoding: String, payload: [UInt8])
        /// To be answered with ``Server/answer(_:with:)``.
        case parametersRequested(ParameterRequest)
        /// To be answered with ``Server/respond(to:with:)`` or ``Server/fail(_:_:)``.
        case serviceCalled(ServiceCall)
        /// To be answered with ``Server/answer(_:with:)``.
        case assetRequested(AssetRequest)
        /// To be answered with ``Server/answer(_:with:)``.
        case resourceRequested(ResourceRequest)
        /// To be answered with ``Server/publish(_:answering:)``.
        case playbackRequested(ConnectionID, PlaybackRequest)
    }

    /// A copy of a frame that outlives the ring.
    struct KeptFrame {
        var bytes: [UInt8]
        var subscriptionOffset: Int
    }

    package struct Counters: Equatable, Sendable {
        package var sentMessages: UInt64 = 0
        package var sentByteCount: UInt64 = 0
        package var droppedMessages: UInt64 = 0
    }

    package let channels: [Channel]
    package internal(set) var identity: Identity
    package let features: ServerFeatures
    package let limits: ServerLimits
    package internal(set) var counters = Counters()
    /// By channel: messages that slow clients missed.
    package internal(set) var droppedCounts: [UInt64]
    package internal(set) var limitCounts: [LimitName: UInt64] = [:]
    package internal(set) var clientCount = 0
    /// Who may connect. May change at any time; whoever is connected stays.
    package var access = AccessPolicy() { didSet { forgetGreeting() } }
    /// Called before a request is judged: the owner's chance to renew ``access``.
    package var willDecide: (_ now: Instant) -> Void = { _ in }
    var loginThrottle: LoginThrottle
    var refusalNotices: RefusalNotices
    /// Of ``clients``.
    var strangerCount = 0

    var ring: FrameRing
    /// By channel: the sequence after its newest frame, 0 if there is none.
    var newest: [UInt64]
    /// By channel: its newest frame, where that may be wanted when the ring has lost it.
    var kept: [KeptFrame?]
    /// By channel: the id under which clients know it; nil: not advertised.
    var wireIDs: [UInt32?]
    var lastWireID: UInt32 = 0
    var listenerCounts: [Int]
    var clients: [Client?] = []
    var ranges: [Range<Int>] = []
    /// What a client is told first, by subprotocol; empty where it must be made anew.
    var greetings: [Bool: [UInt8]] = [:]
    /// Statuses that hold.
    var statuses: [Status] = []
    var services: [(id: UInt32, service: Service)] = []
    var lastServiceID: UInt32 = 0
    var lastRequestSerial: UInt64 = 0
    var lastExchangeSerial: UInt64 = 0
    var sampleRate: RateLimit
    var lastClientSerial: UInt64 = 0
    var lastTime = Timestamp(unixNanoseconds: 0)
    var lastTimeAt: Instant?
    /// As it was last told.
    var graph = ConnectionGraph()
    var isGraphStale = true
    var lastGraphUpdate = Instant(nanoseconds: 0)
    var graphWatcherCount = 0
    private var events: [Event] = []
    private var firstEvent = 0
    private var tickStart: UInt64 = 0
    private var now = Instant(nanoseconds: 0)
    /// When a subscription begins next.
    var nextStart: Instant?
    /// When time-outs are looked at next; nil: nobody is connected.
    var nextHousekeeping: Instant?

    package init(
        channels: [Channel], identity: Identity, features: ServerFeatures = ServerFeatures(),
        limits: ServerLimits = ServerLimits()
    ) {
        precondition(features.wallClock != nil || !features.capabilities.contains(.time))
        precondition(features.playbackRange != nil || !features.capabilities.contains(.playbackControl))
        self.channels = channels
        self.identity = identity
        self.features = features
        self.limits = limits
        loginThrottle = LoginThrottle(limits: limits)
        sampleRate = RateLimit(perSecond: limits.samplesPerSecond, burst: limits.samplesPerSecond)
        refusalNotices = RefusalNotices(limits: limits)
        ring = FrameRing(limits: limits.ring)
        newest = Array(repeating: 0, count: channels.count)
        kept = Array(repeating: nil, count: channels.count)
        droppedCounts = Array(repeating: 0, count: channels.count)
        listenerCounts = Array(repeating: 0, count: channels.count)
        wireIDs = Array(repeating: nil, count: channels.count)
        ranges.reserveCapacity(Self.rangeLimit)
    }

    // MARK: Channels

    /// Makes a channel known to all clients. An id is never used twice.
    package func advertise(_ channel: ChannelID) {
        guard wireIDs[channel.index] == nil else { return }
        lastWireID += 1
        wireIDs[channel.index] = lastWireID
        forgetGreeting()
        let message = Advertise(channels: [AdvertisedChannel(id: lastWireID, channels[channel.index])]).json
        forEachConnected { tell($0, message) }
    }

    /// Ends a channel: subscriptions, what is queued for them, and what was kept.
    package func unadvertise(_ channel: ChannelID) {
        guard let id = wireIDs[channel.index] else { return }
        wireIDs[channel.index] = nil
        forgetGreeting()
        newest[channel.index] = 0
        kept[channel.index] = nil
        let message = Unadvertise(channelIDs: [id]).json
        forEachConnected { client in
            if client.queue.subscriptionID(for: channel) != nil { endSubscription(of: client, to: channel) }
            tell(client, message)
        }
    }

    /// Whether somebody subscribed to the channel.
    package func isHeard(_ channel: ChannelID) -> Bool { listenerCounts[channel.index] > 0 }

    // MARK: Publishing

    /// To be called before the messages of a tick are published.
    package func beginTick(now: Instant) {
        self.now = now
        tickStart = ring.end
        publishTime(now: now)
        ring.release(below: neededFrame)
        if let nextHousekeeping, nextHousekeeping <= now { ring.shrink() }
    }

    /// Publishes a message, which `encode` writes into its final place. Returns false if it is larger than the ring
    /// allows.
    package func publish(
        _ channel: ChannelID, at logTime: Timestamp, payloadByteCount: Int, encode: (inout MutableSpan<UInt8>) -> Void
    ) -> Bool {
        let frameHeader = FrameHeader(.binary, payloadByteCount: MessageDataHeader.byteCount + payloadByteCount)
        let headerByteCount = frameHeader.byteCount + MessageDataHeader.byteCount
        let idOffset = frameHeader.byteCount + MessageDataHeader.subscriptionOffset
        guard headerByteCount + payloadByteCount <= limits.ring.byteCount / 4 else { return false }
        var isRoomMade = false
        while !ring.append(
            channel, at: logTime, byteCount: headerByteCount + payloadByteCount, idOffset: idOffset,
            write: { frame in
                frameHeader.write(to: &frame)
                var header = frame._mutatingExtracting(frameHeader.byteCount..<headerByteCount)
                MessageDataHeader(subscriptionID: 0, logTime: logTime).write(to: &header)
                var payload = frame._mutatingExtracting(headerByteCount...)
                encode(&payload)
            })
        {
            guard !isRoomMade else { return false }
            makeRoom()
            isRoomMade = true
        }
        newest[channel.index] = ring.end
        if channels[channel.index].isLatched { keep(ring.frame(at: ring.end - 1)) }
        return true
    }

    /// To be called after the messages of a tick are published: begins subscriptions whose time has come, holds slow
    /// clients within their bounds, looks at time-outs.
    package func endTick(now: Instant) {
        if let nextStart, nextStart <= now { beginSubscriptions(now: now) }
        for case let client? in clients where client.isBlocked { bound(client) }
        answerFailedLogins(now: now)
        if let graphDeadline, graphDeadline <= now { updateGraph(now: now) }
        if let nextHousekeeping, nextHousekeeping <= now { keepHouse(now: now) }
    }

    /// When the next ``endTick(now:)`` has something to do besides publishing.
    package var nextDeadline: Instant? {
        let own = Instant.earliest(nextStart, nextHousekeeping)
        return .earliest(own, .earliest(loginThrottle.nextDeadline, graphDeadline))
    }

    // MARK: Clients

    /// What a client wants next; to be asked until it returns nil.
    package func nextEvent() -> Event? {
        guard hasEvents else {
            events.removeAll(keepingCapacity: true)
            firstEvent = 0
            return nil
        }
        firstEvent += 1
        return events[firstEvent - 1]
    }

    package func address(of id: ConnectionID) -> String { client(id)?.address ?? "" }

    /// Says something to one client's user.
    package func sendStatus(_ level: Status.Level, _ text: String, to id: ConnectionID) {
        guard let client = client(id), client.isConnected else { return }
        tell(client, Status(level, text).json)
    }

    /// Says goodbye to every client; nobody is let in afterwards by an owner that stops its loop.
    package func close(_ code: CloseCode, _ reason: String) {
        for case let client? in clients {
            leave(client)
            if client.exchange != nil { client.connection.respond(with: .stopping) }
            client.connection.close(code, reason)
        }
    }

    package var subscriptionCount: Int { clients.reduce(0) { $0 + ($1?.queue.subscriptionCount ?? 0) } }

    /// Frames that wait for the slowest client.
    package var queuedFrameCount: Int { Int(ring.end - neededFrame) }

    /// Bytes that wait for clients that fell behind.
    package var queuedByteCount: Int {
        clients.reduce(0) { $0 + ($1.map { $0.connection.outbox.byteCount + $0.queue.queuedByteCount } ?? 0) }
    }

    // MARK: Inside

    var hasEvents: Bool { firstEvent < events.count }

    func report(_ event: Event) { events.append(event) }

    func reach(_ limit: LimitName) { limitCounts[limit, default: 0] += 1 }

    func client(_ id: ConnectionID) -> Client? { clients.indices.contains(id.index) ? clients[id.index] : nil }

    func forEachConnected(_ body: (Client) -> Void) {
        for case let client? in clients where client.isConnected { body(client) }
    }

    /// What clients are told first, and what they see of each other, is no longer true.
    func forgetGreeting() {
        greetings = [:]
        isGraphStale = true
    }

    func tell(_ client: Client, _ json: String) { queue(client) { $0.append(text: json) } }

    func tell(_ client: Client, _ message: ServerBinaryMessage) { queue(client) { $0.append(.binary, message.bytes) } }

    /// Queues a control message. A client whose queue is full is gone.
    func queue(_ client: Client, _ append: (inout Outbox) -> Void) {
        guard client.connection.phase == .open else { return }
        let isFull =
            client.connection.outbox.messageCount >= limits.queuedControlMessages
            || client.connection.outbox.byteCount > limits.queuedControlByteCount
        guard isFull else { return append(&client.connection.outbox) }
        reach(.controlQueue)
        client.connection.outbox.append(text: Status(.error, Self.backlogText).json)
        client.connection.close(.tryAgainLater)
        leave(client)
    }

    private static let backlogText =
        "Disconnected because the message backlog on the server is full. "
        + "The backlog size is configurable in the server setup."

    /// The first frame that some client still needs.
    private var neededFrame: UInt64 {
        var needed = ring.end
        for case let client? in clients { needed = min(needed, client.queue.needed(ringEnd: ring.end)) }
        return max(needed, ring.oldest)
    }

    private func keep(_ frame: FrameRing.Frame) {
        kept[frame.channel.index] = KeptFrame(
            bytes: ring.copy(frame.bytes), subscriptionOffset: frame.idOffset)
    }

    private func beginSubscriptions(now: Instant) {
        nextStart = nil
        for case let client? in clients {
            client.queue.begin(now: now, tickStart: tickStart) { channel in
                channels[channel.index].isLatched && newest[channel.index] > 0 && newest[channel.index] <= tickStart
            }
            if let start = client.queue.nextStart { nextStart = nextStart.map { min($0, start) } ?? start }
        }
    }

    private func bound(_ client: Client) {
        client.queue.bound(
            ring, newest: newest, messages: limits.queuedMessages, byteCount: limits.queuedByteCount
        ) { countDrop($0, of: client) }
        tellDrops(client)
    }

    func countDrop(_ channel: ChannelID, of client: Client) {
        counters.droppedMessages += 1
        droppedCounts[channel.index] += 1
        reach(.dataQueue)
        client.hasUntoldDrops = true
    }

    /// Lichtblick knows this text and adds a hint to it, so it is exactly this.
    private func tellDrops(_ client: Client) {
        guard client.hasUntoldDrops else { return }
        if let last = client.lastDropNotice, now < last + limits.dropNoticeInterval { return }
        client.lastDropNotice = now
        client.hasUntoldDrops = false
        tell(client, Status(.warning, "Send buffer limit reached").json)
    }

    /// Frees half of a full ring: whoever is further behind gives up the older half.
    private func makeRoom() {
        var target = ring.end
        var byteCount = 0
        while target > ring.oldest, Int(ring.end - target) < limits.ring.frameCount / 2 {
            byteCount += ring.frame(at: target - 1).byteCount
            guard byteCount <= limits.ring.byteCount / 2 else { break }
            target -= 1
        }
        for case let client? in clients {
            client.queue.skip(to: target, in: ring, newest: newest, keep: keep) { countDrop($0, of: client) }
            tellDrops(client)
        }
        ring.release(below: neededFrame)
    }
}
