import Foundation
import HostMetrics
import Telemetry
import Testing

/// A collector on a host that consists of the files a test writes, and of a clock moved by hand.
final class CollectorUnderTest {
    let root: TemporaryDirectory
    let clock = ManualClock()
    let host: HostMetrics.Host
    let registration: Registration
    private var sampler: (any Sampling)?
    private var tick: UInt64 = 0
    /// How much each look at the clock moves it: what a reading takes.
    var nanosecondsPerLook: UInt64 = 0
    var suspendedNanoseconds: UInt64 = 0

    /// `files`: by path, such as "proc/net/snmp".
    init(
        _ topic: String, files: [String: String] = [:], machine: String = "x86_64", pageSizeBytes: Double = 4_096,
        settings: EntrySettings = EntrySettings()
    ) throws {
        root = try TemporaryDirectory()
        for (path, text) in files { try root.write(text, to: path) }
        registration = try #require(allCollectors.first { $0.channel.topic == topic })
        let look = LookTaker(clock)
        host = HostMetrics.Host(
            procfs: root.path + "/proc", sysfs: root.path + "/sys", rootfs: root.path,
            facts: HostFacts(
                userTickHertz: 100, pageSizeBytes: pageSizeBytes, machine: machine, endianness: "LE"),
            entrySettings: [topic: settings], clock: { look.take() })
        look.owner = self
    }

    /// Looks at the clock on behalf of the host, which is made before its owner is.
    private final class LookTaker {
        private let clock: ManualClock
        weak var owner: CollectorUnderTest?

        init(_ clock: ManualClock) { self.clock = clock }

        func take() -> ClockReading {
            clock.advance(nanoseconds: owner?.nanosecondsPerLook ?? 0)
            return clock.reading
        }
    }

    func write(_ text: String, to path: String) throws { try root.write(text, to: path) }
    func remove(_ path: String) throws { try root.remove(path) }

    /// Starts the collector anew.
    func start() throws(CollectError) { sampler = try registration.makeSampler(on: host) }

    /// Lets time pass, takes a sample and decodes its message; starts the collector if need be.
    @discardableResult
    func sample(after seconds: Double = 1, windowSeconds: Double? = nil) throws -> (sample: Sample, message: WireValue)
    {
        let sample = try sampleOnly(after: seconds, windowSeconds: windowSeconds)
        let sampler = try #require(sampler)
        return (sample, try decode(sampler, schema: registration.channel.schema))
    }

    /// The same without the message, where many are taken.
    @discardableResult
    func sampleOnly(after seconds: Double = 1, windowSeconds: Double? = nil) throws -> Sample {
        clock.advance(nanoseconds: UInt64(seconds * 1e9))
        if sampler == nil { try start() }
        let sampler = try #require(sampler)
        tick += 1
        var context = registration.context(tick: tick, suspendedNanoseconds: suspendedNanoseconds)
        if let windowSeconds { context.windowSeconds = windowSeconds }
        return try sampler.sample(context)
    }
}

extension TemporaryDirectory {
    /// An empty file; quicker than to write one.
    func make(_ name: String) throws {
        try #require(FileManager.default.createFile(atPath: "\(path)/\(name)", contents: nil))
    }

    func remove(folder: String) throws { try FileManager.default.removeItem(at: url.appendingPathComponent(folder)) }
}

extension WireValue {
    var isNaN: Bool { number?.isNaN ?? false }
    func isNaN(_ path: String) -> Bool { self[path]?.isNaN == true }

    /// The ids of entries.
    var ids: [String] { entries.ids }

    /// The ids of a list's entries.
    func ids(_ list: String) -> [String] { self[list]?.ids ?? [] }
}

extension [WireValue] {
    /// The ids of entries.
    var ids: [String] { map { $0["id"]?.text ?? $0["id"]?.number.map { "\(Int($0))" } ?? "?" } }
}
