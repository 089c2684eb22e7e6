import Glibc
import HostMetrics
import Telemetry

/// The system's clocks; nothing below the executable reads them by itself.
enum Clocks {
    static func monotonic() -> Instant { Instant(nanoseconds: read(CLOCK_MONOTONIC)) }

    static func reading() -> ClockReading {
        ClockReading(monotonic: monotonic(), realtime: Timestamp(unixNanoseconds: read(CLOCK_REALTIME)))
    }

    /// Time spent suspended since boot.
    static func suspendedNanoseconds() -> UInt64 {
        let (boot, running) = (read(CLOCK_BOOTTIME), read(CLOCK_MONOTONIC))
        return boot > running ? boot - running : 0
    }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
