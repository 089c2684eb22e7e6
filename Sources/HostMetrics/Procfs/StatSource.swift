/// /proc/stat, which feeds several channels and is read and parsed at most once per tick.
///
/// The kernel sums every interrupt over every CPU for this text, so that each reading costs more than all else that is
/// done with it; and what comes of one reading has one stamp.
package final class StatSource {
    private struct State: ~Copyable {
        var file: ProcFile
        var statistics = KernelStatistics()
        var tick: UInt64?
        var outcome: Result<ClockReading, CollectError> = .failure(.nothingUsable)

        init(file: consuming ProcFile) { self.file = file }

        mutating func refresh(tick: UInt64, clock: () -> ClockReading) throws(CollectError) -> ClockReading {
            if self.tick != tick {
                self.tick = tick
                do throws(CollectError) {
                    outcome = .success(try file.read(clock, into: &statistics))
                } catch { outcome = .failure(error) }
            }
            return try outcome.get()
        }
    }

    private let state: LoopCell<State>
    private let clock: () -> ClockReading

    init(path: String, clock: @escaping () -> ClockReading) throws(CollectError) {
        state = LoopCell(State(file: try ProcFile(path: path, byteCapacity: 32_768)))
        self.clock = clock
    }

    /// Lends this tick's reading, and when it was taken.
    package func withStatistics<Value>(
        tick: UInt64, _ body: (borrowing KernelStatistics, ClockReading) throws(CollectError) -> Value
    ) throws(CollectError) -> Value {
        let time = try state.value.refresh(tick: tick, clock: clock)
        return try body(state.value.statistics, time)
    }
}
