internal import Glibc
package import Telemetry

/// The clocks of this machine, for an executable to hand out: nothing below one reads them by itself.
///
/// Every source is read between two readings of the clock, so a reading costs one call, not two: the distance of the
/// wall clock from CLOCK_MONOTONIC is looked at again only when the last look is a millisecond old. A wall clock that
/// is set shows in the stamps that much later.
package final class SystemClock {
    private static let offsetLifetime: UInt64 = 1_000_000

    private var offset: UInt64 = 0
    private var offsetTakenAt: UInt64 = 0

    package init() {}

    package func reading() -> ClockReading {
        let monotonic = Self.nanoseconds(CLOCK_MONOTONIC)
        if monotonic &- offsetTakenAt > Self.offsetLifetime {
            offset = Self.nanoseconds(CLOCK_REALTIME) &- monotonic
            offsetTakenAt = monotonic
        }
        return ClockReading(
            monotonic: Instant(nanoseconds: monotonic), realtime: Timestamp(unixNanoseconds: monotonic &+ offset))
    }

    /// Without what is kept between readings, so that any thread may call it.
    package static func now() -> ClockReading {
        ClockReading(monotonic: monotonic(), realtime: Timestamp(unixNanoseconds: nanoseconds(CLOCK_REALTIME)))
    }

    /// CLOCK_MONOTONIC.
    package static func monotonic() -> Instant { Instant(nanoseconds: nanoseconds(CLOCK_MONOTONIC)) }

    /// What the calling thread has used of a CPU.
    package static func threadNanoseconds() -> UInt64 { nanoseconds(CLOCK_THREAD_CPUTIME_ID) }

    /// CLOCK_BOOTTIME less CLOCK_MONOTONIC: grows by the time that the machine is suspended.
    package static func suspendedNanoseconds() -> UInt64 {
        let running = nanoseconds(CLOCK_MONOTONIC)
        let sinceBoot = nanoseconds(CLOCK_BOOTTIME)
        return sinceBoot > running ? sinceBoot - running : 0
    }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        _ = unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
