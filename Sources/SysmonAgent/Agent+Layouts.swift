internal import FoxgloveServer
internal import HostMetrics
package import Telemetry
internal import WebSocketProtocol

/// Layouts of this host, for whoever asks for one.
extension Agent {
    static func layoutURI(of name: String) -> String { "sysmon://layouts/\(name).json" }

    func answer(_ request: AssetRequest, now: Instant) {
        guard let layout = Layout.all.first(where: { Self.layoutURI(of: $0.name) == request.uri }) else { return }
        make(layout, now: now) { [server] in server.answer(request, with: $0) }
    }

    /// Hands over the file of a layout: at once, or where slow sources are to be looked at first, within a second.
    package func make(_ layout: Layout, now: Instant, deliver: @escaping ([UInt8]) -> Void) {
        layoutRequests.add(layout, now: now, deliver)
        makeLayouts(now: now)
    }

    /// Makes those that are asked for, unless there is something to wait for.
    func makeLayouts(now: Instant) {
        guard let deadline = layoutRequests.deadline else { return }
        if !layoutRequests.isOutlineFresh(now: now) {
            if now < deadline, mustWaitForWorkers(now: now) { return }
            layoutRequests.take(outline(now: now), now: now)
        }
        layoutRequests.deliverAll()
    }

    /// Asks slow sources what they have, where nobody does so anyway.
    private func mustWaitForWorkers(now: Instant) -> Bool {
        var mustWait = false
        for index in sources.indices where EntryList.topics.contains(sources[index].topic) {
            guard let worker = sources[index].worker, configuration.channels[index].isEnabled, !sources[index].isStuck
            else { continue }
            if !worker.isBusy {
                let isKnown = sources[index].lastOutcome.map { now < $0.at + LayoutRequests.sampleLifetime } ?? false
                if isKnown || server.isHeard(ChannelID(index: index)) { continue }
                ask(worker, index, now: now)
            }
            mustWait = true
        }
        return mustWait
    }

    private func outline(now: Instant) -> HostOutline {
        var outline = HostOutline(topics: [LogPublisher.topic, ConfigPublisher.topic])
        for index in sources.indices where sources[index].isFound && configuration.channels[index].isEnabled {
            outline.topics.insert(sources[index].topic)
            guard EntryList.topics.contains(sources[index].topic), let message = lastMessage(of: index, now: now),
                let json = sources[index].registration.json(of: message)
            else { continue }
            outline.add(json, of: sources[index].topic)
        }
        return outline
    }

    /// Of a quick source that nobody listens to, one is taken.
    private func lastMessage(of index: Int, now: Instant) -> [UInt8]? {
        guard let worker = sources[index].worker else {
            let isSampled = host.agent.collectors[index].sampleCount > 0 && server.isHeard(ChannelID(index: index))
            return isSampled ? sources[index].sampling?.message : sampleOnDemand(index, now: now)
        }
        guard !worker.isBusy, sources[index].lastOutcome?.isSample == true else { return nil }
        return worker.sampling?.message
    }
}

/// Who waits for which layout, and the outline of the host that the next ones are made of.
struct LayoutRequests {
    /// How long a slow source is waited for.
    private static let patience = Period.seconds(1)
    /// How long the outline stands for the host: so that whoever asks again and again does not keep the agent busy.
    private static let outlineLifetime = Period.seconds(10)
    /// How long a sample of a slow source says what there is.
    static let sampleLifetime = Period.seconds(60)

    /// When the first of them has waited long enough; nil: nobody waits.
    private(set) var deadline: Instant?
    private var waiting: [(layout: Layout, deliver: ([UInt8]) -> Void)] = []
    private var outline: (host: HostOutline, at: Instant)?
    /// Made of the outline, by name.
    private var files: [String: [UInt8]] = [:]

    mutating func add(_ layout: Layout, now: Instant, _ deliver: @escaping ([UInt8]) -> Void) {
        waiting.append((layout, deliver))
        deadline = deadline ?? now + Self.patience
    }

    func isOutlineFresh(now: Instant) -> Bool { outline.map { now < $0.at + Self.outlineLifetime } ?? false }

    mutating func take(_ host: HostOutline, now: Instant) {
        outline = (host, now)
        files = [:]
    }

    mutating func deliverAll() {
        guard let host = outline?.host else { return }
        let due = waiting
        waiting = []
        deadline = nil
        for (layout, deliver) in due {
            let file = files[layout.name] ?? layout.file(for: host)
            files[layout.name] = file
            deliver(file)
        }
    }
}
