internal import Telemetry

/// A kernel text that a host may lack, or get later with a module: looked for again every ten seconds.
package struct OptionalFile: ~Copyable {
    private let path: String
    private let byteCapacity: Int
    private var file: ProcFile?
    private var nextAttempt: UInt64 = 0

    private static let attemptNanoseconds: UInt64 = 10_000_000_000

    package init(path: String, byteCapacity: Int) {
        self.path = path
        self.byteCapacity = byteCapacity
        file = try? ProcFile(path: path, byteCapacity: byteCapacity)
    }

    /// Lends the text to `body`; returns whether there is one.
    ///
    /// `byLines`: the kernel makes the file line by line (see ``ProcFile/readByLines(_:)``).
    package mutating func read(
        byLines: Bool = false, _ clock: () -> ClockReading, _ body: (Span<UInt8>) -> Void
    ) -> Bool {
        guard var file = take(at: clock()) else { return false }
        do throws(CollectError) {
            _ = try file.read(byLines: byLines, clock, body)
        } catch {
            // An empty file may fill; one that cannot be read is opened anew.
            if error == .nothingUsable { self.file = consume file }
            return false
        }
        self.file = consume file
        return true
    }

    private mutating func take(at time: ClockReading) -> ProcFile? {
        if let file = file.take() { return file }
        let now = time.monotonic.nanoseconds
        guard now >= nextAttempt else { return nil }
        nextAttempt = now + Self.attemptNanoseconds
        return try? ProcFile(path: path, byteCapacity: byteCapacity)
    }
}

extension ProcFile {
    /// Reads, and lends the text to `body`.
    package mutating func read(
        byLines: Bool = false, _ clock: () -> ClockReading, _ body: (Span<UInt8>) -> Void
    ) throws(CollectError) -> ClockReading {
        let time = byLines ? try readByLines(clock) : try read(clock)
        body(text)
        return time
    }
}
