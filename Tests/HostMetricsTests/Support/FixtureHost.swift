import Foundation
import HostMetrics
import Telemetry

/// A clock that is moved by hand.
final class ManualClock {
    var reading = ClockReading(
        monotonic: Instant(nanoseconds: 1_000_000_000_000),
        realtime: Timestamp(unixNanoseconds: 1_795_000_000_000_000_000))

    func advance(nanoseconds: UInt64) {
        reading.monotonic.nanoseconds += nanoseconds
        reading.realtime.unixNanoseconds += nanoseconds
    }
}

/// A directory that goes with its owner.
final class TemporaryDirectory {
    let url: URL

    /// `isLarge`: for thousands of files, which a disk takes seconds to make and remove.
    init(isLarge: Bool = false) throws {
        let memory = "/dev/shm"
        let parent =
            isLarge && FileManager.default.isWritableFile(atPath: memory)
            ? URL(fileURLWithPath: memory) : FileManager.default.temporaryDirectory
        url = parent.appendingPathComponent("host-metrics-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    var path: String { url.path }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

    /// Writes in place, so that a descriptor that is open on the file sees the new bytes, as it does in /proc.
    func write(_ bytes: [UInt8], to path: String) throws {
        let file = url.appendingPathComponent(path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file, options: [])
    }

    /// Removes a file; a descriptor that is open on it reads nothing from now on.
    func remove(_ path: String) throws {
        try write([], to: path)
        try FileManager.default.removeItem(at: url.appendingPathComponent(path))
    }
}

/// One of the made-up hosts of `Fixtures/hosts`, at one of its two snapshots.
final class FixtureHost {
    struct Facts: Decodable {
        var endianness: String
        var machine: String
        var page_size_bytes: Double
        var user_hz: Double
    }

    static let names = ["laptop", "server-64cpu", "container", "arm-sbc", "garbled"]

    static var folder: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fixtures/hosts")
    }

    let clock = ManualClock()
    let host: HostMetrics.Host
    /// By snapshot and topic.
    let expected: [String: [String: GoldenValue]]
    /// Whether the host's expected values include those of ``secondTierTopics``.
    let hasSecondTier: Bool
    static let secondTierTopics: Set = ["/thermal", "/power", "/rapl", "/cgroup"]
    /// Of the first tier, with values for each host; all others are tested beside their parsers.
    static let firstTierTopics: Set = [
        "/cpu", "/cpu/cores", "/cpu/frequency", "/disk", "/filesystem", "/kernel", "/load", "/memory",
        "/memory/paging", "/net", "/pressure", "/sensors", "/system/info", "/system/uptime",
    ]
    private let answers = StatfsAnswers()
    private let source: URL
    private let root: TemporaryDirectory
    private let elapsedNanoseconds: UInt64
    private var files: Set<String> = []

    init(_ name: String) throws {
        source = Self.folder.appendingPathComponent(name)
        root = try TemporaryDirectory()
        let decoder = JSONDecoder()
        let facts = try decoder.decode(Facts.self, from: Data(contentsOf: source.appendingPathComponent("host.json")))
        var expected = try decoder.decode(
            [String: [String: GoldenValue]].self, from: Data(contentsOf: source.appendingPathComponent("expected.json"))
        )
        let secondTier = expected.removeValue(forKey: "tier2")
        hasSecondTier = secondTier != nil
        for case (let snapshot, .object(let topics)) in secondTier ?? [:] {
            expected[snapshot]?.merge(topics) { first, _ in first }
        }
        self.expected = expected
        let elapsed = try String(contentsOf: source.appendingPathComponent("elapsed_ns"), encoding: .utf8)
        elapsedNanoseconds = UInt64(elapsed.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
        let clock = clock
        host = HostMetrics.Host(
            procfs: root.path + "/proc", sysfs: root.path + "/sys", rootfs: root.path,
            facts: HostFacts(
                userTickHertz: facts.user_hz, pageSizeBytes: facts.page_size_bytes, machine: facts.machine,
                endianness: facts.endianness),
            clock: { clock.reading })
        let answers = answers
        let rootPath = Array(root.path.utf8)
        host.system.fileSystemStatistics = { path in
            answers.answer(String(decoding: path.dropFirst(rootPath.count), as: UTF8.self))
        }
        host.system.fileSystemTimeoutSeconds = 0.5
        try show("t0")
    }

    deinit { answers.release() }

    /// Replaces the first snapshot by the second, under the descriptors that are open, and lets the time pass.
    func advance() throws {
        try show("t1")
        clock.advance(nanoseconds: elapsedNanoseconds)
    }

    private func show(_ snapshot: String) throws {
        let from = source.appendingPathComponent(snapshot)
        try answers.load(from.appendingPathComponent("statfs.json"))
        var found: Set<String> = []
        let manager = FileManager.default
        guard let paths = manager.enumerator(atPath: from.path) else { return }
        for case let path as String in paths {
            let file = from.appendingPathComponent(path)
            let attributes = try manager.attributesOfItem(atPath: file.path)
            let target = root.url.appendingPathComponent(path)
            switch attributes[.type] as? FileAttributeType {
            case .typeRegular?:
                // Foundation leaks its buffer when it reads an empty file.
                let isEmpty = attributes[.size] as? UInt64 == 0
                try root.write(isEmpty ? [] : Array(try Data(contentsOf: file)), to: path)
            case .typeSymbolicLink?:
                let destination = try manager.destinationOfSymbolicLink(atPath: file.path)
                guard (try? manager.destinationOfSymbolicLink(atPath: target.path)) != destination else { break }
                try? manager.removeItem(at: target)
                try manager.createSymbolicLink(atPath: target.path, withDestinationPath: destination)
            default: try manager.createDirectory(at: target, withIntermediateDirectories: true)
            }
            found.insert(path)
        }
        // What is below a folder goes before the folder.
        for path in files.subtracting(found).sorted().reversed() {
            let target = root.url.appendingPathComponent(path)
            let type = try manager.attributesOfItem(atPath: target.path)[.type] as? FileAttributeType
            if type == .typeRegular { try root.remove(path) } else { try manager.removeItem(at: target) }
        }
        files = found
    }
}

/// A value of `expected.json`.
indirect enum GoldenValue: Decodable {
    case null
    case bool(Bool)
    case unsigned(UInt64)
    case double(Double)
    case string(String)
    case list([GoldenValue])
    case object([String: GoldenValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .unsigned(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([GoldenValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: GoldenValue].self))
        }
    }

    /// What differs from `value`, with its path; empty if nothing does. Fields that are not expected are free.
    func differences(from value: WireValue?, at path: String) -> [String] {
        let difference = ["\(path): \(value.map { "\($0)" } ?? "nothing") instead of \(self)"]
        switch (self, value) {
        case (.null, .double(let value)): return value.isNaN ? [] : difference
        case (.bool(let expected), .bool(let value)): return expected == value ? [] : difference
        case (.unsigned(let expected), .unsigned(let value)): return expected == value ? [] : difference
        case (.unsigned(let expected), .double(let value)):
            return Self.isNear(value, Double(expected)) ? [] : difference
        case (.double(let expected), .double(let value)): return Self.isNear(value, expected) ? [] : difference
        case (.string(let expected), .string(let value)), (.string(let expected), .enumeration(let value)):
            return expected == value ? [] : difference
        case (.list(let expected), .list(let values)):
            guard expected.count == values.count else {
                return ["\(path): \(values.count) entries instead of \(expected.count)"]
            }
            return zip(expected, values).enumerated().flatMap { index, pair in
                pair.0.differences(from: pair.1, at: "\(path)[\(index)]")
            }
        case (.object(let expected), .message(let values)):
            return expected.keys.sorted().flatMap { key in
                expected[key, default: .null].differences(from: values[key], at: "\(path).\(key)")
            }
        default: return difference
        }
    }

    private static func isNear(_ left: Double, _ right: Double) -> Bool {
        abs(left - right) <= 1e-9 * max(1, abs(right))
    }
}
