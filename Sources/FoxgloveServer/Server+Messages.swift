internal import FoxgloveProtocol
import Telemetry
import WebSocketProtocol

/// What clients say.
extension Server {
    func receiveText(_ text: [UInt8], _ client: Client, now: Instant) {
        guard allowOperation(client, byteCount: text.count, now: now) else { return }
        do {
            switch try ClientMessage(parsing: text) {
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
            case .unsupported(let capability): refuse(client, capability.missingText)
            }
        } catch {
            refuse(client, "Invalid message: \(error.reason)")
        }
    }

    func receiveBinary(_ bytes: [UInt8], from id: ConnectionID, _ client: Client, now: Instant) {
        guard !bytes.isEmpty else { return }
        do {
            switch try ClientBinaryMessage(parsing: bytes) {
            case .publish(let channelID, let payloadOffset):
                receivePublish(channelID, Array(bytes[payloadOffset...]), from: id, client, now: now)
            case .serviceCall(let serviceID, let callID):
                guard allowOperation(client, now: now) else { return }
                let text = Capability.services.missingText
                tell(client, ServiceCallFailure(serviceID: serviceID, callID: callID, message: text).json)
                refuse(client, text)
            case .playbackControl:
                guard allowOperation(client, now: now) else { return }
                refuse(client, Capability.playbackControl.missingText)
            }
        } catch {
            guard allowOperation(client, now: now) else { return }
            refuse(client, "Invalid message: \(error.reason)")
        }
    }

    func endSubscription(of client: Client, to channel: ChannelID) {
        client.queue.unsubscribe(from: channel)
        listenerCounts[channel.index] -= 1
        if listenerCounts[channel.index] == 0 { report(.idle(channel)) }
    }

    /// A mistake is told to the client that made it, and to nobody else.
    private func refuse(_ client: Client, _ text: String) { tell(client, Status(.error, text).json) }

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

    private static var operationByteCount: Int { 16_384 }

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
            if listenerCounts[index] == 1 { report(.listening(channel, startsAt: startsAt)) }
        }
    }

    // MARK: Client channels

    private func advertise(_ channel: ClientChannel, of client: Client) {
        if client.channels.contains(where: { $0.id == channel.id }) {
            warn(client, "Client is already advertising channel: \(channel.id); ignoring advertisement")
        } else if client.channels.count >= limits.clientChannelsPerClient {
            reach(.clientChannels)
            refuse(client, "Too many client channels; the limit is \(limits.clientChannelsPerClient)")
        } else {
            let topicIndex = commandTopics.firstIndex(of: channel.topic)
            client.channels.append(PublishedChannel(id: channel.id, topicIndex: topicIndex))
            if topicIndex == nil {
                let topics = commandTopics.joined(separator: ", ")
                warn(client, "Messages on \(quoted(channel.topic)) are ignored; this server listens on \(topics)")
            } else if channel.encoding != "json" {
                warn(client, "Messages in \(quoted(channel.encoding)) are not understood on \(channel.topic); use json")
            }
        }
    }

    private func unadvertise(_ id: UInt32, of client: Client) {
        guard let index = client.channels.firstIndex(where: { $0.id == id }) else {
            return warn(client, "Client is not advertising channel: \(id); ignoring unadvertisement")
        }
        client.channels.remove(at: index)
    }

    private func receivePublish(
        _ channelID: UInt32, _ payload: [UInt8], from id: ConnectionID, _ client: Client, now: Instant
    ) {
        guard client.publishRate.allow(now: now) else {
            reach(.publishes)
            return refuse(
                client, "Too many published messages; the limit is \(Int(limits.publishesPerSecond)) per second")
        }
        guard let channel = client.channels.first(where: { $0.id == channelID }) else {
            return refuse(client, "Unknown channel ID: \(channelID)")
        }
        guard let topicIndex = channel.topicIndex else { return }
        report(.published(id, topic: commandTopics[topicIndex], payload: payload))
    }
}
