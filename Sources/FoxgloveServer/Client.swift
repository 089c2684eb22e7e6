import FoxgloveProtocol
import Telemetry
import WebSocketProtocol

/// What is kept of a channel that a client advertised.
struct PublishedChannel {
    var id: UInt32
    /// Its place among the topics that the server listens on; nil: its messages are ignored.
    var topicIndex: Int?
    /// Nil: its messages are not understood.
    var encoding: String?
}

/// What the server knows of one connection.
final class Client {
    let address: String
    var isTLS = false
    /// What its TLS takes.
    var transportByteCount = 0
    /// Of its certificate, which was checked.
    var peerNames: [String] = []
    var role = Role.viewer
    /// Under which it logged in; empty if it did not need to.
    var name = ""
    /// What its request gets once the time for it has come.
    var waitingAnswer: HTTPResponse?
    /// It asked for no WebSocket, and was let in.
    var exchange: HTTPExchange?
    var connection: WebSocketConnection
    /// Subscriptions and what is queued for them.
    var queue: DataQueue
    /// Channels on which the client publishes.
    var channels: [PublishedChannel] = []
    /// Parameters whose changes it wants to know.
    var parameterNames: Set<String> = []
    var seesGraph = false
    /// What others see of it in the graph.
    let graphID: String
    /// Whether it chose the younger subprotocol.
    var isSDK = false

    /// Requests that the owner has not answered.
    var pendingCalls: [PendingCall] = []
    var parameterRequestCount = 0
    /// Assets that the owner has not made.
    var pendingAssets: [(serial: UInt64, requestID: UInt32)] = []
    /// Those, and assets in the outbox; counted anew when that was empty.
    var assetCount = 0
    /// To be sent with the next helping, before data.
    var owesTime = false
    var owedPlaybackState: ServerBinaryMessage?

    let openedAt: Instant
    /// The handshake is complete and the closing one has not begun: the client counts as one.
    var isConnected = false
    /// When the socket is closed at the latest; set once nothing more will be sent.
    var dropAt: Instant?
    var mustDrop = false
    /// No client, or no more, and not about to be dropped.
    var isStranger: Bool { !isConnected && !mustDrop }
    /// The socket took less than it was offered, and has not asked for more.
    var isBlocked = false

    var operationRate: RateLimit
    var publishRate: RateLimit
    /// Samples that it asks for by service.
    var sampleRate: RateLimit
    var nextPing: Instant
    /// When the last ping went out that no pong has answered.
    var unansweredPing: Instant?
    /// A notice of drops was sent then; none follows before `dropNoticeInterval` is over.
    var lastDropNotice: Instant?
    /// Drops since the last notice.
    var hasUntoldDrops = false

    /// Its request is not answered, or it has not taken all of the answer.
    var isInExchange: Bool {
        exchange != nil && !mustDrop && (connection.phase == .answering || !connection.outbox.isEmpty)
    }

    /// The memory it takes.
    var byteCount: Int { connection.byteCount + transportByteCount }

    init(address: String, graphID: String, channelCount: Int, limits: ServerLimits, now: Instant) {
        self.address = address
        self.graphID = graphID
        connection = WebSocketConnection(limits: limits.connection)
        queue = DataQueue(channelCount: channelCount)
        openedAt = now
        operationRate = RateLimit(perSecond: limits.operationsPerSecond, burst: limits.operationBurst)
        publishRate = RateLimit(perSecond: limits.publishesPerSecond, burst: limits.publishesPerSecond)
        sampleRate = RateLimit(perSecond: limits.samplesPerClientSecond, burst: limits.samplesPerClientSecond)
        nextPing = now + limits.pingInterval
    }
}
