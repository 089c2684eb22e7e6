internal import FoxgloveProtocol
internal import FoxgloveServer
internal import HostMetrics
internal import Telemetry
internal import TelemetrySchema
internal import WebSocketProtocol

/// What the agent offers beside its channels: capabilities, assets and services.
///
/// A service answers what goes wrong in a normal response, since a viewer that gets a failure is known to wait for
/// ever; only a request that cannot be decoded fails.
extension Agent {
    static func features(_ channels: [Channel], _ host: Host, _ options: Options) -> ServerFeatures {
        var features = ServerFeatures()
        features.capabilities = [
            .clientPublish, .parameters, .parametersSubscribe, .services, .connectionGraph, .assets,
        ]
        if options.tellsTime {
            features.capabilities.append(.time)
            features.wallClock = { host.clock().realtime }
        }
        features.encodings = ["json", "protobuf"]
        features.commandTopics = [ConfigPublisher.topic]
        features.madeAssets = Set(Layout.all.map { layoutURI(of: $0.name) })
        features.http = httpFeatures
        for channel in channels {
            features.assets["sysmon://schemas/\(channel.schema.name)"] = channel.schema.descriptorSet
        }
        return features
    }

    // MARK: Services

    static let services = [
        service("/config/set", request: "sysmon.v1.Config", configSchema),
        service("/config/reset", request: "sysmon.v1.Empty", emptySchema),
        service("/session/clear", request: "sysmon.v1.Empty", emptySchema),
        service("/agent/status", request: "sysmon.v1.Empty", emptySchema),
        service("/channels/sample", request: "sysmon.v1.SampleRequest", sampleSchema),
    ]

    private static func service(_ name: String, request: String, _ schema: String) -> Service {
        Service(
            name: name, type: request, request: .json(name: request, schema),
            response: .json(name: "sysmon.v1.ServiceResponse", responseSchema), otherEncodings: ["protobuf"])
    }

    /// Those that change something.
    private static let operatorServices = ["/config/set", "/config/reset", "/session/clear"]

    private static let emptySchema = #"{"type":"object","properties":{}}"#
    private static let sampleSchema = #"{"type":"object","properties":{"topic":{"type":"string"}}}"#
    private static let configSchema = """
        {"type":"object","properties":{"channels":{"type":"array","items":{"type":"object","properties":\
        {"id":{"type":"string"},"rate_hertz":{"type":"number"},"enabled":{"type":"boolean"},\
        "window_seconds":{"type":"number"}}}},"log":{"type":"object","properties":{"level":{"type":"string"}}}}}
        """
    private static let responseSchema = """
        {"type":"object","properties":{"success":{"type":"boolean"},"error":{"type":"string"},\
        "session_id":{"type":"string"},"topic":{"type":"string"},"schema_name":{"type":"string"},\
        "message":{"type":"object","properties":{}}}}
        """

    func answer(_ call: ServiceCall, now: Instant) {
        switch outcome(of: call, now: now) {
        case .answer(let response): respond(to: call, with: response)
        case .later: break
        case .undecodable: server.fail(call, "The request cannot be decoded")
        }
    }

    func respond(to call: ServiceCall, with response: ServiceResponse) {
        server.respond(to: call, with: call.encoding == "protobuf" ? response.packed : json(of: response))
    }

    private enum CallOutcome {
        case answer(ServiceResponse)
        /// A worker takes the sample that is asked for.
        case later
        case undecodable
    }

    private func outcome(of call: ServiceCall, now: Instant) -> CallOutcome {
        let isJSON = call.encoding != "protobuf"
        guard !isJSON || (try? JSONValue(parsing: call.payload)) != nil else { return .undecodable }
        guard server.role(of: call.client) == .operator || !Self.operatorServices.contains(call.service) else {
            return .answer(ServiceResponse(error: Server.operatorsOnlyText))
        }
        switch call.service {
        case "/config/set":
            return .answer(
                change(from: call.client, now: now) { () throws(Configuration.Refusal) in
                    try patched(by: call.payload, in: call.encoding)
                })
        case "/config/reset": return .answer(change(from: call.client, now: now) { defaults })
        case "/session/clear":
            var response = ServiceResponse()
            response.sessionID = beginSession(from: call.client)
            return .answer(response)
        case "/agent/status": return sampleNow("/agent", for: call, now: now)
        default:
            let request: [UInt8]? =
                isJSON
                ? call.payload
                : TelemetrySchema.json(ofProtobuf: call.payload, as: SampleRequestMessage.self, isCommand: true)
            guard let request, let value = try? JSONValue(parsing: request), case .object(let members) = value else {
                return .undecodable
            }
            guard case .string(let topic)? = members["topic"] else {
                return .answer(ServiceResponse(error: "topic: the name of a channel is missing"))
            }
            return sampleNow(topic, for: call, now: now)
        }
    }

    private func change(
        from id: ConnectionID, now: Instant, _ configuration: () throws(Configuration.Refusal) -> Configuration
    ) -> ServiceResponse {
        do {
            server.publish(adopt(try configuration(), by: server.description(of: id), now: now))
            return ServiceResponse()
        } catch {
            tell(.refused(by: server.description(of: id), text: error.text))
            return ServiceResponse(error: error.text)
        }
    }

    /// Session ids are milliseconds since the epoch, and no two of one run are equal.
    private func beginSession(from id: ConnectionID) -> String {
        let now = host.clock().realtime.unixNanoseconds / 1_000_000
        let last = UInt64(server.identity.sessionID) ?? 0
        // A session that was given the greatest number is followed by the present time.
        let sessionID = String(max(now, last &+ 1))
        server.beginSession(sessionID)
        tell(.sessionBegan(id: sessionID, by: server.description(of: id)))
        return sessionID
    }

    /// Takes one sample, also if nobody listens; those who do get it too, so that none of the channel is missing.
    private func sampleNow(_ topic: String, for call: ServiceCall, now: Instant) -> CallOutcome {
        if topic == ConfigPublisher.topic {
            return .answer(sampleResponse(ConfigPublisher.channel, configPublisher.payload))
        }
        guard let index = sources.firstIndex(where: { $0.topic == topic }) else {
            let isLog = topic == LogPublisher.topic
            return .answer(
                ServiceResponse(error: isLog ? "\(topic) cannot be sampled" : "\(quoted(topic)) is no channel"))
        }
        guard configuration.channels[index].isEnabled else {
            return .answer(ServiceResponse(error: "\(topic) is switched off"))
        }
        guard server.allowSample(for: call, now: now) else {
            let limit = Int(server.limits.samplesPerClientSecond)
            return .answer(
                ServiceResponse(error: "Too many samples are asked for; the limit is \(limit) per second"))
        }
        // Who asks of a source that hangs is not made to wait for it: callers would pile up.
        if let worker = sources[index].worker, sources[index].isFound, !sources[index].isStuck {
            sampleLater(for: call, worker, index, now: now)
            return .later
        }
        return .answer(sampleResponse(sources[index].registration.channel, sampleOnDemand(index, now: now)))
    }

    /// Nil: there is no sample.
    func sampleResponse(_ channel: Channel, _ message: [UInt8]?) -> ServiceResponse {
        guard let message else { return ServiceResponse(error: "\(channel.topic) cannot be sampled") }
        var response = ServiceResponse()
        response.topic = channel.topic
        response.schemaName = channel.schema.name
        response.message = message
        return response
    }

    private func json(of response: ServiceResponse) -> [UInt8] {
        var members: [String: JSONValue] = ["success": .bool(response.success)]
        if !response.success { members["error"] = .string(response.error) }
        if !response.sessionID.isEmpty { members["session_id"] = .string(response.sessionID) }
        guard !response.topic.isEmpty else { return Array(JSONValue.object(members).text.utf8) }
        members["topic"] = .string(response.topic)
        members["schema_name"] = .string(response.schemaName)
        let source = sources.first { $0.registration.channel.topic == response.topic }
        let message =
            source.map { $0.registration.json(of: response.message) }
            ?? ConfigPublisher.json(of: response.message)
        // As text, since a counter may have more digits than a JSON value of ours.
        return JSONValue.object(members).text.utf8.dropLast() + Array(#","message":"#.utf8) + (message ?? [])
            + [UInt8(ascii: "}")]
    }
}
