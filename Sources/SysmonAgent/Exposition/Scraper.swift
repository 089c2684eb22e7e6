internal import HostMetrics
internal import Telemetry
internal import WebSocketProtocol

/// Takes a sample of each channel for `/metrics`, for all who ask at the same time together.
///
/// Who asks while a collection is under way shares it. Nothing is sampled while nobody asks.
final class Scraper {
    /// The most that a scrape waits for its samples; what has not come by then is left out.
    static let secondsMax = 1.0
    /// Of the time that the one who scrapes gives, what the samples may take.
    private static let timeoutShare = 0.75
    /// The most bytes that an answer may have.
    static let byteCountMax = 16 << 20
    /// How often Prometheus scrapes unless it is told otherwise.
    static let usualPeriod = Period.seconds(60)

    /// Who asked, and has no answer yet.
    private struct Waiter {
        var format: ExpositionFormat
        var deadline: Instant
        var answer: (Exposition) -> Void
    }

    private let writer: ExpositionWriter
    private let ownPlaces: [String: Int]
    /// Channels that have metrics.
    let topics: Set<String>
    /// A channel has none where no thread could be had: it is never sampled.
    private var lanes: [ScrapeLane] = []
    private var waiters: [Waiter] = []
    private var job: ScrapeJob?
    private var begin = Instant(nanoseconds: 0)
    private var outcome = ScrapeOutcome()
    private var jobCount: UInt64 = 0

    init(_ registrations: [Registration], on host: Host, watcher: EventWatcher?) {
        let families = MetricTable.families
        writer = ExpositionWriter(families, byteCountMax: Self.byteCountMax)
        ownPlaces = Dictionary(
            uniqueKeysWithValues: families.enumerated().filter { $0.element.topic.isEmpty }
                .map { ($0.element.name, $0.offset) })
        let named = Set(families.map(\.topic))
        let scraped = registrations.filter { named.contains($0.channel.topic) }
        topics = Set(scraped.map(\.channel.topic))
        let groups = [scraped.filter { !$0.isBlocking }] + scraped.filter(\.isBlocking).map { [$0] }
        for group in groups where !group.isEmpty {
            if let lane = try? ScrapeLane(group, on: host, watcher: watcher) { lanes.append(lane) }
        }
    }

    var isCollecting: Bool { job != nil }

    /// When somebody is to be answered whatever has come.
    var deadline: Instant? { waiters.map(\.deadline).min() }

    /// Adds somebody to those who wait; `timeoutSeconds` is how long they will.
    func wait(
        _ format: ExpositionFormat, timeoutSeconds: Double?, now: Instant, answer: @escaping (Exposition) -> Void
    ) {
        var seconds = Self.secondsMax
        if let timeoutSeconds, timeoutSeconds > 0 { seconds = min(seconds, timeoutSeconds * Self.timeoutShare) }
        let deadline = Instant(nanoseconds: now.nanoseconds + UInt64(seconds * 1e9))
        waiters.append(Waiter(format: format, deadline: deadline, answer: answer))
    }

    /// Begins a collection of these channels.
    func collect(_ topics: Set<String>, suspendedNanoseconds: UInt64, report: AgentReport, now: Instant) {
        jobCount += 1
        let job = ScrapeJob(
            number: jobCount, topics: topics, suspendedNanoseconds: suspendedNanoseconds, report: report)
        self.job = job
        begin = now
        outcome = ScrapeOutcome()
        for lane in lanes {
            // One that is still at an earlier scrape is given up for this one, too, unless it comes back in time.
            guard !lane.isBusy, lane.topics.contains(where: topics.contains) else { continue }
            lane.start(job)
        }
    }

    /// Takes what the lanes have, and answers all when nothing is missing, else those whose time is over.
    func proceed(now: Instant) {
        for lane in lanes where lane.isBusy {
            let number = lane.jobNumber
            guard let taken = lane.takeOutcome(), let job else { continue }
            if number == job.number {
                outcome.records += taken.records
                outcome.lines.merge(taken.lines) { first, _ in first }
            } else if lane.topics.contains(where: job.topics.contains) {
                lane.start(job)
            }
        }
        guard let job else { return }
        let isComplete = !lanes.contains { $0.isBusy && $0.topics.contains(where: job.topics.contains) }
        let answered = isComplete ? waiters : waiters.filter { $0.deadline <= now }
        guard !answered.isEmpty else { return }
        waiters = isComplete ? [] : waiters.filter { $0.deadline > now }
        answer(answered, job, now: now)
        if waiters.isEmpty {
            self.job = nil
            outcome = ScrapeOutcome()
        }
    }

    private func answer(_ answered: [Waiter], _ job: ScrapeJob, now: Instant) {
        var texts: [ExpositionFormat: Exposition] = [:]
        for waiter in answered {
            let text =
                texts[waiter.format]
                ?? writer.text(waiter.format, outcome.lines) { ownLines(job, leftOutCount: $0, now: now) }
            texts[waiter.format] = text
            waiter.answer(text)
        }
    }

    /// What the scrape tells of itself.
    private func ownLines(_ job: ScrapeJob, leftOutCount: Int, now: Instant) -> [Int: FamilyLines] {
        var lines: [Int: FamilyLines] = [:]
        func append(_ name: String, _ number: Double, _ labels: [(String, String)] = []) {
            guard let place = ownPlaces[name] else { preconditionFailure("\(name) is not in the table") }
            var family = lines[place] ?? FamilyLines()
            family.bytes += name.utf8
            family.bytes += FamilyWriter.text(of: labels)
            family.bytes.append(UInt8(ascii: " "))
            family.bytes.append(number: number)
            family.bytes.append(UInt8(ascii: "\n"))
            family.seriesCount += 1
            lines[place] = family
        }
        let records = Dictionary(uniqueKeysWithValues: outcome.records.map { ($0.topic, $0) })
        for topic in job.topics.sorted() {
            let record = records[topic]
            append("sysmon_scrape_collector_success", record?.isSuccess == true ? 1 : 0, [("topic", topic)])
            guard let record else { continue }
            append("sysmon_scrape_collector_duration_seconds", record.seconds, [("topic", topic)])
        }
        append("sysmon_scrape_duration_seconds", now.seconds(since: begin))
        append("sysmon_scrape_series_left_out", Double(leftOutCount))
        return lines
    }
}
