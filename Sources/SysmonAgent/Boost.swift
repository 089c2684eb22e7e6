internal import FoxgloveServer
internal import HostMetrics
internal import Telemetry
internal import WebSocketProtocol

/// A boost that is in effect, and what may begin one.
struct Boost {
    /// However often alarms make it longer, it ends after so many times its length, and then rests for as long.
    static let lengthMax: UInt64 = 10

    /// When it ends; nil: none is in effect.
    var end: Instant?
    /// The latest that it may end, or might have ended.
    var endMax: Instant?
    /// Until when no other begins.
    var restEnd: Instant?
    /// Open while somebody listens.
    var triggers: PressureTriggers?
}

extension Agent {
    /// Raises the chosen rates; a boost that is in effect lasts longer.
    func boost(by alarm: Alarm, seenBy topic: String?, now: Instant) {
        guard configuration.boost.isEnabled else { return }
        let end = now + Period.seconds(UInt64(configuration.boost.seconds))
        if boost.end != nil {
            boost.end = .earliest(end, boost.endMax)
            return
        }
        if let restEnd = boost.restEnd, now < restEnd { return }
        boost.end = end
        boost.endMax = now + Period.seconds(UInt64(configuration.boost.seconds) * Boost.lengthMax)
        let topics = applyRates(now: now)
        tell(.boostBegan(alarm, topic: topic, topics: topics, seconds: Int(configuration.boost.seconds)))
    }

    func endBoost(now: Instant) {
        boost.restEnd =
            boost.end == boost.endMax
            ? now + Period.seconds(UInt64(configuration.boost.seconds) * Boost.lengthMax) : nil
        boost.end = nil
        _ = applyRates(now: now)
        tell(.boostEnded)
    }

    /// What a channel is sampled at: as configured, faster while there is a boost, slower where its source is slow.
    func effectiveHertz(of index: Int) -> Double? {
        guard let hertz = wantedHertz(of: index) else { return nil }
        return min(hertz, sources[index].cost.hertzMax ?? hertz)
    }

    private func wantedHertz(of index: Int) -> Double? {
        guard let configured = configuration.channels[index].sampling?.rateHertz else { return nil }
        guard boost.end != nil, let boosted = configuration.boost.rates[configuration.channels[index].topic] else {
            return configured
        }
        return max(configured, boosted)
    }

    /// Puts the effective rates into effect; returns the topics whose rate is another one now.
    @discardableResult
    func applyRates(now: Instant) -> [String] {
        var changed: [String] = []
        for index in sources.indices {
            guard let rate = effectiveHertz(of: index), rate != host.agent.collectors[index].requestedHertz else {
                continue
            }
            host.agent.collectors[index].requestedHertz = rate
            host.agent.collectors[index].actualHertz = .nan
            sources[index].rateStart = nil
            schedule.setPeriod(Period(hertz: rate), for: ChannelID(index: index), now: now)
            changed.append(sources[index].topic)
        }
        return changed
    }

    // MARK: Pressure

    /// Waits for stalls as long as somebody listens to anything that a boost makes faster.
    func watchPressure() {
        guard configuration.boost.isEnabled, boost.triggers == nil, let watcher, isBoostedChannelHeard else { return }
        let triggers = PressureTriggers(procfs: host.procfs)
        for descriptor in triggers.descriptors { _ = watcher.watch(descriptor, true) }
        boost.triggers = triggers
    }

    func unwatchPressure() {
        guard let triggers = boost.triggers, !(configuration.boost.isEnabled && isBoostedChannelHeard) else { return }
        for descriptor in triggers.descriptors { watcher?.unwatch(descriptor) }
        boost.triggers = nil
    }

    private var isBoostedChannelHeard: Bool {
        sources.indices.contains {
            configuration.boost.rates[sources[$0].topic] != nil && server.isHeard(ChannelID(index: $0))
        }
    }

    func isPressureTrigger(_ descriptor: Int32) -> Bool { boost.triggers?.descriptors.contains(descriptor) ?? false }
}
