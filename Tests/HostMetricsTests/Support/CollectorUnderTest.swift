import HostMetrics
import Telemetry
import Testing

/// A collector on a host that consists of the files a test writes, and of a clock moved by hand.
final class CollectorUnderTest {
    let root: TemporaryDirectory
    let clock = ManualClock()
    private let registration: Registration
    private let host: HostMetrics.Host
    private var sampler: (any Sampling)?
    private var tick: UInt64 = 0

    init(
        _ topic: String, machine: String = "x86_64", pageSizeBytes: Double = 4_096,
        settings: EntrySettings = EntrySettings()
    ) throws {
        let root = try TemporaryDirectory()
        let clock = clock
        self.root = root
        registration = try #require(allCollectors.first { $0.channel.topic == topic })
        host = HostMetrics.Host(
            procfs: root.path + "/proc", sysfs: root.path + "/sys", rootfs: root.path,
            facts: HostFacts(
                userTickHertz: 100, pageSizeBytes: pageSizeBytes, machine: machine, endianness: "LE"),
            entrySettings: [topic: settings], clock: { clock.reading })
    }

    /// `files`: by path, such as "proc/net/snmp".
    convenience init(
        _ topic: String, files: [String: String], machine: String = "x86_64", pageSizeBytes: Double = 4_096,
        settings: EntrySettings = EntrySettings()
    ) throws {
        try self.init(topic, machine: machine, pageSizeBytes: pageSizeBytes, settings: settings)
        for (path, text) in files { try root.write(text, to: path) }
    }

    /// Lets time pass, takes a sample and decodes its message. The first sample starts the collector.
    func sample(after seconds: Double = 1) throws -> (sample: Sample, message: WireValue) {
        clock.advance(nanoseconds: UInt64(seconds * 1e9))
        tick += 1
        let sampler = try sampler ?? registration.makeSampler(on: host)
        self.sampler = sampler
        let sample = try sampler.sample(registration.context(tick: tick))
        return (sample, try decode(sampler, schema: registration.channel.schema))
    }
}

extension WireValue {
    func isNaN(_ path: String) -> Bool { self[path]?.isNaN == true }

    /// The ids of entries.
    var ids: [String] { entries.ids }
}

extension [WireValue] {
    /// The ids of entries.
    var ids: [String] { map { $0["id"]?.text ?? $0["id"]?.number.map { "\(Int($0))" } ?? "?" } }
}
