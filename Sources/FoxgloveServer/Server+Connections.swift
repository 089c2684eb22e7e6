internal import FoxgloveProtocol
package import Telemetry
package import WebSocketProtocol

/// Connections come and go: limits, handshake, greeting, keep-alive.
extension Server {
    package func opened(_ id: ConnectionID, from address: String, now: Instant) {
        if strangerCount >= limits.openHandshakes {
            reach(.openHandshakes)
            oldestStranger { _ in true }.map(drop)
        }
        strangerCount += 1
        while clients.count <= id.index { clients.append(nil) }
        lastClientSerial += 1
        clients[id.index] = Client(
            address: address, graphID: "client-\(lastClientSerial)", channelCount: channels.count, limits: limits,
            now: now)
        if nextHousekeeping == nil { nextHousekeeping = now + Self.housekeepingInterval }
    }

    package func holds(_ id: ConnectionID, byteCount: Int) {
        client(id)?.transportByteCount = byteCount
        var held = 0
        for case let client? in clients where client.isStranger { held += client.transportByteCount }
        while held > limits.openHandshakeByteCount, let oldest = oldestStranger(where: { $0.transportByteCount > 0 }) {
            reach(.openHandshakes)
            held -= oldest.transportByteCount
            drop(oldest)
        }
    }

    /// Without a list of them, as a flood asks for one with every connection.
    private func oldestStranger(where isMeant: (Client) -> Bool) -> Client? {
        var oldest: Client?
        for case let client? in clients where client.isStranger && isMeant(client) {
            if let known = oldest, known.openedAt <= client.openedAt { continue }
            oldest = client
        }
        return oldest
    }

    package func closed(_ id: ConnectionID, now: Instant) {
        guard let client = client(id) else { return }
        leave(client)
        drop(client)
        loginThrottle.forget(id)
        clients[id.index] = nil
        guard clients.allSatisfy({ $0 == nil }) else { return }
        nextHousekeeping = nil
        ring.removeAll()
    }

    package func received(_ bytes: Span<UInt8>, from id: ConnectionID, now: Instant) {
        var offset = 0
        while receive(bytes, &offset, from: id, now: now) {}
    }

    /// Takes bytes from `offset` on, up to the first message that the owner must act on. Returns whether there may be
    /// more: an owner that handles events in between keeps the order in which a client said things.
    package func receive(_ bytes: Span<UInt8>, _ offset: inout Int, from id: ConnectionID, now: Instant) -> Bool {
        guard let client = client(id), !client.mustDrop else { return false }
        while !client.mustDrop, let event = client.connection.next(bytes, &offset, now: now) {
            switch event {
            case .request(let request): answer(request, client, id, now: now)
            case .text: receiveText(client.connection.payload, from: id, client, now: now)
            case .binary: receiveBinary(client.connection.payload, from: id, client, now: now)
            case .ended(let breach):
                switch breach {
                case .requestHead: reach(.requestHead)
                case .message: reach(.message)
                case .controlFrames: reach(.controlFrames)
                case nil: break
                }
            }
            if hasEvents { return true }
        }
        if client.connection.phase == .closing { leave(client) }
        return false
    }

    /// The client counts no more: its subscriptions end, although its last bytes may still be on their way.
    func leave(_ client: Client) {
        for index in channels.indices where client.queue.subscriptionID(for: ChannelID(index: index)) != nil {
            endSubscription(of: client, to: ChannelID(index: index))
        }
        client.channels = []
        client.parameterNames = []
        client.pendingCalls = []
        unsubscribeFromGraph(client)
        guard client.isConnected else { return }
        client.isConnected = false
        isGraphStale = true
        clientCount -= 1
        strangerCount += 1
        report(.disconnected(address: client.address))
    }

    /// Has the connection closed at the next opportunity.
    func drop(_ client: Client) {
        guard !client.mustDrop else { return }
        if client.isConnected { leave(client) }
        client.mustDrop = true
        strangerCount -= 1
    }

    private func answer(_ request: HTTPRequest, _ client: Client, _ id: ConnectionID, now: Instant) {
        if let http = features.http, !request.asksForWebSocket {
            return answer(request, http, client, id, now: now)
        }
        guard !request.hasBody else { return client.connection.respond(with: .bodyRefused) }
        switch Upgrade(request, subprotocols: foxgloveSubprotocols) {
        case .refuse(let response):
            client.connection.respond(with: response)
        case .accept(let subprotocol, let key):
            guard admit(request, client, id, now: now) else { return }
            if let limit = refusal(of: client) {
                reach(limit)
                client.connection.respond(with: .tooManyClients)
                return
            }
            client.connection.accept(subprotocol: subprotocol, key: key)
            client.isConnected = true
            clientCount += 1
            strangerCount -= 1
            client.isSDK = subprotocol == foxgloveSubprotocols[0]
            greet(client)
            report(.connected(id, address: client.address))
        }
    }

    private func refusal(of client: Client) -> LimitName? {
        if clientCount >= limits.clients { return .clients }
        var fromAddress = 0
        forEachConnected { if $0.address == client.address { fromAddress += 1 } }
        if fromAddress >= limits.clientsPerAddress { return .clientsPerAddress }
        return heldByteCount >= limits.clientMemoryByteCount ? .clientMemory : nil
    }

    /// Tells a client everything that it must know: when it comes, and when a session begins.
    func greet(_ client: Client) {
        let greeting = makeGreeting(isSDK: client.isSDK)
        queue(client) { $0.append(raw: greeting) }
        if let wallClock = features.wallClock, features.capabilities.contains(.time) {
            tell(client, .time(takeTime(wallClock())))
        }
        if let warning = access.greetingWarning { tell(client, Status(.warning, warning).json) }
        for status in statuses { tell(client, status.json) }
    }

    /// serverInfo, the channels and the services, framed once for all clients.
    private func makeGreeting(isSDK: Bool) -> [UInt8] {
        if let greeting = greetings[isSDK] { return greeting }
        let capabilities = capabilities(isSDK: isSDK)
        let takesPayloads = capabilities.contains(.clientPublish) || capabilities.contains(.services)
        let info = ServerInfo(
            name: identity.name, capabilities: capabilities,
            supportedEncodings: takesPayloads ? features.encodings : nil, metadata: identity.metadata,
            sessionID: identity.sessionID,
            playbackRange: capabilities.contains(.playbackControl) ? features.playbackRange : nil)
        // In the order of their ids, which is not that of the list once a channel went and came back.
        let advertised = channels.indices.compactMap { index in
            wireIDs[index].map { AdvertisedChannel(id: $0, channels[index]) }
        }.sorted { $0.id < $1.id }
        var outbox = Outbox()
        outbox.append(text: info.json)
        if !advertised.isEmpty { outbox.append(text: Advertise(channels: advertised).json) }
        if capabilities.contains(.services), !services.isEmpty {
            outbox.append(text: AdvertiseServices(services: services.map { AdvertisedService(id: $0, $1) }).json)
        }
        greetings[isSDK] = outbox.unsentBytes
        return outbox.unsentBytes
    }

    // MARK: Time

    static var housekeepingInterval: Period { .seconds(1) }

    /// Pings, time-outs and memory; once a second while anybody is connected.
    func keepHouse(now: Instant) {
        nextHousekeeping = now + Self.housekeepingInterval
        for case let client? in clients {
            if client.isConnected {
                keepAlive(client, now: now)
                failOverdueCalls(of: client, now: now)
            } else if client.connection.phase == .request, client.openedAt + limits.handshakeTime <= now {
                reach(.handshakeTime)
                drop(client)
            } else if client.isInExchange {
                endOverdueExchange(of: client, now: now)
            } else if client.connection.phase == .closing {
                let dropAt = client.dropAt ?? now + limits.lingerTime
                client.dropAt = dropAt
                if dropAt <= now { drop(client) }
            }
        }
        while heldByteCount > limits.clientMemoryByteCount,
            let largest = clients.compactMap({ $0 }).filter({ !$0.mustDrop })
                .max(by: { $0.byteCount < $1.byteCount })
        {
            reach(.clientMemory)
            drop(largest)
        }
    }

    private func keepAlive(_ client: Client, now: Instant) {
        if let pong = client.connection.lastPong, let ping = client.unansweredPing, pong >= ping {
            client.unansweredPing = nil
        }
        if let ping = client.unansweredPing, ping + limits.pongTime <= now {
            reach(.pong)
            drop(client)
        } else if client.nextPing <= now {
            client.connection.ping()
            client.nextPing = now + limits.pingInterval
            client.unansweredPing = client.unansweredPing ?? now
        }
    }

    /// Memory held for clients, the ring included.
    package var heldByteCount: Int {
        clients.reduce(ring.byteCapacity) { $0 + ($1.flatMap { $0.mustDrop ? nil : $0.byteCount } ?? 0) }
    }
}
