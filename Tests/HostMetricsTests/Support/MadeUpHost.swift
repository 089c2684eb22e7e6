import Foundation
import HostMetrics
import Telemetry
import Testing

/// A host whose files a test writes, with one collector on it.
final class MadeUpHost {
    let root: TemporaryDirectory
    let clock = ManualClock()
    let host: HostMetrics.Host
    private let registration: Registration
    private var sampler: (any Sampling)?
    private var tick: UInt64 = 0
    /// How much each look at the clock moves it: what a reading takes.
    var nanosecondsPerLook: UInt64 = 0
    var suspendedNanoseconds: UInt64 = 0

    init(_ topic: String, machine: String = "x86_64", settings: EntrySettings = EntrySettings()) throws {
        root = try TemporaryDirectory()
        registration = try #require(allCollectors.first { $0.channel.topic == topic })
        let look = LookTaker(clock)
        host = HostMetrics.Host(
            procfs: root.path + "/proc", sysfs: root.path + "/sys", rootfs: root.path,
            facts: HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: machine, endianness: "LE"),
            entrySettings: [topic: settings], clock: { look.take() })
        look.owner = self
    }

    /// Looks at the clock on behalf of the host, which is made before its owner is.
    private final class LookTaker {
        private let clock: ManualClock
        weak var owner: MadeUpHost?

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

    /// Lets time pass, and takes a sample; starts the collector if need be.
    @discardableResult
    func sample(afterSeconds seconds: Double = 1, windowSeconds: Double = 0) throws -> (Sample, WireValue) {
        if sampler == nil { try start() }
        let sampler = try #require(sampler)
        tick += 1
        clock.advance(nanoseconds: UInt64(seconds * 1e9))
        var context = registration.context(tick: tick, suspendedNanoseconds: suspendedNanoseconds)
        context.windowSeconds = windowSeconds
        let sample = try sampler.sample(context)
        return (sample, try decode(sampler, schema: registration.channel.schema))
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
    /// The ids of a list's entries.
    func ids(_ list: String) -> [String] { (self[list]?.entries ?? []).ids }

    var isNaN: Bool { number?.isNaN ?? false }
}
