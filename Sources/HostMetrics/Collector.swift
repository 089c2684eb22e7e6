package import Telemetry
package import TelemetrySchema

/// One source of telemetry: how to read it, and the channel it fills.
///
/// A collector opens and allocates in ``init(host:)``; ``sample(_:into:)`` does neither in steady state. All of it
/// happens on one thread: the loop's, or where the source may block a worker's own.
package protocol Collector: ~Copyable, SendableMetatype {
    associatedtype Message: ChannelMessage

    static var topic: String { get }
    /// Samples per second unless configured otherwise.
    static var defaultHertz: Double { get }
    /// Whether each new subscriber gets the last message at once: for what rarely changes.
    static var isLatched: Bool { get }
    /// The shortest span of rates and shares unless configured otherwise, in seconds.
    static var defaultWindowSeconds: Double { get }
    /// How often the source changes, in seconds; 0: at once.
    static var resolutionSeconds: Double { get }
    /// Whether a reading may take more than microseconds (a disk's firmware, a dead server, a scan of all processes).
    /// Such a collector lives on a thread of its own, with a ``Host`` of its own: it may take as long as it likes.
    static var isBlocking: Bool { get }
    /// Whether the channel has no rate: it is sampled when ``eventDescriptor`` is ready, and when somebody begins to
    /// listen.
    static var isEventDriven: Bool { get }

    /// What the host's owner may set for the entries of its messages: those that the collector looks at.
    static var entrySettings: [EntrySetting] { get }

    /// Readable when there is something new; nil: nothing can be waited for. Asked once, after the start.
    var eventDescriptor: Int32? { get }

    /// Throws when the source is missing; the channel is then not advertised until it appears.
    init(host: Host) throws(CollectError)
    /// Reads the source once and fills `message`, which comes reset to defaults; sets everything but the header.
    ///
    /// Throws where nothing is left to tell. An event-driven collector is called again and again when its descriptor is
    /// ready, until it throws ``CollectError/nothingUsable``: there is no more news.
    mutating func sample(_ context: SampleContext, into message: inout Message) throws(CollectError) -> Sample
}

extension Collector where Self: ~Copyable {
    package static var isLatched: Bool { false }
    package static var defaultWindowSeconds: Double { 0 }
    package static var resolutionSeconds: Double { 0 }
    package static var isBlocking: Bool { false }
    package static var isEventDriven: Bool { false }
    package static var entrySettings: [EntrySetting] { [] }
    package var eventDescriptor: Int32? { nil }
}

/// What a collector is told about the sample it is to take.
package struct SampleContext: Sendable {
    /// Counts the agent's ticks. A source that feeds several channels is read once per tick.
    package var tick: UInt64
    /// CLOCK_BOOTTIME less CLOCK_MONOTONIC: grows while the machine is suspended.
    package var suspendedNanoseconds: UInt64
    /// The channel's period.
    package var period: Period
    /// Shortest span of rates and shares, in seconds.
    package var windowSeconds: Double
    /// Somebody began to listen, or asked for one sample: an event-driven collector tells what is, not what is new.
    package var isFirst: Bool

    package init(
        tick: UInt64, suspendedNanoseconds: UInt64 = 0, period: Period, windowSeconds: Double, isFirst: Bool = false
    ) {
        self.isFirst = isFirst
        self.tick = tick
        self.suspendedNanoseconds = suspendedNanoseconds
        self.period = period
        self.windowSeconds = windowSeconds
    }
}

/// What a sample tells about itself, beside its message.
package struct Sample: Sendable {
    /// Midpoint of the read.
    package var time: ClockReading
    /// What the message's rates cover; NaN where there are none.
    package var intervalSeconds = Double.nan
    package var entryCount = 0
    package var suppressedCount = 0
    package var parseErrorCount = 0
    package var resetCount = 0
    /// How often the source changes, in seconds, where only the source knows; nil: as the collector says.
    package var resolutionSeconds: Double?
    /// What happened to the source, for `/log`; none in steady state.
    package var notes: [Note] = []
    /// What just began and deserves a closer look.
    package var alarm: Alarm?

    package init(time: ClockReading) { self.time = time }

    fileprivate mutating func shortenNotes() {
        let rest = notes.count - Limits.noteCountMax + 1
        notes.removeLast(rest)
        notes.append(Note(.info, "\(rest) more changes"))
    }
}

/// An event that a collector saw: a device that came or went, a source read in another way.
package struct Note: Equatable, Sendable {
    package enum Level: Sendable { case info, warning }
    package var level: Level
    /// One line, without the topic.
    package private(set) var text: String

    private static let byteCountMax = 1_000

    /// Names are what a device, a user or a mount chose: whatever would break the line or the log becomes "?".
    package init(_ level: Level, _ text: String) {
        self.level = level
        let bytes = text.utf8.prefix(Self.byteCountMax).map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0 }
        self.text = String(decoding: bytes, as: UTF8.self)
    }
}

/// What makes the agent look closer for a while. Told once, when it begins.
package enum Alarm: String, CaseIterable, Sendable {
    case pressure, temperature
    case outOfMemoryKill = "out-of-memory kill"
    case linkLost = "link lost"
    case throttled
}

/// Why a source could not be sampled this time.
package enum CollectError: Error, Equatable, Sendable {
    case open(errno: Int32)
    case read(errno: Int32)
    /// The text is empty, or nothing in it could be used.
    case nothingUsable
}

/// A collector together with its message, its type erased.
package protocol Sampling: AnyObject {
    /// Takes a sample and completes the message, which then stays until the next one.
    func sample(_ context: SampleContext) throws(CollectError) -> Sample
    /// What ``Collector/eventDescriptor`` is.
    var eventDescriptor: Int32? { get }
    var encodedByteCount: Int { get }
    /// Writes the message's wire form, which must fill `target`.
    func encode(into target: inout MutableSpan<UInt8>)
}

extension Sampling {
    /// A copy of the message.
    package var message: [UInt8] {
        var payload = [UInt8](repeating: 0, count: encodedByteCount)
        var target = payload.mutableSpan
        encode(into: &target)
        return payload
    }
}

/// Holds a collector and its message.
private final class Sampler<Source: Collector & ~Copyable> {
    private let collector: LoopCell<Source>
    private let box = MessageBox<Source.Message>()
    private var sequence: UInt32 = 0

    init(_ collector: consuming Source) { self.collector = LoopCell(collector) }

    @inline(__always)
    func sample(_ context: SampleContext) throws(CollectError) -> Sample {
        box.reset()
        var sample = try collector.value.sample(context, into: &box.content)
        if sample.notes.count > Limits.noteCountMax { sample.shortenNotes() }
        sequence &+= 1
        box.setHeader(stamp: sample.time.realtime, intervalSeconds: sample.intervalSeconds, sequence: sequence)
        return sample
    }

    var eventDescriptor: Int32? { collector.value.eventDescriptor }
    var encodedByteCount: Int { box.encodedByteCount }
    func encode(into target: inout MutableSpan<UInt8>) { box.encode(into: &target) }
}

/// A sampler without its type.
///
/// By closures, since the methods of a generic class that are called through a protocol are compiled once for all
/// types, and such code looks its types up at run time: that took longer than to parse the text.
private final class ErasedSampler: Sampling {
    private let takeSample: (SampleContext) throws(CollectError) -> Sample
    private let measure: () -> Int
    private let write: (inout MutableSpan<UInt8>) -> Void
    let eventDescriptor: Int32?

    @inline(__always)
    init<Source: Collector & ~Copyable>(_ sampler: Sampler<Source>) {
        takeSample = { context throws(CollectError) in try sampler.sample(context) }
        measure = { sampler.encodedByteCount }
        write = { target in sampler.encode(into: &target) }
        eventDescriptor = sampler.eventDescriptor
    }

    func sample(_ context: SampleContext) throws(CollectError) -> Sample { try takeSample(context) }
    var encodedByteCount: Int { measure() }
    func encode(into target: inout MutableSpan<UInt8>) { write(&target) }
}

/// A line of the registry: what is needed to advertise a channel and to start its collector.
package struct Registration: Sendable {
    package let channel: Channel
    package let defaultHertz: Double
    package let defaultWindowSeconds: Double
    package let resolutionSeconds: Double
    package let isBlocking: Bool
    package let isEventDriven: Bool
    package let entrySettings: [EntrySetting]
    private let start: @Sendable (Host) throws(CollectError) -> any Sampling
    private let translate: @Sendable ([UInt8]) -> [UInt8]?

    @inline(__always)
    package init<Source: Collector & ~Copyable>(_: Source.Type) {
        channel = Channel(topic: Source.topic, schema: Source.Message.schema, isLatched: Source.isLatched)
        defaultHertz = Source.defaultHertz
        defaultWindowSeconds = Source.defaultWindowSeconds
        resolutionSeconds = Source.resolutionSeconds
        isBlocking = Source.isBlocking
        isEventDriven = Source.isEventDriven
        entrySettings = Source.entrySettings
        start = { host throws(CollectError) in ErasedSampler(Sampler(try Source(host: host))) }
        translate = { payload in TelemetrySchema.json(ofProtobuf: payload, as: Source.Message.self) }
    }

    /// A message of the channel in JSON; nil if it is none.
    package func json(of payload: [UInt8]) -> [UInt8]? { translate(payload) }

    package func makeSampler(on host: Host) throws(CollectError) -> any Sampling { try start(host) }
}
