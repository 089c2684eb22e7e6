import Telemetry
import WebSocketProtocol

/// What is kept of a channel that a client advertised.
struct PublishedChannel {
    var id: UInt32
    /// Its place among the topics that the server listens on; nil: its messages are ignored.
    var topicIndex: Int?
}

/// What the server knows of one connection.
final class Client {
    let address: String
    var connection: WebSocketConnection
    /// Subscriptions and what is queued for them.
    var queue: DataQueue
    /// Channels on which the client publishes.
    var channels: [PublishedChannel] = []

    let openedAt: Instant
    /// The handshake is complete and the closing one has not begun: the client counts as one.
    var isConnected = false
    /// When the socket is closed at the latest; set once nothing more will be sent.
    var dropAt: Instant?
    var mustDrop = false
    /// The socket took less than it was offered, and has not asked for more.
    var isBlocked = false

    var operationRate: RateLimit
    var publishRate: RateLimit
    var nextPing: Instant
    /// When the last ping went out that no pong has answered.
    var unansweredPing: Instant?
    /// A notice of drops was sent then; none follows before `dropNoticeInterval` is over.
    var lastDropNotice: Instant?
    /// Drops since the last notice.
    var hasUntoldDrops = false

    init(address: String, channelCount: Int, limits: ServerLimits, now: Instant) {
        self.address = address
        connection = WebSocketConnection(limits: limits.connection)
        queue = DataQueue(channelCount: channelCount)
        openedAt = now
        operationRate = RateLimit(perSecond: limits.operationsPerSecond, burst: limits.operationBurst)
        publishRate = RateLimit(perSecond: limits.publishesPerSecond, burst: limits.publishesPerSecond)
        nextPing = now + limits.pingInterval
    }
}
