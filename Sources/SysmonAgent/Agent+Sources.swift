internal import FoxgloveProtocol
internal import FoxgloveServer
internal import HostMetrics
internal import Telemetry
internal import WebSocketProtocol

/// Where samples come from: collectors on the loop's thread, workers, and descriptors that tell of news.
extension Agent {
    /// A sample that takes longer is told to the viewers.
    static let stuckSeconds = 2.0
    private static let stuckTime = Period.seconds(2)

    /// Starts the collectors that have none yet, and advertises what they can fill.
    func findSources(now: Instant) {
        for index in sources.indices where sources[index].sampling == nil && sources[index].worker == nil {
            do throws(CollectError) {
                if let watcher, sources[index].registration.isBlocking {
                    try startWorker(index, watcher, now: now)
                } else {
                    sources[index].sampling = try sources[index].registration.makeSampler(
                        on: host, after: sources[index].lastSequence)
                    found(index, now: now)
                }
            } catch { missing(index, error) }
        }
        applyEnabled()
    }

    /// Lets a collector begin anew, with other settings. One that hangs is left alone until it answers.
    func restart(_ index: Int) {
        guard sources[index].askedAt == nil else {
            sources[index].isOutdated = true
            return
        }
        unwatch(index)
        if let sampling = sources[index].sampling ?? sources[index].worker?.sampling {
            sources[index].lastSequence = sampling.sequence
        }
        sources[index].sampling = nil
        sources[index].worker = nil
        sources[index].lastOutcome = nil
        sources[index].isOutdated = false
    }

    private func found(_ index: Int, now: Instant) {
        let channel = ChannelID(index: index)
        if server.isHeard(channel) {
            watch(index)
            // It began anew, and tells those who listen what is.
            if sources[index].registration.isEventDriven { schedule.resume(channel, at: now) }
        }
        guard !sources[index].isFound else { return }
        sources[index].isFound = true
        if sources[index].wasSought { tell(.sourceFound(topic: sources[index].topic)) }
        sources[index].wasSought = true
    }

    private func missing(_ index: Int, _ error: CollectError) {
        sources[index].isFound = false
        if !sources[index].wasSought { tell(.sourceMissing(topic: sources[index].topic, error)) }
        sources[index].wasSought = true
    }

    // MARK: Workers

    private func startWorker(_ index: Int, _ watcher: EventWatcher, now: Instant) throws(CollectError) {
        let worker = try Worker(
            sources[index].registration, on: WorkerHost(host, clock: SystemClock.now),
            after: sources[index].lastSequence, wake: watcher.wake)
        worker.start()
        sources[index].worker = worker
        markBusy(index, now: now)
    }

    func ask(_ worker: Worker, _ index: Int, now: Instant) {
        worker.sample(context(of: index))
        markBusy(index, now: now)
    }

    private func markBusy(_ index: Int, now: Instant) {
        sources[index].askedAt = now
        if !busyIndices.contains(index) { busyIndices.append(index) }
    }

    /// Takes a blocking collector's sample for a service call, as soon as its worker has one.
    func sampleLater(for call: ServiceCall, _ worker: Worker, _ index: Int, now: Instant) {
        sources[index].waitingCalls.append(call)
        if !worker.isBusy { ask(worker, index, now: now) }
    }

    /// Publishes the samples of the workers that are done.
    func takeOutcomes(now: Instant) {
        for index in busyIndices {
            guard let worker = sources[index].worker, let outcome = worker.takeOutcome() else { continue }
            let seconds = sources[index].askedAt.map { now.seconds(since: $0) } ?? 0
            sources[index].askedAt = nil
            setStuck(false, index, seconds: seconds)
            take(outcome, of: worker, index, now: now)
            if sources[index].isOutdated {
                restart(index)
                findSources(now: now)
            }
        }
        busyIndices.removeAll { sources[$0].askedAt == nil }
        makeLayouts(now: now)
    }

    private func take(_ outcome: Worker.Outcome, of worker: Worker, _ index: Int, now: Instant) {
        switch outcome {
        case .started:
            found(index, now: now)
            applyEnabled()
            // It began anew while somebody waited.
            if !sources[index].waitingCalls.isEmpty { ask(worker, index, now: now) }
        case .sampled(let sample, let seconds):
            sources[index].lastOutcome = (now, isSample: true)
            guard let sampling = worker.sampling else { break }
            publish(sample, sampling, index)
            record(sample, of: index, seconds: seconds, now: now)
            forgetFailures(of: index)
            answerWaiting(index, with: sampling.message)
        case .failed(let error) where worker.sampling != nil:
            sources[index].lastOutcome = (now, isSample: false)
            countFailure(error, of: index, now: now)
            answerWaiting(index, with: nil)
        case .failed(let error):
            sources[index].worker = nil
            missing(index, error)
            applyEnabled()
            answerWaiting(index, with: nil)
        }
    }

    private func answerWaiting(_ index: Int, with message: @autoclosure () -> [UInt8]?) {
        guard !sources[index].waitingCalls.isEmpty else { return }
        let message = message()
        for call in sources[index].waitingCalls {
            respond(to: call, with: sampleResponse(sources[index].registration.channel, message))
        }
        sources[index].waitingCalls = []
    }

    // MARK: Stuck samples

    /// When the next worker is to be looked after.
    var stuckDeadline: Instant? {
        var deadline: Instant?
        for index in busyIndices where !sources[index].isStuck {
            deadline = .earliest(deadline, sources[index].askedAt.map { $0 + Self.stuckTime })
        }
        return deadline
    }

    func tellStuck(now: Instant) {
        for index in busyIndices {
            guard let askedAt = sources[index].askedAt, askedAt + Self.stuckTime <= now else { continue }
            setStuck(true, index, seconds: now.seconds(since: askedAt))
        }
    }

    /// Viewers are told of a source that hangs, until it answers.
    func setStuck(_ isStuck: Bool, _ index: Int, seconds: Double) {
        guard isStuck != sources[index].isStuck else { return }
        sources[index].isStuck = isStuck
        let topic = sources[index].topic
        if isStuck {
            server.setStatus(
                "stuck:\(topic)", .warning, "\(topic) took longer than \(Int(Self.stuckSeconds)) seconds to sample")
            tell(.stuck(topic: topic))
        } else {
            server.removeStatuses(["stuck:\(topic)"])
            tell(.unstuck(topic: topic, seconds: seconds))
        }
    }

    // MARK: News

    /// Waits for news of an event-driven channel, now that somebody listens.
    func watch(_ index: Int) {
        watchPressure()
        guard sources[index].registration.isEventDriven, let descriptor = sources[index].sampling?.eventDescriptor
        else { return }
        _ = watcher?.watch(descriptor, false)
    }

    func unwatch(_ index: Int) {
        unwatchPressure()
        guard sources[index].registration.isEventDriven, let descriptor = sources[index].sampling?.eventDescriptor
        else { return }
        watcher?.unwatch(descriptor)
    }
}
