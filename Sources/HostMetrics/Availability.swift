internal import Telemetry

/// Whether a channel has its source on a host.
package enum Availability: Equatable, Sendable {
    case available
    case absent(CollectError)
    /// Whoever asks it gets no answer.
    case silent

    /// Starts every collector once, as the agent does. Those that block are waited for `seconds`, all together.
    package static func ofEach(
        _ registrations: [Registration], on host: Host, waitingSeconds seconds: Double = 3
    ) -> [Availability] {
        let begin = host.clock().monotonic
        let starts = registrations.map { Start($0, on: host) }
        return starts.map { $0.outcome(waitingSeconds: seconds - host.clock().monotonic.seconds(since: begin)) }
    }
}

/// A collector that was started.
private enum Start {
    case done(Availability)
    case underWay(Worker)

    init(_ registration: Registration, on host: Host) {
        do throws(CollectError) {
            guard registration.isBlocking else {
                _ = try registration.makeSampler(on: host)
                self = .done(.available)
                return
            }
            let worker = try Worker(registration, on: WorkerHost(host, clock: SystemClock.now)) {}
            worker.start()
            self = .underWay(worker)
        } catch { self = .done(.absent(error)) }
    }

    func outcome(waitingSeconds seconds: Double) -> Availability {
        switch self {
        case .done(let availability): availability
        case .underWay(let worker):
            switch worker.takeOutcome(waitingSeconds: seconds) {
            case nil: .silent
            case .failed(let error): .absent(error)
            case .started, .sampled: .available
            }
        }
    }
}
