import FoxgloveProtocol
internal import Telemetry

/// The connection graph: who publishes, listens and provides, as far as this server sees it.
extension Server {
    func subscribeToGraph(_ client: Client, now: Instant) {
        // Studio subscribes again after every serverInfo.
        guard !client.seesGraph else { return }
        updateGraph(now: now)
        client.seesGraph = true
        graphWatcherCount += 1
        tell(client, (graph.update(from: ConnectionGraph()) ?? ConnectionGraphUpdate()).json)
    }

    func unsubscribeFromGraph(_ client: Client) {
        guard client.seesGraph else { return }
        client.seesGraph = false
        graphWatcherCount -= 1
    }

    /// When a change is told: not each by itself, since it takes a look at every client.
    var graphDeadline: Instant? {
        isGraphStale && graphWatcherCount > 0 ? lastGraphUpdate + limits.graphInterval : nil
    }

    /// Tells those who want to know what changed since the last call.
    func updateGraph(now: Instant) {
        lastGraphUpdate = now
        guard isGraphStale else { return }
        isGraphStale = false
        let old = graph
        graph = makeGraph()
        guard let update = graph.update(from: old)?.json else { return }
        forEachConnected { if $0.seesGraph { tell($0, update) } }
    }

    private func makeGraph() -> ConnectionGraph {
        var graph = ConnectionGraph()
        for index in channels.indices where wireIDs[index] != nil {
            graph.publishers[channels[index].topic] = [identity.name]
        }
        for topic in features.commandTopics { graph.subscribers[topic] = [identity.name] }
        for (_, service) in services { graph.providers[service.name] = [identity.name] }
        forEachConnected { client in
            for index in channels.indices where client.queue.subscriptionID(for: ChannelID(index: index)) != nil {
                graph.subscribers[channels[index].topic, default: []].append(client.graphID)
            }
            // A client may have several channels of one topic.
            for index in Set(client.channels.compactMap(\.topicIndex)).sorted() {
                graph.publishers[features.commandTopics[index], default: []].append(client.graphID)
            }
        }
        return graph
    }
}
