internal import Telemetry

/// The mount list of process 1, or of the agent itself where that is hidden.
struct MountInfoFile: ~Copyable {
    private var file: ProcFile
    private let rootfs: String
    private let clock: () -> ClockReading
    /// Whether the kernel tells of changes, so that the list need not be read each time: 5,000 mounts take 9 ms.
    private let isWatched: Bool
    /// When it was read; nil: it must be.
    private var readAt: Instant?
    /// A list that nothing was told about is read again after so long: the kernel tells of mounts, but not of a
    /// filesystem that became read-only after an error.
    private static let lifetimeSeconds = 60.0

    private(set) var table = MountTable()
    /// What ``table`` was made of.
    private var text: [UInt8] = []

    init(host: Host) throws(CollectError) {
        rootfs = host.rootfs
        clock = host.clock
        isWatched = host.procfs == "/proc"
        do throws(CollectError) {
            file = try ProcFile(path: "\(host.procfs)/1/mountinfo", byteCapacity: 16_384)
        } catch {
            file = try ProcFile(path: "\(host.procfs)/self/mountinfo", byteCapacity: 16_384)
        }
    }

    /// Reads the list again if it may have changed; returns whether other mounts are on it now.
    mutating func refresh() throws(CollectError) -> Bool {
        // Looked at before the read: a change in between shows the next time.
        let hasChanged = file.hasChanged()
        let now = clock().monotonic
        let isOld = readAt.map { now < $0 || now.seconds(since: $0) >= Self.lifetimeSeconds } ?? true
        guard isOld || !isWatched || hasChanged else { return false }
        readAt = nil
        _ = try file.readByLines(clock)
        readAt = now
        let before = text
        guard !file.text.equals(before.span) else { return false }
        text = Self.bytes(file.text)
        let known = table.mounts
        table = MountTable(parsing: file.text, rootfs: rootfs)
        return table.mounts != known
    }

    private static func bytes(_ text: Span<UInt8>) -> [UInt8] { text.indices.map { text[$0] } }
}
