import FoxgloveProtocol

/// Who publishes and subscribes to which topic, and who provides which service; names and ids are sorted.
struct ConnectionGraph: Equatable {
    var publishers: [String: [String]] = [:]
    var subscribers: [String: [String]] = [:]
    var providers: [String: [String]] = [:]

    /// What changed since `old`; nil: nothing. A name whose ids changed comes with all its ids. A topic that lost its
    /// publishers but not its subscribers is not removed: it comes without publishers.
    func update(from old: ConnectionGraph) -> ConnectionGraphUpdate? {
        guard self != old else { return nil }
        var update = ConnectionGraphUpdate()
        for name in Self.names(publishers, old.publishers) where publishers[name] != old.publishers[name] {
            guard has(name) else { continue }
            update.publishedTopics.append(.init(name: name, publisherIDs: publishers[name] ?? []))
        }
        for name in Self.names(subscribers, old.subscribers) where subscribers[name] != old.subscribers[name] {
            guard has(name) else { continue }
            update.subscribedTopics.append(.init(name: name, subscriberIDs: subscribers[name] ?? []))
        }
        for name in Self.names(providers, [:]) where providers[name] != old.providers[name] {
            update.advertisedServices.append(.init(name: name, providerIDs: providers[name] ?? []))
        }
        update.removedTopics = Self.names(old.publishers, old.subscribers).filter { !has($0) }
        update.removedServices = Self.names(old.providers, [:]).filter { providers[$0] == nil }
        return update
    }

    private func has(_ topic: String) -> Bool { publishers[topic] != nil || subscribers[topic] != nil }

    private static func names(_ left: [String: [String]], _ right: [String: [String]]) -> [String] {
        Set(left.keys).union(right.keys).sorted()
    }
}
