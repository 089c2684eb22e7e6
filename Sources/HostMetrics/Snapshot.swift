internal import Telemetry

/// A look at a host without an agent: two samples of each source, so that there are rates.
package enum Snapshot {
    package enum Outcome: Sendable {
        /// The message of the later sample, in protobuf.
        case message([UInt8])
        case absent(CollectError)
        /// Whoever asks it gets no answer.
        case silent
    }

    /// How long the two samples are apart, in seconds.
    package static let spanSeconds = 0.5

    /// The outcomes in the order of `registrations`. `pause` waits for so many seconds. Sources that block are waited
    /// for `patienceSeconds`, all together, and once more for the second sample.
    package static func take(
        _ registrations: [Registration], on host: Host, patienceSeconds: Double = 3, pause: (Double) -> Void
    ) -> [Outcome] {
        let begin = host.clock().monotonic
        let takers = registrations.map { Taker($0, on: host) }
        func patience(since start: Instant) -> Double {
            patienceSeconds - host.clock().monotonic.seconds(since: start)
        }
        for taker in takers { taker.ask(tick: 1, waitingSeconds: patience(since: begin)) }
        for taker in takers { taker.finish(waitingSeconds: patience(since: begin)) }
        pause(max(0, spanSeconds - host.clock().monotonic.seconds(since: begin)))
        let middle = host.clock().monotonic
        for taker in takers { taker.ask(tick: 2, waitingSeconds: patience(since: middle)) }
        for taker in takers { taker.finish(waitingSeconds: patience(since: middle)) }
        return takers.map(\.outcome)
    }
}

/// Takes the samples of one source.
private final class Taker {
    private let registration: Registration
    private var sampling: (any Sampling)?
    private var worker: Worker?
    private(set) var outcome = Snapshot.Outcome.silent
    private var isGivenUp = false

    init(_ registration: Registration, on host: Host) {
        self.registration = registration
        do throws(CollectError) {
            if registration.isBlocking {
                let worker = try Worker(registration, on: WorkerHost(host, clock: SystemClock.now)) {}
                worker.start()
                self.worker = worker
            } else {
                sampling = try registration.makeSampler(on: host)
            }
        } catch { giveUp(.absent(error)) }
    }

    private func giveUp(_ outcome: Snapshot.Outcome) {
        self.outcome = outcome
        isGivenUp = true
    }

    /// Takes a sample, or has the worker begin with it.
    func ask(tick: UInt64, waitingSeconds: Double) {
        guard !isGivenUp else { return }
        let context = SampleContext(
            tick: tick, period: Period.seconds(1), windowSeconds: 0, isFirst: true)
        if let worker {
            if worker.isBusy {
                switch worker.takeOutcome(waitingSeconds: waitingSeconds) {
                case .started, .sampled: break
                case .failed(let error): return giveUp(.absent(error))
                case nil: return giveUp(.silent)
                }
            }
            return worker.sample(context)
        }
        guard let sampling else { return }
        take { () throws(CollectError) in
            _ = try sampling.sample(context)
            return sampling
        }
    }

    /// Takes what the worker has.
    func finish(waitingSeconds: Double) {
        guard !isGivenUp, let worker else { return }
        switch worker.takeOutcome(waitingSeconds: waitingSeconds) {
        case nil: isGivenUp = true
        case .failed(let error): take { () throws(CollectError) in throw error }
        case .started, .sampled: take { () throws(CollectError) in worker.sampling }
        }
    }

    /// A source that fails the second time has told something the first time.
    private func take(_ sample: () throws(CollectError) -> (any Sampling)?) {
        do throws(CollectError) {
            guard let sampling = try sample() else { return }
            outcome = .message(sampling.message)
        } catch {
            if case .message = outcome { return }
            outcome = .absent(error)
        }
    }
}
