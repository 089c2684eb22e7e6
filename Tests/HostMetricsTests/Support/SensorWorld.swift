import Foundation
import HostMetrics
import Telemetry
import TelemetrySchema

/// Chips whose values, slowness and death a test decides.
final class ScriptedChips: Sendable {
    private struct State {
        var chips: [SensorChip]? = []
        var inputs: [String: Double] = [:]
        var alarms: Set<String> = []
        var delays: [String: Double] = [:]
        var hanging: Set<String> = []
        var readCounts: [String: Int] = [:]
        var listCount = 0
    }

    private let state = Locked(State())
    /// Added to all values, to tell readers apart.
    private let offset: Double

    init(offset: Double = 0) { self.offset = offset }

    var chips: [SensorChip]? {
        get { state.withLock { $0.chips } }
        set { state.withLock { $0.chips = newValue } }
    }

    var listCount: Int { state.withLock { $0.listCount } }
    func readCount(_ chip: String) -> Int { state.withLock { $0.readCounts[chip] ?? 0 } }
    func set(_ feature: String, _ input: Double) { state.withLock { $0.inputs[feature] = input } }
    func setAlarm(_ feature: String, _ isOn: Bool) {
        state.withLock { state in
            if isOn { state.alarms.insert(feature) } else { state.alarms.remove(feature) }
        }
    }
    /// What the list is called among those that are slow.
    static let list = "list"
    func delay(_ chip: String, seconds: Double) { state.withLock { $0.delays[chip] = seconds } }
    func hang(_ chip: String) { state.withLock { _ = $0.hanging.insert(chip) } }
    func release(_ chip: String) { state.withLock { _ = $0.hanging.remove(chip) } }

    /// A reader of these chips, as many as are wanted.
    func makeReader() -> any SensorReader { Reader(self) }

    private final class Reader: SensorReader {
        private let script: ScriptedChips
        init(_ script: ScriptedChips) { self.script = script }

        func chips() -> [SensorChip]? {
            Thread.sleep(forTimeInterval: script.state.withLock { $0.delays[ScriptedChips.list] ?? 0 })
            return script.state.withLock { state in
                state.listCount += 1
                return state.chips
            }
        }

        func read(_ chip: SensorChip) -> ChipReading {
            let delay = script.state.withLock { state in
                state.readCounts[chip.name, default: 0] += 1
                return state.delays[chip.name] ?? 0
            }
            Thread.sleep(forTimeInterval: delay)
            while script.state.withLock({ $0.hanging.contains(chip.name) }) { Thread.sleep(forTimeInterval: 0.005) }
            var reading = ChipReading(of: chip)
            script.state.withLock { state in
                for (index, feature) in chip.features.enumerated() {
                    let id = "\(chip.name)/\(feature.name)"
                    reading.features[index].input = (state.inputs[id] ?? 20) + script.offset
                    reading.features[index].hasAlarm = state.alarms.contains(id)
                }
            }
            return reading
        }
    }
}

/// The collector of `/sensors`, its folder and its clock.
final class SensorWorld {
    static let topic = "/sensors"
    /// Kept as long as it is read.
    private var root: TemporaryDirectory?
    let clock = ManualClock()
    private var collector: SensorsCollector
    private let box = MessageBox<SensorsMessage>()
    private(set) var message = WireValue.absent
    private(set) var tick: UInt64 = 0

    /// Reads files below `root`, or by `first` and where that hangs by `others`.
    convenience init(
        _ root: TemporaryDirectory, first: ScriptedChips? = nil, others: ScriptedChips? = nil,
        waitSeconds: Double = 0.1, settings: EntrySettings = EntrySettings()
    ) throws {
        let sysfs = root.path
        try self.init(sysfs: sysfs, settings: settings) { host throws(CollectError) in
            try SensorsCollector(
                host: host, reader: { first?.makeReader() ?? HwmonReader(sysfs: sysfs) },
                fallback: { others?.makeReader() ?? HwmonReader(sysfs: sysfs) }, waitSeconds: waitSeconds)
        }
        self.root = root
    }

    /// Reads as the agent does.
    convenience init(sysfs: String) throws {
        try self.init(sysfs: sysfs, settings: EntrySettings()) { host throws(CollectError) in
            try SensorsCollector(host: host)
        }
    }

    private init(
        sysfs: String, settings: EntrySettings, make: (HostMetrics.Host) throws(CollectError) -> SensorsCollector
    ) throws {
        let clock = clock
        let host = HostMetrics.Host(
            sysfs: sysfs,
            facts: HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE"),
            entrySettings: [Self.topic: settings], clock: { clock.reading })
        collector = try make(host)
    }

    /// A folder with as many chips as the scripts' lists, so that their list is asked for.
    static func folder(chipCount: Int) throws -> TemporaryDirectory {
        let root = try TemporaryDirectory()
        for number in 0..<chipCount { try root.write("chip\n", to: "class/hwmon/hwmon\(number)/name") }
        return root
    }

    /// Makes the folder of chips another one, so that they are listed again.
    func addFolder(_ name: String) throws { try root?.write("chip\n", to: "class/hwmon/\(name)/name") }

    /// Lets time pass and takes a sample.
    func sample(after seconds: Double = 1) throws -> Sample {
        clock.advance(nanoseconds: UInt64(seconds * 1e9))
        tick += 1
        box.reset()
        let context = SampleContext(tick: tick, period: Period(hertz: 1), windowSeconds: 0)
        let sample = try collector.sample(context, into: &box.content)
        box.setHeader(stamp: sample.time.realtime, intervalSeconds: sample.intervalSeconds, sequence: UInt32(tick))
        message = try decode(box.bytes, schema: SensorsMessage.schema)
        return sample
    }

    func entry(_ id: String) -> WireValue? {
        for list in Self.lists {
            if let entry = message[list]?.entries.first(where: { $0["id"]?.text == id }) { return entry }
        }
        return nil
    }

    var ids: [String] { Self.lists.flatMap { message[$0]?.entries.compactMap { $0["id"]?.text } ?? [] } }

    func celsius(_ id: String) -> Double? { entry(id)?["celsius"]?.number }

    private static let lists = [
        "temperatures", "fans", "voltages", "currents", "powers", "energies", "humidities", "intrusions",
    ]
}

extension SensorChip {
    /// A chip without files.
    static func scripted(_ name: String, number: Int, _ features: [SensorFeature]? = nil, driver: String? = nil) -> Self
    {
        SensorChip(
            name: name, driver: driver ?? name, path: "/nowhere/hwmon\(number)", number: number,
            features: features ?? [SensorFeature(.temperature, 1, [.input, .alarm])])
    }
}
