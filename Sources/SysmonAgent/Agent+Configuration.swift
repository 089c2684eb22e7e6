internal import FoxgloveProtocol
internal import FoxgloveServer
internal import HostMetrics
package import Telemetry
internal import WebSocketProtocol

/// The configuration: every way to change it ends in one place, so that every viewer hears of every change once.
extension Agent {
    /// Takes a patch that was published on `/config`; what is wrong is told to its sender alone.
    func takePatch(_ payload: [UInt8], in encoding: String, from id: ConnectionID, now: Instant) {
        do {
            server.publish(try change(by: payload, in: encoding, from: id, now: now))
        } catch {
            refuse(error, from: id)
        }
    }

    /// Answers with what is in effect, also where a change was refused: viewers show a new value before they are told.
    func answer(_ request: ParameterRequest, now: Instant) {
        var changed: [Parameter] = []
        if let assignments = request.assignments {
            do {
                var patched = configuration
                try patched.apply(assignments, defaults: defaults)
                changed = adopt(patched, by: server.description(of: request.client), now: now)
            } catch {
                refuse(error, from: request.client)
            }
        }
        let isForAll = request.assignments == nil && request.names.isEmpty
        let names = Set(request.names)
        server.answer(request, with: configuration.parameters.filter { isForAll || names.contains($0.name) })
        server.publish(changed)
    }

    /// Takes what the host sets now. What clients changed stays, unless the host's own settings are others than before.
    package func reload(_ configuration: Configuration, now: Instant) {
        guard configuration != defaults else { return }
        defaults = configuration
        let changed = sources.indices.filter {
            configuration.channels[$0].entries != self.configuration.channels[$0].entries
        }
        server.publish(adopt(configuration, by: "the host", now: now))
        host.entrySettings = configuration.entrySettings
        if !changed.isEmpty { isScraperOutdated = true }
        for index in changed { restart(index) }
        if !changed.isEmpty { findSources(now: now) }
    }

    /// Takes a client's patch, and returns what changed. One with anything wrong in it changes nothing, nor does one
    /// that cannot be kept as it asks.
    func change(
        by payload: [UInt8], in encoding: String, from id: ConnectionID, now: Instant
    ) throws(Configuration.Refusal) -> [Parameter] {
        var text = payload
        if encoding == "protobuf" {
            guard let json = ConfigPublisher.json(ofPatch: payload) else {
                throw Configuration.Refusal(text: "/config: the patch is not a sysmon.v1.Config")
            }
            text = json
        }
        let patch = try Configuration.patch(parsing: text, by: .client)
        var patched = configuration
        try patched.apply(patch, by: .client)
        if patch.isPersistent { try keep(patch, from: id, now: now) }
        return adopt(patched, by: server.description(of: id), now: now)
    }

    private func keep(_ patch: Patch, from id: ConnectionID, now: Instant) throws(Configuration.Refusal) {
        guard let keepChanges else {
            throw Configuration.Refusal(
                text: "persist: the agent has no place to keep changes in (STATE_DIRECTORY); leave persist out")
        }
        guard keepRate.allow(now: now) else {
            throw Configuration.Refusal(text: "persist: more than one change a second cannot be kept; try again")
        }
        do throws(Configuration.Refusal) { try keepChanges(KeptChanges(patch)) } catch {
            tell(.notKept(error.text))
            throw Configuration.Refusal(text: "persist: the change cannot be kept, and was not made: \(error.text)")
        }
        // The next start begins with it.
        try defaults.apply(patch, by: .client)
        tell(.kept(by: server.description(of: id)))
    }

    /// Puts a configuration into effect and returns what changed.
    func adopt(_ patched: Configuration, by author: String, now: Instant) -> [Parameter] {
        let old = configuration
        guard patched != old else { return [] }
        configuration = patched
        var changed: [Parameter] = []
        for (before, after) in zip(old.parameters, patched.parameters) where before != after {
            changed.append(after)
            tell(
                .configured(
                    by: author, key: after.name, old: shown(before), new: shown(after)))
        }
        if !patched.boost.isEnabled, boost.end != nil { endBoost(now: now) }
        applyRates(now: now)
        watchPressure()
        unwatchPressure()
        for index in sources.indices { warnOfRate(of: index) }
        if patched.logLevel != old.logLevel { tell(.logLevel(patched.logLevel)) }
        applyEnabled()
        publishConfiguration()
        return changed
    }

    private func shown(_ parameter: Parameter) -> String { parameter.value.map { text(of: $0.json) } ?? "nothing" }

    private func refuse(_ refusal: Configuration.Refusal, from id: ConnectionID) {
        tell(.refused(by: server.description(of: id), text: refusal.text))
        server.sendStatus(.error, refusal.text, to: id)
    }

    func publishConfiguration() {
        configPublisher.publish(configuration, on: configChannel, at: host.clock().realtime, to: server)
    }

    /// Warns all viewers while a channel is sampled more often than its source changes.
    func warnOfRate(of index: Int) {
        let settings = configuration.channels[index]
        let id = "rate:\(settings.topic)"
        let resolution = host.agent.collectors[index].resolutionSeconds
        guard settings.isEnabled, let rate = settings.sampling?.rateHertz, resolution > 0, rate * resolution > 1 else {
            sources[index].isTooFast = false
            return server.removeStatuses([id])
        }
        let most = text(of: .number(1 / resolution))
        server.setStatus(
            id, .warning, "\(settings.topic) is sampled faster than its source changes (\(most) times a second)")
        if !sources[index].isTooFast { tell(.fasterThanSource(topic: settings.topic, sourceHertz: most)) }
        sources[index].isTooFast = true
    }
}
