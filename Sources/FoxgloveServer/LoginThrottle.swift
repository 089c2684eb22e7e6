internal import Telemetry
internal import WebSocketProtocol

/// Has failed logins wait for their answer, and leaves those without one that are too many.
///
/// It slows down who guesses, and shuts nobody out: a right token is never held up, since somebody else behind the same
/// address may have sent the wrong ones. It remembers the answers of the last second, so at most as many as it allows.
struct LoginThrottle: Sendable {
    private struct Answer {
        var address: String
        var admittedAt: Instant
    }

    private let limits: ServerLimits
    private var answers: [Answer] = []
    /// In the order of their times.
    private var waiting: [(id: ConnectionID, answerAt: Instant)] = []

    init(limits: ServerLimits) { self.limits = limits }

    /// When the next answer is due.
    var nextDeadline: Instant? { waiting.first?.answerAt }

    /// Has a connection wait for its answer; returns the limit that is reached if it is to get none.
    mutating func admit(_ id: ConnectionID, from address: String, now: Instant) -> LimitName? {
        answers.removeAll { $0.admittedAt + .seconds(1) <= now }
        guard answers.count < limits.failedLoginsPerSecond else { return .failedLogins }
        guard answers.count(where: { $0.address == address }) < limits.failedLoginsPerAddressPerSecond else {
            return .failedLoginsPerAddress
        }
        answers.append(Answer(address: address, admittedAt: now))
        waiting.append((id, now + limits.failedLoginDelay))
        return nil
    }

    /// A connection whose answer is due.
    mutating func popDue(now: Instant) -> ConnectionID? {
        guard let first = waiting.first, first.answerAt <= now else { return nil }
        waiting.removeFirst()
        return first.id
    }

    /// The client went away without waiting.
    mutating func forget(_ id: ConnectionID) { waiting.removeAll { $0.id == id } }
}
