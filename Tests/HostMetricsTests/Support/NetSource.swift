import HostMetrics
import Telemetry
import Testing

/// A channel's collector on a made-up host, sampled again and again.
final class NetSource {
    let root: TemporaryDirectory
    let clock = ManualClock()
    let registration: Registration
    private let host: HostMetrics.Host
    private var sampler: (any Sampling)?
    private var tick: UInt64 = 0

    /// `files`: by path, such as "proc/net/snmp".
    init(
        _ topic: String, files: [String: String], machine: String = "x86_64", pageSizeBytes: Double = 4_096,
        settings: EntrySettings = EntrySettings()
    ) throws {
        root = try TemporaryDirectory()
        for (path, text) in files { try root.write(text, to: path) }
        registration = try #require(allCollectors.first { $0.channel.topic == topic })
        let clock = clock
        host = HostMetrics.Host(
            procfs: root.path + "/proc", sysfs: root.path + "/sys", rootfs: root.path,
            facts: HostFacts(
                userTickHertz: 100, pageSizeBytes: pageSizeBytes, machine: machine, endianness: "LE"),
            entrySettings: [topic: settings]
        ) { clock.reading }
    }

    func start() throws { sampler = try registration.makeSampler(on: host) }

    /// A sample `seconds` after the one before, and its message.
    func sample(after seconds: Double = 0) throws -> (sample: Sample, message: WireValue) {
        if sampler == nil { try start() }
        tick += 1
        clock.advance(nanoseconds: UInt64(seconds * 1e9))
        let sampler = try #require(sampler)
        let sample = try sampler.sample(registration.context(tick: tick))
        return (sample, try decode(sampler, schema: registration.channel.schema))
    }
}

extension WireValue {
    func isNaN(_ path: String) -> Bool { self[path]?.number?.isNaN == true }

    var ids: [String] { entries.ids }
}

extension [WireValue] {
    /// The rows' ids.
    var ids: [String] { map { $0["id"]?.text ?? $0["id"]?.number.map { "\(Int($0))" } ?? "?" } }
}
