internal import Telemetry
internal import TelemetrySchema

/// `/kernel/log`: the records of /dev/kmsg that come while somebody listens.
struct KernelLogCollector: Collector, ~Copyable {
    static let topic = "/kernel/log"
    /// It has no rate: it waits for its descriptor.
    static let defaultHertz = 1.0
    static let isEventDriven = true

    /// Records of one call that may be of no use before it returns to the loop.
    static let uselessCountMax = 64
    /// Who listens reads at once; what is older than this was logged while nobody did.
    private static let pauseSeconds = 1.0

    private var file: KernelLogFile
    private let clock: () -> ClockReading
    private var arena = TextArena(byteCapacity: 16_384)
    private var record = KernelLogRecord()
    private var name: [UInt8] = []
    /// The sequence number that comes next if none is lost.
    private var expectedSequence: UInt64?
    private var parseErrorCount = 0
    private var readAt: Instant?

    var eventDescriptor: Int32? { file.descriptor }

    init(host: Host) throws(CollectError) {
        file = try KernelLogFile(path: "\(host.rootfs)/dev/kmsg")
        clock = host.clock
    }

    mutating func sample(_ context: SampleContext, into message: inout LogMessage) throws(CollectError) -> Sample {
        let now = clock()
        if context.isFirst { skipOldRecords(at: now.monotonic) }
        readAt = now.monotonic
        try readRecord()
        var sample = Sample(time: time(now: now))
        noteLoss(&sample)
        setName()
        let (text, name) = (record.text, name)
        arena.removeAll()
        message.level = level
        message.setMessage(arena.append(text.span))
        message.setName(arena.append(name.span))
        sample.entryCount = 1
        sample.parseErrorCount = parseErrorCount
        parseErrorCount = 0
        return sample
    }

    /// What was logged before anybody listened is no news.
    private mutating func skipOldRecords(at now: Instant) {
        if let readAt, now.seconds(since: readAt) < Self.pauseSeconds { return }
        file.skipAll()
        expectedSequence = nil
    }

    private mutating func readRecord() throws(CollectError) {
        for _ in 0..<Self.uselessCountMax {
            switch file.read(into: &record) {
            case .record:
                if record.isValid { return }
                parseErrorCount += 1
            case .lost: continue
            case .nothing: throw .nothingUsable
            case .failed(let errno): throw .read(errno: errno)
            }
        }
        // The rest is still there for the next call.
        throw .nothingUsable
    }

    private mutating func noteLoss(_ sample: inout Sample) {
        if let expectedSequence, record.sequence > expectedSequence {
            let count = record.sequence - expectedSequence
            sample.notes.append(
                Note(.warning, "\(count) record\(count == 1 ? "" : "s") of the kernel's log lost"))
        }
        expectedSequence = record.sequence &+ 1
    }

    /// The kernel's clock counts from the same moment as CLOCK_MONOTONIC, but is not steered by NTP: what it calls the
    /// future is now.
    private func time(now: ClockReading) -> ClockReading {
        let (nanoseconds, isTooLate) = record.microseconds.multipliedReportingOverflow(by: 1_000)
        let age = isTooLate ? 0 : now.monotonic.nanoseconds - min(nanoseconds, now.monotonic.nanoseconds)
        return ClockReading(
            monotonic: Instant(nanoseconds: now.monotonic.nanoseconds - age),
            realtime: Timestamp(unixNanoseconds: now.realtime.unixNanoseconds - min(age, now.realtime.unixNanoseconds)))
    }

    private var level: Foxglove__Log__Level {
        switch record.severity {
        case 0, 1, 2: FOXGLOVE__LOG__LEVEL__FATAL
        case 3: FOXGLOVE__LOG__LEVEL__ERROR
        case 4: FOXGLOVE__LOG__LEVEL__WARNING
        case 5, 6: FOXGLOVE__LOG__LEVEL__INFO
        default: FOXGLOVE__LOG__LEVEL__DEBUG
        }
    }

    /// "kernel", "kernel/SUBSYSTEM", or the facility that a program gave.
    private mutating func setName() {
        name.removeAll(keepingCapacity: true)
        switch record.facility {
        case 0:
            name.append("kernel")
            if !record.subsystem.isEmpty {
                name.append("/")
                name.append(contentsOf: record.subsystem)
            }
        case 1: name.append("user")
        case 3: name.append("daemon")
        case 4, 10: name.append("auth")
        case 5: name.append("syslog")
        default: name.append("other")
        }
    }
}
