import FoxgloveProtocol
import FoxgloveServer
import Telemetry
import WebSocketProtocol

/// A server on the agent's own server code that has everything there is, for what the agent has no use for itself:
/// parameters that are made and deleted, services and statuses that come and go, playback.
///
/// A protocol checker makes it act by its services, which are named like what they do.
final class ConformanceServer: ConnectionHandler {
    struct Features: OptionSet {
        let rawValue: Int
        /// Everything but playback.
        static let all = Features(rawValue: 1)
        static let playback = Features(rawValue: 2)
    }

    private static let period = Period.milliseconds(100)
    private static let actions = [
        "clear-session", "publish-status", "remove-status", "add-channel", "remove-channel", "change-graph",
        "add-service", "remove-service", "echo",
    ]
    private static let range =
        Timestamp(unixNanoseconds: 1_000_000_000_000)...Timestamp(unixNanoseconds: 2_000_000_000_000)
    private static let object = Service.Schema.json(name: "Object", #"{"type":"object","properties":{}}"#)

    private let server: Server
    private let realtime: () -> Timestamp
    /// The last channel is the one that comes and goes.
    private let channelCount = 3
    private var parameters: [String: ParameterValue] = [
        "rate": .float(10), "name": .json(.string("a")), "deletable": .json(.number(1)), "list": .floats([1, 2.5]),
        "blob": .bytes("AAEC"),
    ]
    private var sessionCount = 0
    private var hasGraphService = false
    private var nextTick: Instant?
    private var listenerCount = 0
    private var playback = PlaybackState(
        status: .paused, time: ConformanceServer.range.lowerBound, speed: 1, didSeek: false)

    init(_ features: Features, limits: ServerLimits, realtime: @escaping () -> Timestamp) {
        self.realtime = realtime
        var offered = ServerFeatures()
        if features.contains(.all) {
            offered.capabilities = [
                .clientPublish, .parameters, .parametersSubscribe, .services, .connectionGraph, .assets, .time,
            ]
            offered.encodings = ["json", "protobuf"]
            offered.commandTopics = ["/command"]
            offered.assets = ["test://asset": Array("content".utf8)]
            offered.wallClock = realtime
        }
        if features.contains(.playback) {
            offered.capabilities.append(.playbackControl)
            offered.playbackRange = Self.range
        }
        let schema = Schema(name: "Object", descriptorSet: Array(#"{"type":"object","properties":{}}"#.utf8))
        server = Server(
            channels: (0..<channelCount).map { Channel(topic: "/test/\($0)", encoding: "json", schema: schema) },
            identity: Server.Identity(name: "conformance-server", metadata: [:], sessionID: "0"), features: offered,
            limits: limits)
        for index in 0..<channelCount - 1 { server.advertise(ChannelID(index: index)) }
        guard features.contains(.all) else { return }
        for action in Self.actions { server.add(Self.service(action)) }
    }

    private static func service(_ name: String) -> Service {
        Service(name: name, type: name, request: object, response: object)
    }

    // MARK: The loop's calls

    func opened(_ id: ConnectionID, from address: String, now: Instant) {
        server.opened(id, from: address, now: now)
    }

    func received(_ bytes: Span<UInt8>, from id: ConnectionID, now: Instant) {
        server.received(bytes, from: id, now: now)
        handleEvents(now: now)
    }

    func closed(_ id: ConnectionID, now: Instant) {
        server.closed(id, now: now)
        handleEvents(now: now)
    }

    func secured(_ id: ConnectionID, peerNames: [String]) { server.secured(id, peerNames: peerNames) }

    func holds(_ id: ConnectionID, byteCount: Int) { server.holds(id, byteCount: byteCount) }

    func unblocked(_ id: ConnectionID) { server.unblocked(id) }

    func send(to id: ConnectionID, _ write: (Outgoing) -> Int) -> SendOutcome { server.send(to: id, write) }

    func close() { server.close(.goingAway, "server shutdown") }

    var nextDeadline: Instant? {
        guard let nextTick else { return server.nextDeadline }
        return server.nextDeadline.map { min($0, nextTick) } ?? nextTick
    }

    func tick(now: Instant) {
        server.beginTick(now: now)
        if let due = nextTick, due <= now {
            for index in 0..<channelCount { publish(index) }
            nextTick = now + Self.period
        }
        server.endTick(now: now)
        handleEvents(now: now)
    }

    private func publish(_ index: Int) {
        let payload = Array(#"{"channel":\#(index)}"#.utf8)
        _ = server.publish(ChannelID(index: index), at: realtime(), payloadByteCount: payload.count) { target in
            for offset in payload.indices { target[offset] = payload[offset] }
        }
    }

    // MARK: What clients want

    private func handleEvents(now: Instant) {
        while let event = server.nextEvent() {
            switch event {
            case .listening:
                listenerCount += 1
                nextTick = nextTick ?? now + Self.period
            case .idle:
                listenerCount -= 1
                if listenerCount == 0 { nextTick = nil }
            case .published(let id, _, let encoding, let payload):
                guard encoding == "json", case .object? = try? JSONValue(parsing: payload) else {
                    server.sendStatus(.error, "The command is not a JSON object", to: id)
                    break
                }
            case .parametersRequested(let request): answer(request)
            case .serviceCalled(let call): answer(call)
            case .playbackRequested(_, let request): answer(request)
            case .connected, .disconnected, .refused, .assetRequested, .resourceRequested: break
            }
        }
    }

    private func answer(_ request: ParameterRequest) {
        let assignments = request.assignments ?? []
        for assignment in assignments { parameters[assignment.name] = assignment.value }
        let isForAll = request.assignments == nil && request.names.isEmpty
        let names = isForAll ? parameters.keys.sorted() : request.names
        server.answer(request, with: names.map { Parameter(name: $0, value: parameters[$0]) })
        server.publish(assignments)
    }

    private func answer(_ call: ServiceCall) {
        guard (try? JSONValue(parsing: call.payload)) != nil else { return server.fail(call, "Not JSON") }
        server.respond(to: call, with: Array(#"{"success":true}"#.utf8))
        switch call.service {
        case "clear-session":
            sessionCount += 1
            server.beginSession(String(sessionCount))
        case "publish-status":
            // One that holds already would not be told again.
            server.removeStatuses(["test"])
            server.setStatus("test", .warning, "A status for everybody")
        case "remove-status": server.removeStatuses(["test"])
        case "add-channel": server.advertise(ChannelID(index: channelCount - 1))
        case "remove-channel": server.unadvertise(ChannelID(index: channelCount - 1))
        case "add-service": server.add(Self.service("extra"))
        case "remove-service": server.removeService("extra")
        case "change-graph": changeGraph()
        default: break
        }
    }

    private func changeGraph() {
        if hasGraphService { server.removeService("graph") } else { server.add(Self.service("graph")) }
        hasGraphService.toggle()
    }

    private func answer(_ request: PlaybackRequest) {
        playback.status = request.command == .play ? .playing : .paused
        playback.speed = request.speed
        playback.didSeek = request.seekTime != nil
        playback.time =
            request.seekTime.map { min(max($0, Self.range.lowerBound), Self.range.upperBound) }
            ?? playback.time
        server.publish(playback, answering: request)
    }
}
