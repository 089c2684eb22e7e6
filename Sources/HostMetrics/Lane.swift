internal import Synchronization

/// A thread that does one job at a time, for what may block: whoever hands it a job waits as long as they choose, and
/// leaves it alone when it does not come back.
///
/// Used from one thread. The lane's thread ends when the lane is gone and its last job returned.
package final class Lane<Job: Sendable, Outcome: Sendable> {
    private let core: LaneCore<Job, Outcome>
    /// Whether a job was started whose outcome was not taken yet.
    package private(set) var isBusy = false

    /// `make` runs on the new thread, once, before the first job; what it returns does the jobs there. `whenDone` is
    /// called on that thread after each job. Throws where no thread can be had.
    package init(
        _ name: String, whenDone: (@Sendable () -> Void)? = nil,
        _ make: @escaping @Sendable () -> (Job) -> Outcome
    ) throws(CollectError) {
        let core = LaneCore<Job, Outcome>()
        self.core = core
        try startThread(named: name) {
            let work = make()
            while let job = core.nextJob() {
                core.finish(work(job))
                whenDone?()
            }
        }
    }

    deinit { core.close() }

    /// Hands over a job; the outcome of the one before must have been taken.
    package func start(_ job: Job) {
        precondition(!isBusy, "one job at a time")
        isBusy = true
        core.start(job)
    }

    /// The outcome, as soon as it is there; nil: the job takes longer than `seconds`.
    package func wait(seconds: Double) -> Outcome? {
        guard isBusy, let outcome = core.takeOutcome(seconds: seconds) else { return nil }
        isBusy = false
        return outcome
    }
}

/// What a lane and its thread share.
private final class LaneCore<Job: Sendable, Outcome: Sendable>: Sendable {
    private struct State {
        var job: Job?
        var outcome: Outcome?
        var isClosed = false
    }

    private let state = Mutex(State())
    private let started = Semaphore()
    private let finished = Semaphore()

    func start(_ job: Job) {
        state.withLock { $0.job = job }
        started.post()
    }

    func close() {
        state.withLock { $0.isClosed = true }
        started.post()
    }

    /// Waits for a job; nil: there will be none.
    func nextJob() -> Job? {
        while true {
            started.wait()
            let (job, isClosed) = state.withLock { state in
                let job = state.job
                state.job = nil
                return (job, state.isClosed)
            }
            if isClosed { return nil }
            if let job { return job }
        }
    }

    func finish(_ outcome: Outcome) {
        state.withLock { $0.outcome = outcome }
        finished.post()
    }

    func takeOutcome(seconds: Double) -> Outcome? {
        guard finished.wait(seconds: seconds) else { return nil }
        return state.withLock { state in
            let outcome = state.outcome
            state.outcome = nil
            return outcome
        }
    }
}
