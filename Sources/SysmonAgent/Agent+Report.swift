internal import FoxgloveProtocol
package import HostMetrics

extension Agent {
    /// What the agent tells of itself, for its owner's log and, where it concerns the host, for `/log`.
    package enum Report: Equatable, Sendable {
        case connected(address: String)
        case disconnected(address: String)
        /// A client was turned away; told once in a while for each address and kind of reason.
        case turnedAway(address: String, reason: String)
        /// A channel cannot be advertised, since its source is missing.
        case sourceMissing(topic: String, CollectError)
        case sourceFound(topic: String)
        /// A sample failed; told again when the reason changes or ten minutes have passed.
        case sampleFailed(topic: String, CollectError)
        case messageTooLarge(topic: String, byteCount: Int)
        /// A sample takes longer than two seconds.
        case stuck(topic: String)
        case unstuck(topic: String, seconds: Double)
        /// The rate that is asked for is higher than the source changes.
        case fasterThanSource(topic: String, sourceHertz: String)
        /// A source takes so long to read that it is read more seldom.
        case slowed(topic: String, hertz: Double)
        case quickAgain(topic: String)
        case noted(topic: String, Note)
        case countersReset(topic: String, count: Int)
        case boostBegan(Alarm, topic: String?, topics: [String], seconds: Int)
        case boostEnded
        case configured(by: String, key: String, old: String, new: String)
        case refused(by: String, text: String)
        /// A change is kept for the next start.
        case kept(by: String)
        /// Changes cannot be kept.
        case notKept(String)
        /// The log is to say this much from now on.
        case logLevel(String)
        case sessionBegan(id: String, by: String)
    }

    /// A report in words.
    package struct LogEntry: Equatable, Sendable {
        package enum Level: Sendable { case error, warning, info }
        package var level: Level
        /// The topic or part that is concerned.
        package var name: String
        package var text: String
        /// Whether it may be told to everybody: nothing about clients is.
        package var isPublic = true

        init(_ level: Level, _ name: String, _ text: String) {
            self.level = level
            self.name = name
            self.text = text
        }

        fileprivate var notPublic: LogEntry {
            var entry = self
            entry.isPublic = false
            return entry
        }
    }
}

extension Agent.Report {
    /// Nil: an order to the log, not a line in it.
    package var entry: Agent.LogEntry? {
        switch self {
        case .connected(let address): .init(.info, "server", "client connected from \(address)").notPublic
        case .disconnected(let address): .init(.info, "server", "client from \(address) left").notPublic
        case .turnedAway(let address, let reason):
            .init(.warning, "server", "\(address) was turned away: \(reason)").notPublic
        case .sourceMissing(let topic, let error): .init(.info, topic, "\(topic) is not offered: \(error.text)")
        case .sourceFound(let topic): .init(.info, topic, "\(topic) is offered now")
        case .sampleFailed(let topic, let error): .init(.warning, topic, "\(topic) was not sampled: \(error.text)")
        case .messageTooLarge(let topic, let byteCount):
            .init(.warning, topic, "\(topic) was not published: \(byteCount) bytes are too many")
        case .stuck(let topic):
            .init(.warning, topic, "\(topic) is stuck: its source does not answer; the other channels are not affected")
        case .unstuck(let topic, let seconds):
            .init(.info, topic, "\(topic) answers again, after \(text(of: .number(seconds.rounded()))) s")
        case .fasterThanSource(let topic, let hertz):
            .init(.warning, topic, "\(topic) is sampled faster than its source changes (\(hertz) times a second)")
        case .slowed(let topic, let hertz):
            .init(
                .warning, topic,
                "\(topic) takes so long to read that it is sampled \(text(of: .number((hertz * 100).rounded() / 100))) "
                    + "times a second at most")
        case .quickAgain(let topic): .init(.info, topic, "\(topic) is sampled as configured again")
        case .noted(let topic, let note):
            .init(note.level == .info ? .info : .warning, topic, "\(topic): \(note.text)")
        case .countersReset(let topic, let count):
            .init(.info, topic, "\(topic): \(count == 1 ? "a counter was" : "counters of \(count) entries were") reset")
        case .boostBegan(let alarm, let topic, let topics, let seconds):
            .init(
                .warning, topic ?? "boost",
                "\(alarm.rawValue)\(topic.map { " seen by \($0)" } ?? ""): \(topics.joined(separator: ", ")) "
                    + "sampled faster for \(seconds) s")
        case .boostEnded: .init(.info, "boost", "sample rates are as configured again")
        case .configured(let client, let key, let old, let new):
            .init(.info, "config", "\(key) set from \(old) to \(new) by \(client)").notPublic
        case .refused(let client, let text): .init(.info, "config", "patch from \(client) refused: \(text)").notPublic
        case .kept(let client): .init(.info, "config", "the change by \(client) is kept for the next start").notPublic
        case .notKept(let reason): .init(.error, "config", "changes cannot be kept: \(reason)").notPublic
        case .logLevel: nil
        case .sessionBegan(let id, let client): .init(.info, "server", "session \(id) begun by \(client)").notPublic
        }
    }
}
