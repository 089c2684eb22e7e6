package import FoxgloveProtocol
package import FoxgloveServer
package import HostMetrics
package import Telemetry
package import WebSocketProtocol

/// The agent without its sockets and its clocks: collectors, their schedule, the server, and the configuration that
/// clients may change.
///
/// Whatever happens comes in as a call, with the time as an argument; whatever is to be sent is asked for. A test plays
/// the loop, the clock and the clients. All on one thread.
package final class Agent: ConnectionHandler {
    /// What the agent tells of itself, for a log.
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
        case configured(by: String, key: String, old: String, new: String)
        case refused(by: String, text: String)
        /// The log is to say this much from now on.
        case logLevel(String)
        case sessionBegan(id: String, by: String)
    }

    /// What an owner may choose beside the settings that clients may change.
    package struct Options: Sendable {
        /// Whether viewers follow the agent's clock instead of their own.
        package var tellsTime = false

        package init() {}
    }

    struct Source {
        var registration: Registration
        /// Nil while the source is missing on this host.
        var sampling: (any Sampling)?
        var lastReport: (error: CollectError, at: Instant)?
        /// Samples that failed since the last good one.
        var failureCount = 0
        /// The last sample took longer than ``stuckSeconds``.
        var isStuck = false
        /// Where the measurement of the achieved rate began.
        var rateStart: Instant?
        var rateCount = 0
    }

    /// How often missing sources are looked for while a client is connected.
    private static let searchInterval = Period.seconds(10)
    private static let repeatedReportInterval = Period.seconds(600)
    /// As many failures in a row are told to the viewers.
    private static let failureCountTold = 3
    /// A sample that takes longer holds up everything else, which viewers see as a gap.
    private static let stuckSeconds = 2.0

    package let server: Server
    let host: Host
    private let suspendedNanoseconds: () -> UInt64
    let report: (Report) -> Void
    var sources: [Source]
    var schedule: Schedule
    package internal(set) var configuration: Configuration
    /// What the host sets: as it was at the start, or at the last reload.
    var defaults: Configuration
    let configChannel: ChannelID
    let configPublisher: ConfigPublisher
    let agentChannel: ChannelID?
    private var tick: UInt64 = 0
    /// As of this tick, since it does not change within one.
    private var suspended: UInt64 = 0
    private var nextSearch: Instant?

    /// The settings that a list of collectors begins with; `/config` comes last.
    package static func defaultConfiguration(
        _ registrations: [Registration], logLevel: String = "info", hostSettings: [Parameter] = []
    ) -> Configuration {
        Configuration(
            channels: registrations.map {
                Configuration.ChannelSettings(
                    topic: $0.channel.topic,
                    sampling: Configuration.Sampling(
                        rateHertz: $0.defaultHertz, windowSeconds: $0.defaultWindowSeconds))
            } + [Configuration.ChannelSettings(topic: ConfigPublisher.topic, sampling: nil)], logLevel: logLevel,
            hostSettings: hostSettings)
    }

    /// `configuration` is made of ``defaultConfiguration(_:)`` for the same list; `suspendedNanoseconds` tells
    /// CLOCK_BOOTTIME less CLOCK_MONOTONIC.
    package init(
        _ registrations: [Registration], host: Host, configuration: Configuration, identity: Server.Identity,
        options: Options = Options(), limits: ServerLimits = ServerLimits(),
        suspendedNanoseconds: @escaping () -> UInt64, report: @escaping (Report) -> Void
    ) {
        precondition(configuration.channels.count == registrations.count + 1)
        self.host = host
        self.configuration = configuration
        defaults = configuration
        self.suspendedNanoseconds = suspendedNanoseconds
        self.report = report
        let channels = registrations.map(\.channel) + [ConfigPublisher.channel]
        server = Server(
            channels: channels, identity: identity, features: Self.features(channels, host, options), limits: limits)
        sources = registrations.map { Source(registration: $0) }
        schedule = Schedule(
            periods: configuration.channels.map { Period(hertz: $0.sampling?.rateHertz ?? 1) })
        configChannel = ChannelID(index: registrations.count)
        configPublisher = ConfigPublisher(channelCount: channels.count)
        agentChannel = channels.firstIndex { $0.topic == "/agent" }.map { ChannelID(index: $0) }

        host.agent.version = agentVersion
        host.agent.collectors = zip(registrations, configuration.channels).map { registration, settings in
            AgentReport.CollectorRecord(
                topic: settings.topic, requestedHertz: settings.sampling?.rateHertz ?? 0,
                resolutionSeconds: registration.resolutionSeconds)
        }
        host.agent.limits = LimitName.allCases.map {
            AgentReport.LimitRecord(name: $0.rawValue, limit: limits.value(of: $0), reachedCount: 0)
        }
        for service in Self.services { server.add(service) }
        findSources(isFirst: true)
        for index in sources.indices { warnOfRate(of: index) }
        publishConfiguration()
    }

    // MARK: The loop's calls

    package func opened(_ id: ConnectionID, from address: String, now: Instant) {
        server.opened(id, from: address, now: now)
    }

    package func received(_ bytes: Span<UInt8>, from id: ConnectionID, now: Instant) {
        var offset = 0
        var isMore = true
        while isMore {
            isMore = server.receive(bytes, &offset, from: id, now: now)
            handleEvents(now: now)
        }
    }

    package func secured(_ id: ConnectionID, peerNames: [String]) { server.secured(id, peerNames: peerNames) }

    package func holds(_ id: ConnectionID, byteCount: Int) { server.holds(id, byteCount: byteCount) }

    package func unblocked(_ id: ConnectionID) { server.unblocked(id) }

    package func closed(_ id: ConnectionID, now: Instant) {
        server.closed(id, now: now)
        handleEvents(now: now)
    }

    package func send(to id: ConnectionID, _ write: (Outgoing) -> Int) -> SendOutcome { server.send(to: id, write) }

    package var nextDeadline: Instant? {
        .earliest(server.nextDeadline, .earliest(schedule.nextDeadline, nextSearch))
    }

    /// Samples every channel that is due.
    package func tick(now: Instant) {
        tick += 1
        server.beginTick(now: now)
        suspended = suspendedNanoseconds()
        var start: Instant?
        while let due = schedule.popDue(now: now) { sample(due, now: now, start: &start) }
        if let nextSearch, nextSearch <= now {
            self.nextSearch = now + Self.searchInterval
            findSources(isFirst: false)
        }
        server.endTick(now: now)
        handleEvents(now: now)
    }

    /// Says goodbye to every client.
    package func close() { server.close(.goingAway, "server shutdown") }

    // MARK: Sampling

    /// `start` is when the last sample of this tick ended, so that the clock is read once per sample.
    private func sample(_ due: Schedule.Due, now: Instant, start: inout Instant?) {
        let index = due.channel.index
        host.agent.collectors[index].overrunCount += due.missedCount
        guard sources[index].sampling != nil else { return }
        if sample(due.channel, now: now, start: &start) {
            forgetFailures(of: index)
        } else {
            countFailure(of: index)
        }
    }

    /// Viewers are told of a source that fails again and again, until it gives a sample or nobody wants one.
    private func countFailure(of index: Int) {
        sources[index].failureCount += 1
        guard sources[index].failureCount == Self.failureCountTold,
            let error = host.agent.collectors[index].lastError
        else { return }
        let topic = sources[index].registration.channel.topic
        server.setStatus(Self.failureStatus(topic), .warning, "\(topic) cannot be sampled: \(error.text)")
    }

    private func forgetFailures(of index: Int) {
        if sources[index].failureCount >= Self.failureCountTold {
            server.removeStatuses([Self.failureStatus(sources[index].registration.channel.topic)])
        }
        sources[index].failureCount = 0
    }

    private static func failureStatus(_ topic: String) -> String { "source:\(topic)" }

    /// Takes one sample apart from the schedule and returns its message; nil if the source has none.
    func sampleOnDemand(_ index: Int, now: Instant) -> [UInt8]? {
        tick += 1
        suspended = suspendedNanoseconds()
        var start: Instant?
        guard sample(ChannelID(index: index), now: now, start: &start), let sampling = sources[index].sampling else {
            return nil
        }
        var payload = [UInt8](repeating: 0, count: sampling.encodedByteCount)
        var target = payload.mutableSpan
        sampling.encode(into: &target)
        return payload
    }

    /// Samples and publishes; false if there was nothing to publish.
    private func sample(_ channel: ChannelID, now: Instant, start: inout Instant?) -> Bool {
        let index = channel.index
        guard let sampling = sources[index].sampling else { return false }
        if channel == agentChannel { fillReport() }
        let context = SampleContext(
            tick: tick, suspendedNanoseconds: suspended, period: schedule.period(of: channel),
            windowSeconds: configuration[channel].sampling?.windowSeconds ?? 0)
        let begin = start ?? host.clock().monotonic
        do {
            let sample = try sampling.sample(context)
            let byteCount = sampling.encodedByteCount
            let isPublished = server.publish(channel, at: sample.time.realtime, payloadByteCount: byteCount) {
                sampling.encode(into: &$0)
            }
            if !isPublished {
                report(.messageTooLarge(topic: sources[index].registration.channel.topic, byteCount: byteCount))
            }
            let end = host.clock().monotonic
            start = end
            record(sample, of: index, seconds: end.seconds(since: begin), now: now)
            return true
        } catch {
            start = nil
            host.agent.collectors[index].errorCount += 1
            host.agent.collectors[index].lastError = error
            reportFailure(error, of: index, now: now)
            return false
        }
    }

    private func record(_ sample: Sample, of index: Int, seconds: Double, now: Instant) {
        host.agent.collectors[index].sampleCount += 1
        host.agent.collectors[index].lastSeconds = seconds
        host.agent.collectors[index].longestSeconds = max(host.agent.collectors[index].longestSeconds, seconds)
        host.agent.collectors[index].parseErrorCount += UInt64(sample.parseErrorCount)
        host.agent.collectors[index].resetCount += UInt64(sample.resetCount)
        host.agent.collectors[index].entryCount = sample.entryCount
        host.agent.collectors[index].suppressedCount = sample.suppressedCount
        measureRate(of: index, now: now)
        warnOfStuck(seconds > Self.stuckSeconds, index)
    }

    /// Viewers are told of a collector that was stuck, until it gives a sample in time.
    private func warnOfStuck(_ isStuck: Bool, _ index: Int) {
        guard isStuck != sources[index].isStuck else { return }
        sources[index].isStuck = isStuck
        let topic = sources[index].registration.channel.topic
        if isStuck {
            server.setStatus(
                "stuck:\(topic)", .warning, "\(topic) took longer than \(Int(Self.stuckSeconds)) seconds to sample")
        } else {
            server.removeStatuses(["stuck:\(topic)"])
        }
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

    private func reportFailure(_ error: CollectError, of index: Int, now: Instant) {
        if let last = sources[index].lastReport, last.error == error, now < last.at + Self.repeatedReportInterval {
            return
        }
        sources[index].lastReport = (error, now)
        report(.sampleFailed(topic: sources[index].registration.channel.topic, error))
    }

    private func fillReport() {
        host.agent.clientCount = server.clientCount
        host.agent.subscriptionCount = server.subscriptionCount
        host.agent.sentMessageCount = server.counters.sentMessages
        host.agent.sentByteCount = server.counters.sentByteCount
        host.agent.droppedMessageCount = server.counters.droppedMessages
        host.agent.queuedByteCount = server.queuedByteCount
        for index in sources.indices { host.agent.collectors[index].droppedCount = server.droppedCounts[index] }
        for (index, name) in LimitName.allCases.enumerated() {
            host.agent.limits[index].reachedCount = server.limitCounts[name] ?? 0
        }
    }

    /// Starts the collectors that have none yet, and advertises what they can fill.
    private func findSources(isFirst: Bool) {
        for index in sources.indices where sources[index].sampling == nil {
            let topic = sources[index].registration.channel.topic
            do {
                sources[index].sampling = try sources[index].registration.makeSampler(on: host)
                if !isFirst { report(.sourceFound(topic: topic)) }
            } catch {
                if isFirst { report(.sourceMissing(topic: topic, error)) }
            }
        }
        applyEnabled()
    }

    // MARK: Clients

    private func handleEvents(now: Instant) {
        while let event = server.nextEvent() {
            switch event {
            case .connected(_, let address):
                report(.connected(address: address))
                findSources(isFirst: false)
                nextSearch = nextSearch ?? now + Self.searchInterval
            case .disconnected(let address):
                report(.disconnected(address: address))
                if server.clientCount == 0 { nextSearch = nil }
            case .refused(let address, let reason): report(.turnedAway(address: address, reason: reason))
            case .listening(let channel, let startsAt):
                guard sources.indices.contains(channel.index) else { break }
                sources[channel.index].rateStart = nil
                schedule.resume(channel, at: startsAt)
            case .idle(let channel):
                schedule.pause(channel)
                guard sources.indices.contains(channel.index) else { break }
                host.agent.collectors[channel.index].actualHertz = .nan
                forgetFailures(of: channel.index)
                warnOfStuck(false, channel.index)
            case .published(let id, _, let encoding, let payload):
                takePatch(payload, in: encoding, from: id, now: now)
            case .parametersRequested(let request): answer(request, now: now)
            case .serviceCalled(let call): answer(call, now: now)
            case .playbackRequested:
                // Not among our capabilities.
                break
            }
        }
    }

    /// Advertises exactly the channels that are enabled and have a source.
    func applyEnabled() {
        for index in configuration.channels.indices {
            let hasSource = index >= sources.count || sources[index].sampling != nil
            if configuration.channels[index].isEnabled && hasSource {
                server.advertise(ChannelID(index: index))
            } else {
                server.unadvertise(ChannelID(index: index))
            }
        }
    }
}
