import HostMetrics
import Testing

struct ClockTests {
    private final class Kernel: @unchecked Sendable {
        var answer: Result<KernelClock, CollectError> = .success(KernelClock())
    }

    private func host(_ kernel: Kernel) throws -> CollectorUnderTest {
        let host = try CollectorUnderTest("/clock")
        host.host.system.readKernelClock = { () throws(CollectError) in try kernel.answer.get() }
        return host
    }

    private func message(_ change: (inout KernelClock) -> Void) throws -> WireValue {
        var clock = KernelClock()
        clock.state = .okay
        change(&clock)
        let kernel = Kernel()
        kernel.answer = .success(clock)
        return try host(kernel).sample().1
    }

    @Test func unitsAreSeconds() throws {
        let message = try message { clock in
            clock.offset = -1_500
            clock.frequency = -65_536 * 3 / 2
            clock.maxErrorMicroseconds = 16_000_000
            clock.estimatedErrorMicroseconds = 25
            clock.taiOffsetSeconds = 37
            clock.tickMicroseconds = 10_000
            clock.timeConstant = 7
        }
        #expect(message["offset_seconds"]?.number == -1_500 * 1e-6)
        #expect(abs((message["frequency_ratio"]?.number ?? 0) + 1.5e-6) < 1e-15)
        #expect(message["max_error_seconds"]?.number == 16)
        #expect(abs((message["estimated_error_seconds"]?.number ?? 0) - 25e-6) < 1e-15)
        #expect(message["tai_offset_seconds"]?.number == 37)
        #expect(abs((message["tick_seconds"]?.number ?? 0) - 0.01) < 1e-15)
        #expect(message["loop_time_constant"]?.number == 7)
    }

    @Test func theStatusTellsWhetherTheOffsetIsInNanoseconds() throws {
        let message = try message { clock in
            clock.offset = 2_000
            clock.status = [.nanoseconds]
        }
        #expect(message["offset_seconds"]?.number == 2_000 * 1e-9)
        #expect(message["status_flags"] == .unsigned(0x2000) && message["synchronized"] == .bool(true))
    }

    @Test(arguments: [
        (0, "LEAP_NONE", true), (1, "LEAP_INSERT", true), (2, "LEAP_DELETE", true), (3, "LEAP_IN_PROGRESS", true),
        (4, "LEAP_DONE", true), (5, "LEAP_UNKNOWN", false), (6, "LEAP_UNKNOWN", true),
    ])
    func theStateTellsOfLeapSeconds(state: Int32, leap: String, isSynchronized: Bool) throws {
        let message = try message { $0.state = KernelClock.State(rawValue: state) }
        #expect(message["leap_state"]?.text == leap && message["synchronized"] == .bool(isSynchronized))
    }

    @Test func aClockIsNotSynchronizedIfTheStatusSaysSo() throws {
        #expect(try message { $0.status = [.unsynchronized] }["synchronized"] == .bool(false))
    }

    @Test func whereTheCallIsForbiddenThereIsNoChannel() throws {
        let kernel = Kernel()
        kernel.answer = .failure(.read(errno: 1))
        let host = try host(kernel)
        #expect(throws: CollectError.open(errno: 1)) { try host.start() }
        kernel.answer = .success(KernelClock())
        try host.sample()
        kernel.answer = .failure(.read(errno: 1))
        #expect(throws: CollectError.read(errno: 1)) { try host.sample() }
    }

    @Test func thisKernelAnswers() throws {
        let clock = try KernelClock.read()
        #expect((9_000...11_000).contains(clock.tickMicroseconds))
        #expect(abs(clock.frequency) <= 500 << 16 && clock.maxErrorMicroseconds >= 0)
    }
}
