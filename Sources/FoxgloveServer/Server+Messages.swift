internal import FoxgloveProtocol
import Telemetry
import WebSocketProtocol

/// What clients say.
extension Server {
    func receiveText(_ text: [UInt8], from id: ConnectionID, _ client: Client, now: Instant) {
        guard allowOperation(client, byteCount: text.count, now: now) else { return }
        do {
            let message = try ClientMessage(parsing: text)
            if let capability = message.capability, !offers(capability, to: client) {
                return refuse(client, capability.missingText)
            }
            handle(message, from: id, client, now: now)
        } catch {
            refuse(client, error)
        }
    }

    private func refuse(_ client: Client, _ error: InvalidMessage) {
        switch error.bound {
        case .depth: reach(.jsonDepth)
        case .string: reach(.string)
        case nil: break
        }
        refuse(client, "Invalid message: \(error.reason)")
    }

    private func handle(_ message: ClientMessage, from id: ConnectionID, _ client: Client, now: Instant) {
        switch message {
        // A list may be long, and its mistakes may close the client before it ends.
        case .subscribe(let subscriptions):
            for entry in subscriptions where client.isConnected { subscribe(client, entry, now: now) }
        case .unsubscribe(let ids):
            // Studio unsubscribes after every unadvertise, so an unknown id is nobody's mistake.
            for id in ids {
                if let channel = client.queue.channel(of: id) { endSubscription(of: client, to: channel) }
            }
        case .advertise(let channels):
            for channel in channels where client.isConnected { advertise(channel, of: client) }
        case .unadvertise(let ids):
            for id in ids where client.isConnected { unadvertise(id, of: client) }
        case .getParameters(let names, let requestID): request(nil, names, requestID: requestID, from: id)
        case .setParameters(let assignments, let requestID):
            let names = assignments.map(\.name)
            if role(client) == .operator {
                request(assignments, names, requestID: requestID, from: id)
            } else {
                refuse(client, Self.operatorsOnlyText)
                // The true values, since a viewer shows new ones before it is told.
                if requestID != nil { request([], names, requestID: requestID, from: id) }
            }
        case .subscribeParameterUpdates(let names): subscribe(client, toParameters: names)
        case .unsubscribeParameterUpdates(let names): client.parameterNames.subtract(names)
        case .subscribeConnectionGraph: subscribeToGraph(client, now: now)
        case .unsubscribeConnectionGraph: unsubscribeFromGraph(client)
        case .fetchAsset(let uri, let requestID): sendAsset(uri, requestID, to: id, client)
        }
    }

    func receiveBinary(_ bytes: [UInt8], from id: ConnectionID, _ client: Client, now: Instant) {
        guard !bytes.isEmpty else { return }
        do {
            let message = try ClientBinaryMessage(parsing: bytes)
            if case .publish(let channelID, let payloadOffset) = message {
                return receivePublish(channelID, Array(bytes[payloadOffset...]), from: id, client, now: now)
            }
            guard allowOperation(client, byteCount: bytes.count, now: now) else { return }
            switch message {
            case .publish: break
            case .serviceCall(let serviceID, let callID, let encoding, let payloadOffset):
                receiveCall(serviceID, callID, encoding, Array(bytes[payloadOffset...]), from: id, now: now)
            case .playbackControl(let request):
                guard offers(.playbackControl, to: client) else {
                    return refuse(client, Capability.playbackControl.missingText)
                }
                guard role(client) == .operator else { return refuse(client, Self.operatorsOnlyText) }
                report(.playbackRequested(id, request))
            }
        } catch {
            guard allowOperation(client, now: now) else { return }
            refuse(client, error)
        }
    }

    func endSubscription(of client: Client, to channel: ChannelID) {
        client.queue.unsubscribe(from: channel)
        listenerCounts[channel.index] -= 1
        isGraphStale = true
        if listenerCounts[channel.index] == 0 { report(.idle(channel)) }
    }

    /// A mistake is told to the client that made it, and to nobody else.
    func refuse(_ client: Client, _ text: String) { tell(client, Status(.error, text).json) }

    private func warn(_ client: Client, _ text: String) { tell(client, Status(.warning, text).json) }

    /// A client that sends operations faster than any viewer would is told so and closed.
    private func allowOperation(_ client: Client, byteCount: Int = 0, now: Instant) -> Bool {
        // A large one takes as long to read as many small ones.
        if client.operationRate.allow(now: now, cost: 1 + byteCount / Self.operationByteCount) { return true }
        guard client.connection.phase == .open else { return false }
        reach(.operations)
        refuse(client, "Too many operations; the limit is \(Int(limits.operationsPerSecond)) per second")
        client.connection.close(.policyViolation)
        return false
    }

    static var operationByteCount: Int { 16_384 }

    // MARK: Subscriptions

    private func subscribe(_ client: Client, _ entry: ClientMessage.Subscription, now: Instant) {
        guard let index = wireIDs.firstIndex(of: entry.channelID) else {
            return refuse(client, "Unknown channel ID: \(entry.channelID)")
        }
        let channel = ChannelID(index: index)
        if client.queue.subscriptionID(for: channel) != nil {
            warn(client, "Client is already subscribed to channel: \(entry.channelID); ignoring subscription")
        } else if client.queue.channel(of: entry.id) != nil {
            refuse(client, "Subscription ID was already used: \(entry.id); ignoring subscription")
        } else if client.queue.subscriptionCount >= limits.subscriptionsPerClient {
            reach(.subscriptions)
            refuse(client, "Too many subscriptions; the limit is \(limits.subscriptionsPerClient)")
        } else {
            let startsAt = now + limits.subscriptionDelay
            client.queue.subscribe(to: channel, as: entry.id, startsAt: startsAt, ringEnd: ring.end)
            nextStart = nextStart.map { min($0, startsAt) } ?? startsAt
            listenerCounts[index] += 1
            isGraphStale = true
            if listenerCounts[index] == 1 { report(.listening(channel, startsAt: startsAt)) }
        }
    }

    // MARK: Client channels

    private func advertise(_ channel: ClientChannel, of client: Client) {
        if !channel.isSchemaReadable {
            refuse(client, "The schema of client channel \(channel.id) is not base64")
        } else if client.channels.contains(where: { $0.id == channel.id }) {
            warn(client, "Client is already advertising channel: \(channel.id); ignoring advertisement")
        } else if client.channels.count >= limits.clientChannelsPerClient {
            reach(.clientChannels)
            refuse(client, "Too many client channels; the limit is \(limits.clientChannelsPerClient)")
        } else {
            let topicIndex = features.commandTopics.firstIndex(of: channel.topic)
            client.channels.append(
                PublishedChannel(
                    id: channel.id, topicIndex: topicIndex,
                    encoding: features.encodings.first { $0 == channel.encoding }))
            isGraphStale = true
            if topicIndex == nil {
                let topics = features.commandTopics.joined(separator: ", ")
                warn(client, "Messages on \(quoted(channel.topic)) are ignored; this server listens on \(topics)")
            } else if !features.encodings.contains(channel.encoding) {
                let encodings = features.encodings.joined(separator: " or ")
                warn(
                    client,
                    "Messages in \(quoted(channel.encoding)) are not understood on \(channel.topic); use \(encodings)")
            }
        }
    }

    private func unadvertise(_ id: UInt32, of client: Client) {
        guard let index = client.channels.firstIndex(where: { $0.id == id }) else {
            return warn(client, "Client is not advertising channel: \(id); ignoring unadvertisement")
        }
        client.channels.remove(at: index)
        isGraphStale = true
    }

    private func receivePublish(
        _ channelID: UInt32, _ payload: [UInt8], from id: ConnectionID, _ client: Client, now: Instant
    ) {
        guard offers(.clientPublish, to: client) else {
            guard allowOperation(client, now: now) else { return }
            return refuse(client, Capability.clientPublish.missingText)
        }
        guard client.publishRate.allow(now: now, cost: 1 + payload.count / Self.operationByteCount) else {
            reach(.publishes)
            return refuse(
                client, "Too many published messages; the limit is \(Int(limits.publishesPerSecond)) per second")
        }
        guard let channel = client.channels.first(where: { $0.id == channelID }) else {
            return refuse(client, "Unknown channel ID: \(channelID)")
        }
        guard let topicIndex = channel.topicIndex else { return }
        guard let encoding = channel.encoding else {
            return refuse(client, "The encoding of client channel \(channelID) is not understood")
        }
        guard role(client) == .operator else { return refuse(client, Self.operatorsOnlyText) }
        guard payload.count <= limits.commandByteCount else {
            reach(.commands)
            return refuse(client, "A command may have \(limits.commandByteCount) bytes at most")
        }
        report(.published(id, topic: features.commandTopics[topicIndex], encoding: encoding, payload: payload))
    }
}
