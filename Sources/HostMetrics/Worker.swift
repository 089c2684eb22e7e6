internal import Telemetry

/// A blocking collector on a thread of its own: the loop asks for a sample, and takes it when the thread is done.
///
/// Never more than one sample is under way; whoever does not come back is left alone.
package final class Worker {
    package enum Outcome: Sendable {
        /// The source is there.
        case started
        /// The message is ready, and stays until the next sample is asked for.
        case sampled(Sample, seconds: Double)
        case failed(CollectError)
    }

    private let seat: Seat
    private let lane: Lane<Request, Outcome>

    private enum Request: Sendable {
        case start
        case sample(SampleContext)
    }

    /// `wake` is called on the worker's thread when it is done with what it was asked for.
    package init(
        _ registration: Registration, on host: WorkerHost, after sequence: UInt32 = 0,
        wake: @escaping @Sendable () -> Void
    ) throws(CollectError) {
        let seat = Seat()
        self.seat = seat
        lane = try Lane(registration.channel.topic, whenDone: wake) {
            let host = host.makeHost()
            return { request in
                do throws(CollectError) {
                    guard let sampling = seat.sampling else {
                        seat.sampling = try registration.makeSampler(on: host, after: sequence)
                        return .started
                    }
                    guard case .sample(let context) = request else { return .started }
                    let begin = host.clock().monotonic
                    let sample = try sampling.sample(context)
                    // Packs, so that the loop only copies.
                    _ = sampling.encodedByteCount
                    return .sampled(sample, seconds: host.clock().monotonic.seconds(since: begin))
                } catch { return .failed(error) }
            }
        }
    }

    package var isBusy: Bool { lane.isBusy }

    /// Opens the source.
    package func start() { lane.start(.start) }

    package func sample(_ context: SampleContext) { lane.start(.sample(context)) }

    /// What came of the last request, once; nil: it is not done, and not within `seconds` either.
    package func takeOutcome(waitingSeconds seconds: Double = 0) -> Outcome? { lane.wait(seconds: seconds) }

    /// The message of the last sample; only while the worker is not busy.
    package var sampling: (any Sampling)? {
        precondition(!isBusy, "the worker has its message")
        return seat.sampling
    }
}

/// What passes between the loop and the worker's thread: it is the thread's from a request until its outcome was taken,
/// which the lane orders, and else the loop's.
private final class Seat: @unchecked Sendable {
    var sampling: (any Sampling)?
}
