import FoxgloveServer
import HostMetrics
import Telemetry
import WebSocketProtocol

/// What the agent keeps for a line of the registry: where its samples come from, and how they went.
struct Source {
    var registration: Registration
    /// Whether the source is there, and so the channel advertised.
    var isFound = false
    /// Whether it was looked for before: what is missing is told once.
    var wasSought = false
    /// It has older settings than are in effect.
    var isOutdated = false
    /// Of a collector on the loop's thread.
    var sampling: (any Sampling)?
    /// Of a blocking one.
    var worker: Worker?
    /// Of the last message of a collector that began anew since.
    var lastSequence: UInt32 = 0
    /// When the worker was asked for what it is at; nil: it is idle.
    var askedAt: Instant?
    /// When a worker's last sample came or failed, and whether there is one to look at; nil: it was never asked.
    var lastOutcome: (at: Instant, isSample: Bool)?
    /// Who asked for one sample that the worker has not taken yet.
    var waitingCalls: [ServiceCall] = []
    /// The sample takes, or took, so long that viewers were told.
    var isStuck = false
    /// The rate that is asked for is higher than the source changes, and viewers were told.
    var isTooFast = false
    var lastReport: (error: CollectError, at: Instant)?
    /// Samples that failed since the last good one.
    var failureCount = 0
    /// Announcements of news that were none: each may cost a dump of everything, and a descriptor that is broken makes
    /// them without end.
    var emptyNewsRate = RateLimit(perSecond: 50, burst: 100)
    var lastResetReport: Instant?
    var cost = SourceCost()
    /// Where the measurement of the achieved rate began.
    var rateStart: Instant?
    var rateCount = 0

    init(registration: Registration) { self.registration = registration }

    var topic: String { registration.channel.topic }
}
