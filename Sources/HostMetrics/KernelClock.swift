internal import CLinux
internal import Glibc

/// What adjtimex(2) tells of CLOCK_REALTIME, in the kernel's own units.
package struct KernelClock: Equatable, Sendable {
    /// STA_* bits of linux/timex.h.
    package struct Status: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let unsynchronized = Status(rawValue: 0x0040)
        package static let nanoseconds = Status(rawValue: 0x2000)
    }

    /// What the call returns.
    package enum State: Int32, Sendable {
        case okay = 0
        case insertSecond, deleteSecond, leapInProgress, leapDone, error
    }

    /// nil: one that is not known.
    package var state: State?
    package var status = Status()
    /// In nanoseconds or microseconds, as the status tells.
    package var offset: Int64 = 0
    /// In 2⁻¹⁶ ppm.
    package var frequency: Int64 = 0
    package var maxErrorMicroseconds: Int64 = 0
    package var estimatedErrorMicroseconds: Int64 = 0
    package var timeConstant: Int64 = 0
    package var tickMicroseconds: Int64 = 0
    package var taiOffsetSeconds: Int64 = 0

    package init() {}

    /// Asks the kernel, and changes nothing. EPERM in some containers.
    package static func read() throws(CollectError) -> KernelClock {
        var buffer = timex()
        let state = unsafe adjtimex(&buffer)
        guard state >= 0 else { throw .read(errno: errno) }
        var clock = KernelClock()
        clock.state = State(rawValue: state)
        clock.status = Status(rawValue: UInt32(bitPattern: buffer.status))
        clock.offset = Int64(buffer.offset)
        clock.frequency = Int64(buffer.freq)
        clock.maxErrorMicroseconds = Int64(buffer.maxerror)
        clock.estimatedErrorMicroseconds = Int64(buffer.esterror)
        clock.timeConstant = Int64(buffer.constant)
        clock.tickMicroseconds = Int64(buffer.tick)
        clock.taiOffsetSeconds = Int64(buffer.tai)
        return clock
    }
}
