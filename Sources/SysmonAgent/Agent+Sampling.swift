internal import FoxgloveProtocol
internal import FoxgloveServer
internal import HostMetrics
internal import Telemetry
internal import WebSocketProtocol

/// Taking samples, publishing them, and keeping the record of how that went.
extension Agent {
    private static let repeatedReportInterval = Period.seconds(600)
    private static let resetReportInterval = Period.seconds(10)
    /// As many failures in a row are told to the viewers.
    private static let failureCountTold = 3
    /// Of a channel that has no rate.
    private static let eventPeriod = Period.seconds(60)
    /// News that are taken at once, so that a flood of them does not keep clients waiting; the rest is announced again.
    private static let newsCountMax = 64

    /// `start` is when the last sample of this tick ended, so that the clock is read once per sample.
    func sample(_ due: Schedule.Due, now: Instant, start: inout Instant?) {
        let index = due.channel.index
        guard sources.indices.contains(index), sources[index].isFound else { return }
        host.agent.collectors[index].overrunCount += due.missedCount
        if let worker = sources[index].worker {
            guard !worker.isBusy else {
                host.agent.collectors[index].overrunCount += 1
                return
            }
            return ask(worker, index, now: now)
        }
        // A channel without a period is only due when somebody begins to listen.
        let context = context(of: index, isFirst: sources[index].registration.isEventDriven)
        switch sample(index, context, now: now, start: &start) {
        case .success: forgetFailures(of: index)
        case .failure(.nothingUsable) where sources[index].registration.isEventDriven: break
        case .failure(let error): countFailure(error, of: index, now: now)
        }
    }

    /// Takes one sample apart from the schedule and returns its message; nil if the source has none.
    func sampleOnDemand(_ index: Int, now: Instant) -> [UInt8]? {
        tick += 1
        suspended = suspendedNanoseconds()
        var start: Instant?
        guard case .success = sample(index, context(of: index, isFirst: true), now: now, start: &start),
            let sampling = sources[index].sampling
        else { return nil }
        return sampling.message
    }

    func context(of index: Int, isFirst: Bool = false) -> SampleContext {
        let channel = ChannelID(index: index)
        return SampleContext(
            tick: tick, suspendedNanoseconds: suspended, period: schedule.period(of: channel) ?? Self.eventPeriod,
            windowSeconds: configuration[channel].sampling?.windowSeconds ?? 0, isFirst: isFirst)
    }

    /// Samples an event-driven channel until there is no more news.
    func takeNews(of descriptor: Int32, now: Instant) {
        if isPressureTrigger(descriptor) { return boost(by: .pressure, seenBy: nil, now: now) }
        guard
            let index = sources.firstIndex(where: {
                $0.registration.isEventDriven && $0.sampling?.eventDescriptor == descriptor
            })
        else { return }
        var start: Instant?
        for takenCount in 0..<Self.newsCountMax {
            switch sample(index, context(of: index), now: now, start: &start) {
            case .success: continue
            case .failure(.nothingUsable):
                if takenCount == 0, !sources[index].emptyNewsRate.allow(now: now) { restart(index) }
                return
            case .failure(let error):
                countFailure(error, of: index, now: now)
                // It would be announced again at once, and for ever: it begins anew with the next search.
                return restart(index)
            }
        }
    }

    /// Samples on the loop's thread and publishes.
    private func sample(
        _ index: Int, _ context: SampleContext, now: Instant, start: inout Instant?
    ) -> Result<Void, CollectError> {
        guard let sampling = sources[index].sampling else { return .failure(.nothingUsable) }
        if agentChannel?.index == index { fillReport(now: now) }
        let begin = start ?? host.clock().monotonic
        do throws(CollectError) {
            let sample = try sampling.sample(context)
            publish(sample, sampling, index)
            let end = host.clock().monotonic
            start = end
            let seconds = end.seconds(since: begin)
            record(sample, of: index, seconds: seconds, now: now)
            recordCost(seconds: seconds, of: index, now: now)
            setStuck(seconds > Self.stuckSeconds, index, seconds: seconds)
            return .success(())
        } catch {
            start = nil
            return .failure(error)
        }
    }

    func publish(_ sample: Sample, _ sampling: any Sampling, _ index: Int) {
        // A worker may come back when its channel is switched off.
        guard configuration.channels[index].isEnabled else { return }
        let byteCount = sampling.encodedByteCount
        let isPublished = server.publish(
            ChannelID(index: index), at: sample.time.realtime, payloadByteCount: byteCount
        ) { sampling.encode(into: &$0) }
        if !isPublished { tell(.messageTooLarge(topic: sources[index].topic, byteCount: byteCount)) }
    }

    // MARK: The record

    func record(_ sample: Sample, of index: Int, seconds: Double, now: Instant) {
        host.agent.collectors[index].sampleCount += 1
        host.agent.collectors[index].lastSeconds = seconds
        host.agent.collectors[index].longestSeconds = max(host.agent.collectors[index].longestSeconds, seconds)
        host.agent.collectors[index].parseErrorCount += UInt64(sample.parseErrorCount)
        host.agent.collectors[index].resetCount += UInt64(sample.resetCount)
        host.agent.collectors[index].entryCount = sample.entryCount
        host.agent.collectors[index].suppressedCount = sample.suppressedCount
        measureRate(of: index, now: now)
        if let seconds = sample.resolutionSeconds, seconds != host.agent.collectors[index].resolutionSeconds {
            host.agent.collectors[index].resolutionSeconds = seconds
            warnOfRate(of: index)
        }
        if sample.resetCount > 0 { tellResets(sample.resetCount, of: index, now: now) }
        for note in sample.notes { tell(.noted(topic: sources[index].topic, note)) }
        if let alarm = sample.alarm { boost(by: alarm, seenBy: sources[index].topic, now: now) }
    }

    private func tellResets(_ count: Int, of index: Int, now: Instant) {
        if let last = sources[index].lastResetReport, now < last + Self.resetReportInterval { return }
        sources[index].lastResetReport = now
        tell(.countersReset(topic: sources[index].topic, count: count))
    }

    /// The achieved rate, over a second or five samples, whichever is longer.
    private func measureRate(of index: Int, now: Instant) {
        guard let rateStart = sources[index].rateStart else {
            sources[index].rateStart = now
            sources[index].rateCount = 0
            return
        }
        sources[index].rateCount += 1
        let seconds = now.seconds(since: rateStart)
        guard seconds >= 1, sources[index].rateCount >= 5 else { return }
        host.agent.collectors[index].actualHertz = Double(sources[index].rateCount) / seconds
        sources[index].rateStart = now
        sources[index].rateCount = 0
    }

    /// Viewers are told of a source that fails again and again, until it gives a sample or nobody wants one.
    func countFailure(_ error: CollectError, of index: Int, now: Instant) {
        host.agent.collectors[index].errorCount += 1
        host.agent.collectors[index].lastError = error
        reportFailure(error, of: index, now: now)
        sources[index].failureCount += 1
        guard sources[index].failureCount == Self.failureCountTold, server.isHeard(ChannelID(index: index)) else {
            return
        }
        let topic = sources[index].topic
        server.setStatus(Self.failureStatus(topic), .warning, "\(topic) cannot be sampled: \(error.text)")
    }

    func forgetFailures(of index: Int) {
        if sources[index].failureCount >= Self.failureCountTold {
            server.removeStatuses([Self.failureStatus(sources[index].topic)])
        }
        sources[index].failureCount = 0
    }

    private static func failureStatus(_ topic: String) -> String { "source:\(topic)" }

    private func reportFailure(_ error: CollectError, of index: Int, now: Instant) {
        if let last = sources[index].lastReport, last.error == error, now < last.at + Self.repeatedReportInterval {
            return
        }
        sources[index].lastReport = (error, now)
        tell(.sampleFailed(topic: sources[index].topic, error))
    }

    private func fillReport(now: Instant) {
        host.agent.clientCount = server.clientCount
        host.agent.subscriptionCount = server.subscriptionCount
        host.agent.sentMessageCount = server.counters.sentMessages
        host.agent.sentByteCount = server.counters.sentByteCount
        host.agent.droppedMessageCount = server.counters.droppedMessages
        host.agent.queuedByteCount = server.queuedByteCount
        for index in sources.indices {
            host.agent.collectors[index].droppedCount = server.droppedCounts[index]
            let isStuck = sources[index].isStuck
            host.agent.collectors[index].stuckSeconds =
                isStuck ? sources[index].askedAt.map { now.seconds(since: $0) } ?? 0 : 0
        }
        for (index, name) in LimitName.allCases.enumerated() {
            host.agent.limits[index].reachedCount = server.limitCounts[name] ?? 0
        }
    }
}
