internal import HostMetrics
internal import Telemetry
internal import TelemetrySchema
internal import WebSocketProtocol

/// What is to be sampled for a scrape.
struct ScrapeJob: Sendable {
    /// Counts scrapes.
    var number: UInt64
    var topics: Set<String>
    var suspendedNanoseconds: UInt64
    /// What `/agent` tells.
    var report: AgentReport
}

/// What came of the channels of a job.
struct ScrapeOutcome: Sendable {
    struct Record: Sendable {
        var topic: String
        var isSuccess: Bool
        var seconds: Double
    }

    var records: [Record] = []
    /// By place in the table.
    var lines: [Int: FamilyLines] = [:]
}

/// Some channels of a scrape, with collectors of their own, on a thread of its own.
///
/// Collectors of its own, since a sample is what the next rates are measured from: with those of the subscribers, a
/// scrape would shorten the spans that they see, and count in their headers. A thread of its own, since to sample and
/// to write everything takes milliseconds, which samples that are due would be late by. Blocking collectors have one
/// each, all others share one.
final class ScrapeLane {
    let topics: [String]
    private let worker: Worker
    /// The scrape that the lane is at.
    private(set) var jobNumber: UInt64?

    private enum Worker {
        case thread(Lane<ScrapeJob, ScrapeOutcome>)
        /// There is no loop to come back to: the job is done at once.
        case caller(ScrapeDesk)
    }

    /// Of a job that was done by the caller.
    private var outcome: ScrapeOutcome?

    init(_ registrations: [Registration], on host: Host, watcher: EventWatcher?) throws(CollectError) {
        topics = registrations.map(\.channel.topic)
        if let watcher {
            let host = WorkerHost(host, clock: SystemClock.now)
            worker = .thread(
                try Lane("scrape", whenDone: watcher.wake) {
                    let desk = ScrapeDesk(registrations, on: host.makeHost())
                    return { desk.run($0) }
                })
        } else {
            let own = Host(
                procfs: host.procfs, sysfs: host.sysfs, rootfs: host.rootfs, facts: host.facts,
                entrySettings: host.entrySettings, clock: host.clock)
            own.system = host.system
            worker = .caller(ScrapeDesk(registrations, on: own))
        }
    }

    var isBusy: Bool { jobNumber != nil }

    func start(_ job: ScrapeJob) {
        jobNumber = job.number
        switch worker {
        case .thread(let lane): lane.start(job)
        case .caller(let desk): outcome = desk.run(job)
        }
    }

    /// What came of the job, once; nil: it is not done.
    func takeOutcome() -> ScrapeOutcome? {
        let taken: ScrapeOutcome?
        switch worker {
        case .thread(let lane): taken = lane.wait(seconds: 0)
        case .caller:
            taken = outcome
            outcome = nil
        }
        if taken != nil { jobNumber = nil }
        return taken
    }
}

/// Samples channels and writes their lines; all on one thread.
private final class ScrapeDesk {
    private let host: Host
    private var channels: [ScrapedChannel]

    private struct ScrapedChannel {
        let registration: Registration
        let writers: [FamilyWriter]
        /// Nil: the source was not there when it was last looked for.
        var sampling: (any Sampling)?
    }

    init(_ registrations: [Registration], on host: Host) {
        self.host = host
        // One collector of a process can have the library; the subscribers' has it.
        host.system.usesSensorsLibrary = false
        channels = registrations.map { registration in
            ScrapedChannel(
                registration: registration,
                writers: MetricTable.families.enumerated().filter { $0.element.topic == registration.channel.topic }
                    .map {
                        FamilyWriter(
                            $0.element, at: $0.offset, type: registration.messageType,
                            pageSizeBytes: host.facts.pageSizeBytes)
                    })
        }
    }

    func run(_ job: ScrapeJob) -> ScrapeOutcome {
        host.agent = job.report
        var outcome = ScrapeOutcome()
        for index in channels.indices where job.topics.contains(channels[index].registration.channel.topic) {
            let start = host.clock().monotonic
            let isSuccess = scrape(&channels[index], job, &outcome.lines)
            outcome.records.append(
                ScrapeOutcome.Record(
                    topic: channels[index].registration.channel.topic, isSuccess: isSuccess,
                    seconds: host.clock().monotonic.seconds(since: start)))
        }
        return outcome
    }

    private func scrape(
        _ channel: inout ScrapedChannel, _ job: ScrapeJob, _ lines: inout [Int: FamilyLines]
    ) -> Bool {
        do throws(CollectError) {
            if channel.sampling == nil { channel.sampling = try channel.registration.makeSampler(on: host) }
            guard let sampling = channel.sampling else { return false }
            // Nobody reads the rates of these messages.
            let sample = try sampling.sample(
                SampleContext(
                    tick: job.number, suspendedNanoseconds: job.suspendedNanoseconds, period: Scraper.usualPeriod,
                    windowSeconds: 0))
            guard let message = UnpackedMessage(sampling.message, as: channel.registration.messageType) else {
                return false
            }
            for writer in channel.writers {
                lines[writer.place] = writer.lines(of: message, stamp: sample.time.realtime)
            }
            return true
        } catch { return false }
    }
}
