internal import TelemetrySchema

/// `/clock`: adjtimex(2).
struct ClockCollector: Collector, ~Copyable {
    static let topic = "/clock"
    static let defaultHertz = 1.0

    private let clock: () -> ClockReading
    private let readKernelClock: () throws(CollectError) -> KernelClock

    init(host: Host) throws(CollectError) {
        clock = host.clock
        readKernelClock = host.system.readKernelClock
        // Where a sandbox forbids the call there is no channel.
        do { _ = try readKernelClock() } catch .read(let errno) { throw .open(errno: errno) }
    }

    mutating func sample(_ context: SampleContext, into message: inout ClockStatusMessage) throws(CollectError)
        -> Sample
    {
        let before = clock()
        let state = try readKernelClock()
        var sample = Sample(time: before.midpoint(to: clock()))
        message.set(state)
        sample.entryCount = 1
        return sample
    }
}

extension ClockStatusMessage {
    fileprivate mutating func set(_ clock: KernelClock) {
        offsetSeconds = Double(clock.offset) * (clock.status.contains(.nanoseconds) ? 1e-9 : 1e-6)
        frequencyRatio = Double(clock.frequency) / 65_536 * 1e-6
        maxErrorSeconds = Double(clock.maxErrorMicroseconds) * 1e-6
        estimatedErrorSeconds = Double(clock.estimatedErrorMicroseconds) * 1e-6
        taiOffsetSeconds = Double(clock.taiOffsetSeconds)
        let isSynchronized = clock.state != .error && !clock.status.contains(.unsynchronized)
        synchronized = isSynchronized ? 1 : 0
        leapState = clock.leapState
        tickSeconds = Double(clock.tickMicroseconds) * 1e-6
        loopTimeConstant = Double(clock.timeConstant)
        statusFlags = clock.status.rawValue
    }
}

extension KernelClock {
    fileprivate var leapState: Sysmon__V1__LeapState {
        switch state {
        case .okay: SYSMON__V1__LEAP_STATE__LEAP_NONE
        case .insertSecond: SYSMON__V1__LEAP_STATE__LEAP_INSERT
        case .deleteSecond: SYSMON__V1__LEAP_STATE__LEAP_DELETE
        case .leapInProgress: SYSMON__V1__LEAP_STATE__LEAP_IN_PROGRESS
        case .leapDone: SYSMON__V1__LEAP_STATE__LEAP_DONE
        case .error, nil: SYSMON__V1__LEAP_STATE__LEAP_UNKNOWN
        }
    }
}
