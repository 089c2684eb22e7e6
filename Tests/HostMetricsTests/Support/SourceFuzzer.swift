import Foundation
import HostMetrics
import Synchronization
import Telemetry

/// Hosts whose files are spoilt and mended while collectors read them, and a look at every message.
final class SourceFuzzer {
    /// What is wrong; the first one ends the run.
    private(set) var faults: [String] = []

    // What the run met.
    /// Spoilt files of which a collector read bytes in a sample.
    private(set) var parseCount = 0
    private(set) var sampleCounts: [String: Int] = [:]
    private(set) var refusalCounts: [String: Int] = [:]
    private(set) var parseErrorCounts: [String: Int] = [:]
    private(set) var longestSample = (duration: Duration.zero, topic: "")
    private(set) var largestMessage = (byteCount: 0, topic: "")

    private static let noteCountMax = 64
    private static let noteByteCountMax = 1_024

    private var mutator: SourceMutator
    private var random: SeededGenerator {
        get { mutator.random }
        set { mutator.random = newValue }
    }
    private let contents: [HostTree.Content]

    // Of the host that is played.
    private var tree: HostTree
    private var host: HostMetrics.Host
    private var clock = ManualClock()
    private var tick: UInt64 = 0
    private var suspendedNanoseconds: UInt64 = 0
    private var samplers: [Int: any Sampling] = [:]
    private var inspectors: [Int: MessageInspector] = [:]
    /// The files that a collector reads, and the collectors that read a file, by the collector's place in the registry.
    private var sources: [Int: [String]] = [:]
    private var readers: [String: Set<Int>] = [:]

    init(random: SeededGenerator) throws {
        mutator = SourceMutator(random: random)
        contents = try FixtureHost.names.map { try HostTree.Content($0) }
        tree = try HostTree(contents[0])
        host = HostMetrics.Host(
            facts: HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "", endianness: "LE"),
            clock: { ManualClock().reading })
    }

    // MARK: Eras

    /// Another host.
    func beginEra() throws {
        samplers = [:]
        (sources, readers, inspectors) = ([:], [:], [:])
        tree = try HostTree(mutator.pick(contents))
        clock = ManualClock()
        host = makeHost()
        for (index, registration) in allCollectors.enumerated() {
            let topic = registration.channel.topic
            let isBounded = registration.entrySettings.contains(.maxEntries)
            inspectors[index] = try MessageInspector(
                registration.channel,
                entryCountMax: isBounded ? host.settings(of: topic).entryCountMax : Limits.entryCountRange.upperBound,
                isRaw: topic == "/sensors" && host.settings(of: topic).isRaw)
            var read: Set<String> = []
            _ = tree.filesRead()
            // Some files are read when a list of devices is looked at anew.
            for _ in 0..<2 {
                clock.advance(nanoseconds: 11_000_000_000)
                tick += 1
                takeSample(index)
                read.formUnion(tree.filesRead())
            }
            // The log has nothing to read at first.
            if topic == "/kernel/log" { read.insert("dev/kmsg") }
            guard !read.isEmpty else { continue }
            sources[index] = read.intersection(tree.paths).sorted()
            for path in read { readers[path, default: []].insert(index) }
        }
    }

    private func makeHost() -> HostMetrics.Host {
        let clock = clock
        let root = tree.root.path
        let host = HostMetrics.Host(
            procfs: root + "/proc", sysfs: root + "/sys", rootfs: root,
            facts: HostFacts(
                userTickHertz: mutator.pick([100, 100, 1_024]), pageSizeBytes: mutator.pick([4_096, 65_536]),
                machine: mutator.pick(["x86_64", "aarch64", "armv7l"]), endianness: "LE"), clock: { clock.reading })
        for registration in allCollectors where mutator.isOne(in: 2) {
            var settings = EntrySettings()
            settings.entryCountMax = mutator.pick([1, 3, 256])
            settings.isRaw = mutator.isOne(in: 2)
            settings.include = mutator.pick([nil, nil, try? Pattern(".*")])
            settings.exclude = mutator.pick([nil, nil, try? Pattern("^[^0-9]$")])
            host.entrySettings[registration.channel.topic] = settings
        }
        host.system.nvidiaLibrary = "/nowhere/libnvidia-ml.so.1"
        host.system.fileSystemStatistics = HostileAnswers.statistics
        let answers = HostileAnswers(SourceMutator(random: SeededGenerator(seed: random.next())))
        host.system.readKernelClock = { answers.kernelClock() }
        return host
    }

    // MARK: Steps

    /// Spoils files of one collector, and samples all collectors that read them.
    func playStep() {
        if mutator.isOne(in: 2) { tree.bringBack() }
        for path in tree.spoilt where mutator.isOne(in: 2) { tree.mend(path, moment: Int(random.next() % 2)) }
        let paths = spoilFiles()
        letTimePass()
        var concerned: Set<Int> = []
        for path in paths { concerned.formUnion(readers[path] ?? []) }
        _ = tree.filesRead()
        for index in concerned.sorted() {
            if mutator.isOne(in: 30) { samplers[index] = nil }
            if mutator.isOne(in: 4) { tick += 1 }
            takeSample(index)
            parseCount += tree.filesRead().intersection(paths).count
            guard faults.isEmpty else { return tell(paths) }
        }
    }

    private func spoilFiles() -> Set<String> {
        guard let files = sources[mutator.pick(sources.keys.sorted())], !files.isEmpty else { return [] }
        var paths: Set<String> = []
        for _ in 0..<mutator.pick([1, 1, 1, 2, 4, 10, 30]) { paths.insert(mutator.pick(files)) }
        for path in paths.sorted() {
            switch random.next() % 100 {
            case 0, 1: tree.remove(path, replacingByFolder: mutator.isOne(in: 2))
            case 2: tree.takeAway(folderOf: path)
            default:
                let other = tree.text(of: mutator.pick(tree.paths), 0)
                let moment = Int(random.next() % 2)
                tree.spoil(path, with: mutator.mutated(tree.text(of: path, moment), other: other))
            }
        }
        return paths
    }

    private func letTimePass() {
        tick += 1
        clock.advance(
            nanoseconds: mutator.pick([
                0, 1, 1_000_000, 100_000_000, 1_000_000_000, 1_000_000_000, 10_000_000_000, 11_500_000_000,
                100_000_000_000, 86_400_000_000_000,
            ]))
        if mutator.isOne(in: 50) {
            let nanoseconds: UInt64 = mutator.pick([1_000, 3_600_000_000_000, 8_640_000_000_000_000])
            suspendedNanoseconds += nanoseconds
            clock.reading.realtime.unixNanoseconds += nanoseconds
        }
        // The wall clock is set.
        if mutator.isOne(in: 50) {
            clock.reading.realtime.unixNanoseconds = mutator.pick([
                0, 1_795_000_000_000_000_000, 4_102_444_800_000_000_000,
            ])
        }
    }

    // MARK: Samples

    private func takeSample(_ index: Int) {
        let registration = allCollectors[index]
        let topic = registration.channel.topic
        let context = SampleContext(
            tick: tick, suspendedNanoseconds: suspendedNanoseconds, period: Period(hertz: registration.defaultHertz),
            windowSeconds: mutator.pick([registration.defaultWindowSeconds, 0, 10]))
        do {
            var sample: Sample?
            // What the thread worked: on a busy machine it waits for more than its sources.
            let worked = SystemClock.threadNanoseconds()
            let duration = try ContinuousClock().measure {
                let sampler = try samplers[index] ?? registration.makeSampler(on: host)
                samplers[index] = sampler
                sample = try sampler.sample(context)
            }
            if duration > longestSample.duration { longestSample = (duration, topic) }
            expect(SystemClock.threadNanoseconds() - worked < 2_000_000_000, topic, "\(duration) of work")
            expect(duration < .seconds(30), topic, "\(duration)")
            guard let sample, let sampler = samplers[index] else { return }
            sampleCounts[topic, default: 0] += 1
            parseErrorCounts[topic, default: 0] += sample.parseErrorCount
            try check(sample, of: sampler, index)
        } catch is CollectError {
            refusalCounts[topic, default: 0] += 1
            // The source is gone until it is looked for again.
            if mutator.isOne(in: 2) { samplers[index] = nil }
        } catch {
            faults.append("\(topic): \(error)")
        }
    }

    private func check(_ sample: Sample, of sampler: any Sampling, _ index: Int) throws {
        let registration = allCollectors[index]
        let topic = registration.channel.topic
        let interval = sample.intervalSeconds
        expect(interval.isNaN || interval > 0 && interval.isFinite, topic, "interval of \(interval) s")
        let counts = [sample.entryCount, sample.suppressedCount, sample.parseErrorCount, sample.resetCount]
        expect(counts.allSatisfy { $0 >= 0 }, topic, "\(counts)")
        expect(sample.notes.count <= Self.noteCountMax, topic, "\(sample.notes.count) notes")
        for note in sample.notes {
            expect(note.text.utf8.count <= Self.noteByteCountMax, topic, "note of \(note.text.utf8.count) bytes")
            expect(!note.text.utf8.contains(0x0A), topic, "note of several lines: \(note.text)")
        }
        var message = [UInt8](repeating: 0, count: sampler.encodedByteCount)
        if message.count > largestMessage.byteCount { largestMessage = (message.count, topic) }
        var span = message.mutableSpan
        sampler.encode(into: &span)
        faults += try inspectors[index]?.faults(in: message).map { "\(topic) \($0)" } ?? []
        if mutator.isOne(in: 50) { expect(registration.json(of: message) != nil, topic, "is not to be had as JSON") }
    }

    private func expect(_ isTrue: Bool, _ topic: String, _ fault: @autoclosure () -> String) {
        if !isTrue { faults.append("\(topic): \(fault())") }
    }

    /// Adds what was played.
    private func tell(_ paths: Set<String>) {
        faults = Array(faults.prefix(5))
        for path in paths.sorted().prefix(3) {
            let text = (try? Data(contentsOf: tree.root.url.appendingPathComponent(path))) ?? Data()
            faults.append("\(path): \(String(decoding: text.prefix(400), as: UTF8.self).debugDescription)")
        }
    }
}

/// What a system answers that means no good.
private final class HostileAnswers: Sendable {
    private let mutator: Mutex<SourceMutator>

    init(_ mutator: SourceMutator) { self.mutator = Mutex(mutator) }

    func kernelClock() -> KernelClock {
        mutator.withLock { mutator in
            // As far as the kernel itself goes.
            let numbers: [Int64] = [0, 1, -1, 65_536, 500_000, -500_000_000, .min, .max]
            let positive: [Int64] = [0, 1, 9_900, 16_000_000, .max]
            var clock = KernelClock()
            clock.state = mutator.pick([nil, .okay, .error, .leapDone])
            clock.status = KernelClock.Status(rawValue: UInt32(truncatingIfNeeded: mutator.random.next()))
            clock.offset = mutator.pick(numbers)
            clock.frequency = mutator.pick([0, 1, -1, 32_768_000, -32_768_000])
            clock.maxErrorMicroseconds = mutator.pick(positive)
            clock.estimatedErrorMicroseconds = mutator.pick(positive)
            clock.timeConstant = mutator.pick(positive)
            clock.tickMicroseconds = mutator.pick(positive)
            clock.taiOffsetSeconds = mutator.pick(numbers)
            return clock
        }
    }

    /// The same for a path each time, since threads ask in any order.
    @Sendable static func statistics(_ path: [UInt8]) -> Result<FileSystemStatistics, ErrnoValue> {
        var seed: UInt64 = 14_695_981_039_346_656_037
        // Not the folder's own name, which is another each time.
        for byte in path.suffix(8) { seed = (seed ^ UInt64(byte)) &* 1_099_511_628_211 }
        var mutator = SourceMutator(random: SeededGenerator(seed: seed))
        let numbers: [UInt64] = [0, 1, 512, 4_096, 1_000_000, 1 << 40, .max, .max - 1, 1 << 63]
        if mutator.isOne(in: 4) { return .failure(ErrnoValue(code: mutator.pick([EIO, ENOENT, 0, -1, 9_999]))) }
        return .success(
            FileSystemStatistics(
                blockBytes: mutator.pick(numbers), blockCount: mutator.pick(numbers),
                freeBlockCount: mutator.pick(numbers), availableBlockCount: mutator.pick(numbers),
                fileCount: mutator.pick(numbers), freeFileCount: mutator.pick(numbers),
                isDirectory: mutator.isOne(in: 2)))
    }
}
