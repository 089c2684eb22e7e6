package import TelemetrySchema

/// What `top` shows and what its keys do, without a terminal and without a server.
package struct TopModel {
    /// The topics whose rates can be changed, in the order in which they are chosen.
    package static let ratedTopics = [
        "/cpu", "/cpu/cores", "/memory", "/pressure", "/net", "/disk", "/sensors", "/processes",
    ]
    /// All that are shown.
    package static let topics = ratedTopics + ["/load", "/system/uptime"]

    package enum Key: Sendable {
        case quit, pause, help, faster, slower, next, previous
    }

    /// What a key asks for.
    package enum Action: Equatable, Sendable {
        case quit
        /// Samples per second, by topic.
        case setRates([(topic: String, hertz: Double)])

        package static func == (left: Self, right: Self) -> Bool {
            switch (left, right) {
            case (.quit, .quit): true
            case (.setRates(let left), .setRates(let right)): left.elementsEqual(right, by: ==)
            default: false
            }
        }
    }

    /// What the server calls itself.
    package var name = ""
    /// Nil: the connection stands.
    package var connectionFault: String?
    /// The last news of the server; a key makes it go.
    package var notice: String?
    /// Samples per second that are in effect, by topic.
    package private(set) var rates: [String: Double] = [:]
    /// Those that keys asked for, and that the server has not answered: the next key goes on from there.
    private var askedRates: [String: Double] = [:]
    package private(set) var messages: [String: DecodedMessage] = [:]
    /// Nil: all of them.
    package private(set) var chosenTopic: String?
    package private(set) var isPaused = false
    package private(set) var isHelpShown = false

    package init() {}

    /// Takes the latest message of a channel; while it is paused, what is shown stays.
    package mutating func take(_ message: DecodedMessage, of topic: String) {
        if !isPaused { messages[topic] = message }
    }

    package mutating func forget(_ topic: String) {
        if !isPaused { messages[topic] = nil }
        rates[topic] = nil
        askedRates[topic] = nil
    }

    /// Takes a rate that is in effect, as the server says.
    package mutating func take(rate hertz: Double, of topic: String) {
        guard Self.ratedTopics.contains(topic) else { return }
        rates[topic] = hertz
        if askedRates[topic] == hertz { askedRates[topic] = nil }
    }

    /// Takes what the server refused.
    package mutating func take(refusal text: String) {
        notice = text
        askedRates = [:]
    }

    package mutating func press(_ key: Key) -> Action? {
        notice = nil
        switch key {
        case .quit:
            guard isHelpShown else { return .quit }
            isHelpShown = false
        case .pause: isPaused.toggle()
        case .help: isHelpShown.toggle()
        case .next: choose(by: 1)
        case .previous: choose(by: -1)
        case .faster, .slower:
            let topics = chosenTopic.map { [$0] } ?? Self.ratedTopics
            let changes = topics.compactMap { topic in
                (askedRates[topic] ?? rates[topic]).map {
                    (topic: topic, hertz: Self.step(from: $0, up: key == .faster))
                }
            }
            guard !changes.isEmpty else {
                notice = "the server has no rates to set"
                return nil
            }
            for (topic, hertz) in changes { askedRates[topic] = hertz }
            return .setRates(changes)
        }
        return nil
    }

    /// All, then the topics that have a rate, and round again.
    private mutating func choose(by step: Int) {
        let choices = [nil] + Self.ratedTopics.filter { rates[$0] != nil }.map { Optional($0) }
        let place = choices.firstIndex(of: chosenTopic) ?? 0
        chosenTopic = choices[(place + step + choices.count) % choices.count]
    }

    /// The next of ..., 0.5, 1, 2, 5, 10, ... Where it ends is the server's business.
    static func step(from hertz: Double, up isUp: Bool) -> Double {
        var steps: [Double] = []
        for exponent in -4...6 {
            // Of whole numbers, so that no step is 0.30000000000000004.
            let factor = (0..<abs(exponent)).reduce(1.0) { product, _ in product * 10 }
            steps += [1, 2, 5].map { exponent < 0 ? $0 / factor : $0 * factor }
        }
        let next = isUp ? steps.first { $0 > hertz * 1.000_1 } : steps.last { $0 < hertz * 0.999_9 }
        return next ?? hertz
    }
}
