internal import FoxgloveProtocol
package import Telemetry
package import WebSocketProtocol

/// Every bound of a server. Reaching one is counted under its name.
package struct ServerLimits: Sendable {
    /// Clients that completed the handshake.
    package var clients = 64
    package var clientsPerAddress = 16
    /// Connections that have not completed the handshake, or were refused or closed and linger; beyond it the oldest is
    /// closed.
    package var openHandshakes = 1_024
    /// What TLS may take for them all; beyond it the oldest is closed. There is room for more than a hundred that shake
    /// hands at the same moment.
    package var openHandshakeByteCount = 8 * 1_024 * 1_024
    package var handshakeTime = Period.seconds(5)
    /// HTTP requests that are not answered, or whose answer has not been taken wholly.
    package var httpRequests = 64
    package var httpRequestsPerAddress = 16
    /// How long the owner may take to answer one, and then its client to take the answer.
    package var httpAnswerTime = Period.seconds(10)
    package var httpBodyTime = Period.seconds(30)
    package var connection = WebSocketConnection.Limits()

    package var subscriptionsPerClient = 4_096
    package var clientChannelsPerClient = 64
    /// JSON operations; told first, then closed.
    package var operationsPerSecond = 100.0
    package var operationBurst = 200.0
    package var publishesPerSecond = 50.0
    /// Service calls, parameter requests and asset requests that wait for an answer: as many of each.
    package var requestsPerClient = 32
    package var serviceCallTime = Period.seconds(10)
    /// Of what is published on a command topic, and of a request to a service.
    package var commandByteCount = 32 * 1_024
    /// Samples that are asked for by service, of each client and of all together.
    package var samplesPerClientSecond = 10.0
    package var samplesPerSecond = 50.0
    package var parametersPerRequest = 1_024
    /// Changes of the connection graph are told together.
    package var graphInterval = Period.milliseconds(50)
    package var parameterSubscriptionsPerClient = 1_024
    package var parameterNameByteCount = 256
    /// Viewers set their clock by every Time message; 30 a second are plenty.
    package var timeInterval = Period(hertz: 30)

    /// Failed logins that get an answer, and how long they wait for it; beyond either the connection is dropped.
    package var failedLoginsPerSecond = 50
    package var failedLoginsPerAddressPerSecond = 5
    package var failedLoginDelay = Period.milliseconds(200)
    /// Refusals of one kind from one address are told to the owner at most once in this time, those of so many.
    package var refusalNoticeInterval = Period.seconds(60)
    package var refusalNotices = 64

    /// The data queue: what a slow client may lag behind before its oldest messages are dropped.
    package var queuedMessages = 1_024
    package var queuedByteCount = 8 * 1_024 * 1_024
    /// Control messages that wait for a client, and their bytes; beyond either the client is gone.
    package var queuedControlMessages = 1_024
    package var queuedControlByteCount = 1_024 * 1_024
    /// All memory that clients hold, the ring included.
    package var clientMemoryByteCount = 64 * 1_024 * 1_024
    package var ring = FrameRing.Limits(
        initialByteCount: 64 * 1_024, byteCount: 24 * 1_024 * 1_024, initialFrameCount: 256, frameCount: 16_384)

    package var pingInterval = Period.seconds(15)
    package var pongTime = Period.seconds(30)
    /// How long a closed client may take to close its side.
    package var lingerTime = Period.seconds(2)
    /// At most one notice of drops per client in this time.
    package var dropNoticeInterval = Period.seconds(5)
    /// A subscription gets nothing in its first moments: Studio takes a message that comes with the advertise for a
    /// sign of a high-frequency topic.
    package var subscriptionDelay = Period.milliseconds(50)

    package init() {}
}

/// The name under which a reached limit is counted.
package enum LimitName: String, CaseIterable, Sendable {
    case clients, clientsPerAddress = "clients_per_address", openHandshakes = "open_handshakes"
    case handshakeTime = "handshake_seconds", requestHead = "request_head_bytes"
    case httpRequests = "http_requests", httpRequestsPerAddress = "http_requests_per_address"
    case httpAnswerTime = "http_answer_seconds", httpBodyTime = "http_body_seconds"
    case message = "message_bytes", controlFrames = "control_frames_per_second"
    case operations = "operations_per_second", publishes = "publishes_per_second"
    case subscriptions, clientChannels = "client_channels"
    case failedLogins = "failed_logins_per_second"
    case failedLoginsPerAddress = "failed_logins_per_address_per_second"
    case dataQueue = "data_queue_messages", controlQueue = "control_queue_messages"
    case clientMemory = "client_memory_bytes", pong = "pong_seconds"
    case serviceCalls = "service_calls", parameterRequests = "parameter_requests", assetRequests = "asset_requests"
    case parameterSubscriptions = "parameter_subscriptions"
    case jsonDepth = "json_depth", string = "string_bytes", commands = "command_bytes"
    case parametersPerRequest = "parameters_per_request", samples = "samples_per_client_second"
    case allSamples = "samples_per_second"
    /// Of these none is let in.
    case refusedHosts = "refused_hosts", refusedOrigins = "refused_origins", refusedLogins = "refused_logins"
}

extension ServerLimits {
    package func value(of name: LimitName) -> Double {
        switch name {
        case .clients: Double(clients)
        case .clientsPerAddress: Double(clientsPerAddress)
        case .openHandshakes: Double(openHandshakes)
        case .handshakeTime: handshakeTime.seconds
        case .requestHead: Double(connection.requestHeadByteCount)
        case .httpRequests: Double(httpRequests)
        case .httpRequestsPerAddress: Double(httpRequestsPerAddress)
        case .httpAnswerTime: httpAnswerTime.seconds
        case .httpBodyTime: httpBodyTime.seconds
        case .message: Double(connection.message.messageByteCount)
        case .controlFrames: connection.controlFramesPerSecond
        case .operations: operationsPerSecond
        case .publishes: publishesPerSecond
        case .subscriptions: Double(subscriptionsPerClient)
        case .clientChannels: Double(clientChannelsPerClient)
        case .failedLogins: Double(failedLoginsPerSecond)
        case .failedLoginsPerAddress: Double(failedLoginsPerAddressPerSecond)
        case .dataQueue: Double(queuedMessages)
        case .controlQueue: Double(queuedControlMessages)
        case .clientMemory: Double(clientMemoryByteCount)
        case .pong: pongTime.seconds
        case .serviceCalls, .parameterRequests, .assetRequests: Double(requestsPerClient)
        case .parameterSubscriptions: Double(parameterSubscriptionsPerClient)
        case .jsonDepth: Double(JSONValue.depthLimit)
        case .string: Double(ClientMessage.stringByteLimit)
        case .commands: Double(commandByteCount)
        case .parametersPerRequest: Double(parametersPerRequest)
        case .samples: samplesPerClientSecond
        case .allSamples: samplesPerSecond
        case .refusedHosts, .refusedOrigins, .refusedLogins: 0
        }
    }
}
