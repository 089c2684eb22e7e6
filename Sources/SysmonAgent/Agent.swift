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
    /// What an owner may choose beside the settings that clients may change.
    package struct Options {
        /// Whether viewers follow the agent's clock instead of their own.
        package var tellsTime = false
        /// What the loop offers beside sockets and time; nil: blocking collectors are sampled on the loop's thread, and
        /// event-driven ones are not told of news, as in a test that has no loop.
        package var watcher: EventWatcher?

        package init() {}
    }

    /// How often missing sources are looked for while a client is connected.
    private static let searchInterval = Period.seconds(10)
    /// However many clients connect meanwhile: to look for all takes milliseconds.
    private static let searchPause = Period.seconds(1)
    package let server: Server
    let host: Host
    let suspendedNanoseconds: () -> UInt64
    let report: (Report) -> Void
    let watcher: EventWatcher?
    var sources: [Source]
    var schedule: Schedule
    package internal(set) var configuration: Configuration
    /// What the host sets: as it was at the start, or at the last reload.
    var defaults: Configuration
    let configChannel: ChannelID
    let configPublisher: ConfigPublisher
    let agentChannel: ChannelID?
    let logPublisher: LogPublisher
    var boost = Boost()
    var tick: UInt64 = 0
    /// As of this tick, since it does not change within one.
    var suspended: UInt64 = 0
    var layoutRequests = LayoutRequests()
    /// Of workers that were asked for something.
    var busyIndices: [Int] = []
    private var nextSearch: Instant?
    private var lastSearch: Instant?
    private(set) var isStopping = false

    /// The settings that a list of collectors begins with; `/log` and `/config` come last.
    package static func defaultConfiguration(
        _ registrations: [Registration], logLevel: String = "info", hostSettings: [Parameter] = []
    ) -> Configuration {
        Configuration(
            channels: registrations.map {
                Configuration.ChannelSettings(
                    topic: $0.channel.topic,
                    sampling: $0.isEventDriven
                        ? nil
                        : Configuration.Sampling(
                            rateHertz: $0.defaultHertz, windowSeconds: $0.defaultWindowSeconds),
                    entrySettings: $0.entrySettings)
            }
                + [LogPublisher.topic, ConfigPublisher.topic].map {
                    Configuration.ChannelSettings(topic: $0, sampling: nil)
                }, logLevel: logLevel,
            hostSettings: hostSettings)
    }

    /// `configuration` is made of ``defaultConfiguration(_:)`` for the same list; `suspendedNanoseconds` tells
    /// CLOCK_BOOTTIME less CLOCK_MONOTONIC.
    package init(
        _ registrations: [Registration], host: Host, configuration: Configuration, identity: Server.Identity,
        options: Options = Options(), limits: ServerLimits = ServerLimits(),
        suspendedNanoseconds: @escaping () -> UInt64, report: @escaping (Report) -> Void
    ) {
        precondition(configuration.channels.count == registrations.count + 2)
        self.host = host
        self.configuration = configuration
        defaults = configuration
        self.suspendedNanoseconds = suspendedNanoseconds
        self.report = report
        watcher = options.watcher
        let channels = registrations.map(\.channel) + [LogPublisher.channel, ConfigPublisher.channel]
        server = Server(
            channels: channels, identity: identity, features: Self.features(channels, host, options), limits: limits)
        sources = registrations.map { Source(registration: $0) }
        schedule = Schedule(
            periods: configuration.channels.map { $0.sampling.map { Period(hertz: $0.rateHertz) } })
        logPublisher = LogPublisher(channel: ChannelID(index: registrations.count))
        configChannel = ChannelID(index: registrations.count + 1)
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
        host.entrySettings = configuration.entrySettings
        for service in Self.services { server.add(service) }
        findSources(now: host.clock().monotonic)
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
        let waits = Instant.earliest(stuckDeadline, layoutRequests.deadline)
        let own = Instant.earliest(nextSearch, .earliest(waits, boost.end))
        return .earliest(own, .earliest(server.nextDeadline, schedule.nextDeadline))
    }

    /// Samples every channel that is due.
    package func tick(now: Instant) {
        beginTick(now: now)
        if let deadline = schedule.nextDeadline, deadline <= now {
            host.lateness.record(nanoseconds: now.nanoseconds - deadline.nanoseconds)
        }
        var start: Instant?
        while let due = schedule.popDue(now: now) { sample(due, now: now, start: &start) }
        if let nextSearch, nextSearch <= now { search(now: now) }
        if let stuckDeadline, stuckDeadline <= now { tellStuck(now: now) }
        if let end = boost.end, end <= now { endBoost(now: now) }
        if let deadline = layoutRequests.deadline, deadline <= now { makeLayouts(now: now) }
        endTick(now: now)
    }

    /// Publishes what workers have done.
    package func woken(now: Instant) {
        beginTick(now: now)
        takeOutcomes(now: now)
        endTick(now: now)
    }

    /// Samples the channel whose descriptor it is, as long as there is news.
    package func ready(_ descriptor: Int32, now: Instant) {
        beginTick(now: now)
        takeNews(of: descriptor, now: now)
        endTick(now: now)
    }

    private func beginTick(now: Instant) {
        tick += 1
        server.beginTick(now: now)
        suspended = suspendedNanoseconds()
    }

    private func endTick(now: Instant) {
        server.endTick(now: now)
        handleEvents(now: now)
    }

    /// Says goodbye to every client.
    package func close() {
        isStopping = true
        server.close(.goingAway, "server shutdown")
    }

    // MARK: Clients

    private func handleEvents(now: Instant) {
        while let event = server.nextEvent() {
            switch event {
            case .connected(_, let address):
                tell(.connected(address: address))
                searchSoon(now: now)
            case .disconnected(let address):
                tell(.disconnected(address: address))
                if server.clientCount == 0 { nextSearch = nil }
            case .refused(let address, let reason): tell(.turnedAway(address: address, reason: reason))
            case .listening(let channel, let startsAt):
                guard sources.indices.contains(channel.index) else { break }
                sources[channel.index].rateStart = nil
                forgetFailures(of: channel.index)
                schedule.resume(channel, at: startsAt)
                watch(channel.index)
            case .idle(let channel):
                schedule.pause(channel)
                guard sources.indices.contains(channel.index) else { break }
                unwatch(channel.index)
                host.agent.collectors[channel.index].actualHertz = .nan
                forgetFailures(of: channel.index)
            case .published(let id, _, let encoding, let payload):
                takePatch(payload, in: encoding, from: id, now: now)
            case .parametersRequested(let request): answer(request, now: now)
            case .serviceCalled(let call): answer(call, now: now)
            case .assetRequested(let request): answer(request, now: now)
            case .resourceRequested(let request): answer(request, now: now)
            case .playbackRequested:
                // Not among our capabilities.
                break
            }
        }
    }

    private func search(now: Instant) {
        lastSearch = now
        nextSearch = now + Self.searchInterval
        findSources(now: now)
    }

    /// At once, unless that was done a moment ago.
    private func searchSoon(now: Instant) {
        guard let lastSearch, now < lastSearch + Self.searchPause else { return search(now: now) }
        nextSearch = .earliest(nextSearch, lastSearch + Self.searchPause)
    }

    /// Advertises exactly the channels that are enabled and have a source.
    func applyEnabled() {
        for index in configuration.channels.indices {
            let hasSource = index >= sources.count || sources[index].isFound
            if configuration.channels[index].isEnabled && hasSource {
                server.advertise(ChannelID(index: index))
            } else {
                server.unadvertise(ChannelID(index: index))
            }
        }
    }
}
