internal import Telemetry

/// The byte counters of the interface that the default route leads through, from two files that stay open.
///
/// Chosen at the start, and again when its counters can no longer be read: it is gone.
struct DefaultInterface: ~Copyable {
    private static let retryInterval = Period.seconds(1)

    private let routePath: FilePath
    private let sysfs: String
    private var reader = FileReader()
    private var received: ProcFile?
    private var sent: ProcFile?
    private var nextChoice = Instant(nanoseconds: 0)
    private var note: Note?

    init(procfs: String, sysfs: String) {
        routePath = FilePath("\(procfs)/net/route")
        self.sysfs = sysfs
    }

    mutating func read(_ clock: () -> ClockReading) -> (received: UInt64?, sent: UInt64?) {
        if received == nil { choose(now: clock().monotonic) }
        guard let bytes = Self.number(&received, clock), let others = Self.number(&sent, clock) else {
            received = nil
            sent = nil
            return (nil, nil)
        }
        return (bytes, others)
    }

    /// What changed, once.
    mutating func takeNote() -> Note? {
        guard let note else { return nil }
        self.note = nil
        return note
    }

    private static func number(_ file: inout ProcFile?, _ clock: () -> ClockReading) -> UInt64? {
        guard (try? file?.read(clock)) != nil else { return nil }
        return file?.text.trimmed.unsignedValue
    }

    private mutating func choose(now: Instant) {
        guard now >= nextChoice else { return }
        nextChoice = now + Self.retryInterval
        guard reader.read(routePath), let name = Self.defaultRoute(in: reader.text) else { return }
        let folder = "\(sysfs)/class/net/\(name)/statistics"
        received = try? ProcFile(path: "\(folder)/rx_bytes", byteCapacity: 64)
        sent = try? ProcFile(path: "\(folder)/tx_bytes", byteCapacity: 64)
        if received != nil, sent != nil { note = Note(.info, "bytes are those of \(name), the default route") }
    }

    /// The interface of the route to 0.0.0.0 with the lowest metric: lines of name, destination, gateway, flags, counts
    /// and metric, addresses in hex (proc_pid_net(5), route).
    static func defaultRoute(in text: Span<UInt8>) -> String? {
        var best: (name: String, metric: UInt64)?
        var cursor = ByteCursor(text)
        cursor.skipLine()
        while !cursor.isAtEnd {
            let name = cursor.token()
            let destination = cursor.token()
            for _ in ["gateway", "flags", "references", "uses"] { _ = cursor.token() }
            if destination.equals("00000000"), !name.isEmpty, case .value(let metric) = cursor.unsigned(),
                metric < best?.metric ?? .max, !(0..<name.count).contains(where: { name[$0] == UInt8(ascii: "/") })
            {
                best = (String(decoding: (0..<name.count).map { name[$0] }, as: UTF8.self), metric)
            }
            cursor.skipLine()
        }
        return best?.name
    }
}
