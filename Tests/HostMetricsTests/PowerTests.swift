import Foundation
import HostMetrics
import Telemetry
import Testing

/// A channel of a host that a test writes file by file.
private final class PowerWorld {
    let root: TemporaryDirectory
    let clock = ManualClock()
    private let registration: Registration
    private let sampler: any Sampling
    private(set) var message = WireValue.absent
    private var tick: UInt64 = 0

    init(_ topic: String, _ root: TemporaryDirectory, settings: EntrySettings = EntrySettings()) throws {
        self.root = root
        registration = try #require(allCollectors.first { $0.channel.topic == topic })
        let clock = clock
        let host = HostMetrics.Host(
            sysfs: root.path,
            facts: HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE"),
            entrySettings: [topic: settings], clock: { clock.reading })
        sampler = try registration.makeSampler(on: host)
    }

    func sample(after seconds: Double = 1) throws -> Sample {
        clock.advance(nanoseconds: UInt64(seconds * 1e9))
        tick += 1
        let sample = try sampler.sample(registration.context(tick: tick))
        message = try decode(sampler, schema: registration.channel.schema)
        return sample
    }

    func entry(_ list: String, _ id: String) -> WireValue? {
        message[list]?.entries.first { $0["id"]?.text == id }
    }
}

extension TemporaryDirectory {
    fileprivate func put(_ files: [String: String], in folder: String) throws {
        for (name, text) in files { try write(text + "\n", to: "class/\(folder)/\(name)") }
    }
}

struct PowerTests {
    private let root: TemporaryDirectory

    init() throws { root = try TemporaryDirectory() }

    private func battery(_ files: [String: String]) throws -> WireValue {
        let name = "power_supply/BAT\(Int.random(in: 0...Int.max))"
        try root.put(files, in: name)
        let world = try PowerWorld("/power", root)
        _ = try world.sample()
        try FileManager.default.removeItem(atPath: "\(root.path)/class/\(name)")
        return try #require(world.message["supplies[0]"])
    }

    @Test func aBatteryThatCountsEnergyIsTold() throws {
        let battery = try battery([
            "type": "Battery", "status": "Discharging", "capacity": "71", "voltage_now": "12210000",
            "power_now": "8000000", "energy_now": "40000000", "energy_full": "50000000",
            "energy_full_design": "62500000", "cycle_count": "212", "current_now": "-655000",
        ])
        #expect(battery["type"]?.text == "Battery" && battery["status"]?.text == "Discharging")
        #expect(battery["capacity_ratio"]?.number == 0.71 && battery["volts"]?.number == 12.21)
        #expect(battery["watts"]?.number == 8 && battery["amperes"]?.number == -0.655)
        #expect(battery["energy_joules"]?.number == 144_000 && battery["energy_full_joules"]?.number == 180_000)
        #expect(battery["health_ratio"]?.number == 0.8 && battery["cycles"]?.number == 212)
        // 144 kJ at 8 W.
        #expect(battery["seconds_to_empty"]?.number == 18_000)
        for field in ["online", "charge_coulombs", "charge_full_coulombs", "seconds_to_full"] {
            #expect(battery[field]?.number?.isNaN == true, "\(field)")
        }
    }

    @Test func aBatteryThatCountsChargeIsTold() throws {
        let battery = try battery([
            "type": "Battery", "status": "Charging", "voltage_now": "4000000", "current_now": "-500000",
            "charge_now": "1500000", "charge_full": "2000000", "charge_full_design": "2500000", "cycle_count": "0",
        ])
        // Without power_now it is current times voltage, with the driver's sign.
        #expect(battery["watts"]?.number == -2)
        #expect(battery["charge_coulombs"]?.number == 5_400 && battery["charge_full_coulombs"]?.number == 7_200)
        #expect(battery["health_ratio"]?.number == 0.8)
        // 0.5 Ah at 0.5 A.
        #expect(battery["seconds_to_full"]?.number == 3_600)
        for field in ["energy_joules", "energy_full_joules", "seconds_to_empty", "cycles", "capacity_ratio"] {
            #expect(battery[field]?.number?.isNaN == true, "\(field)")
        }
    }

    @Test func theDriversOwnTimesGoFirst() throws {
        var files = [
            "status": "Discharging", "energy_now": "1000000", "energy_full": "2000000", "power_now": "1000000",
            "time_to_empty_avg": "50", "time_to_full_avg": "70",
        ]
        var battery = try battery(files)
        #expect(battery["seconds_to_empty"]?.number == 50 && battery["seconds_to_full"]?.number == 70)
        files["time_to_empty_now"] = "40"
        files["time_to_full_now"] = "60"
        battery = try self.battery(files)
        #expect(battery["seconds_to_empty"]?.number == 40 && battery["seconds_to_full"]?.number == 60)
    }

    @Test func nothingIsDividedByZero() throws {
        let battery = try battery([
            "status": "Discharging", "energy_now": "1000000", "energy_full": "0", "energy_full_design": "0",
            "power_now": "0",
        ])
        for field in ["health_ratio", "seconds_to_empty", "seconds_to_full"] {
            #expect(battery[field]?.number?.isNaN == true, "\(field)")
        }
        #expect(battery["watts"]?.number == 0 && battery["energy_full_joules"]?.number == 0)
        let over = try self.battery([
            "status": "Charging", "energy_now": "2000000", "energy_full": "1000000", "power_now": "1000000",
        ])
        #expect(over["seconds_to_full"]?.number == 0)
    }

    @Test func howLongItTakesToFillWhatHasNoKnownSizeIsUnknown() throws {
        let battery = try battery(["status": "Charging", "energy_now": "1000000", "power_now": "1000000"])
        #expect(battery["seconds_to_full"]?.isNaN == true)
    }

    @Test func badTextsSpoilTheirOwnFieldOnly() throws {
        try root.put(
            ["type": "Bat\u{1}tery", "capacity": "7x", "voltage_now": "-1", "power_now": "1.5", "current_now": "--2"],
            in: "power_supply/BAT0")
        try root.write([0x4C, 0xFF, 0x69, 0x0A], to: "class/power_supply/BAT0/status")
        try root.write("", to: "class/power_supply/BAT0/energy_now")
        try root.put(["online": "1"], in: "power_supply/it's \"AC\"")
        let world = try PowerWorld("/power", root)
        let sample = try world.sample()
        #expect(sample.parseErrorCount == 4 && sample.entryCount == 2)
        let battery = try #require(world.entry("supplies", "BAT0"))
        #expect(battery["type"]?.text == "Battery" && battery["status"]?.text == "L\u{FFFD}i")
        for field in ["capacity_ratio", "volts", "watts", "amperes", "energy_joules"] {
            #expect(battery[field]?.number?.isNaN == true, "\(field)")
        }
        #expect(world.entry("supplies", "it's 'AC'")?["online"]?.number == 1)
    }

    @Test func suppliesComeAndGo() throws {
        #expect(throws: CollectError.open(errno: 2)) { try PowerWorld("/power", root) }
        try FileManager.default.createDirectory(
            atPath: root.path + "/class/power_supply", withIntermediateDirectories: true)
        #expect(throws: CollectError.open(errno: 2)) { try PowerWorld("/power", root) }
        try root.put(["online": "1"], in: "power_supply/AC")
        let world = try PowerWorld("/power", root)
        _ = try world.sample()
        try root.put(["capacity": "50"], in: "power_supply/A")
        _ = try world.sample()
        #expect(world.message["supplies"]?.entries.map { $0["id"]?.text } == ["A", "AC"])
        for name in ["A", "AC"] {
            try FileManager.default.removeItem(atPath: root.path + "/class/power_supply/" + name)
        }
        #expect(throws: CollectError.nothingUsable) { try world.sample() }
        try root.put(["online": "0"], in: "power_supply/AC")
        _ = try world.sample()
        #expect(world.entry("supplies", "AC")?["online"]?.number == 0)
    }

    @Test func theOwnerChoosesSupplies() throws {
        for name in ["a", "b", "c", "d"] { try root.put(["online": "1"], in: "power_supply/\(name)") }
        var settings = EntrySettings()
        settings.exclude = try Pattern("b")
        settings.entryCountMax = 2
        let world = try PowerWorld("/power", root, settings: settings)
        let sample = try world.sample()
        #expect(world.message["supplies"]?.entries.map { $0["id"]?.text } == ["a", "c"])
        #expect(sample.entryCount == 2 && sample.suppressedCount == 1)
    }
}

struct RAPLTests {
    private let root: TemporaryDirectory

    init() throws { root = try TemporaryDirectory() }

    private func put(_ id: String, name: String = "package-0", energy: String, range: String? = "1000000000") throws {
        var files = ["name": name, "energy_uj": energy]
        files["max_energy_range_uj"] = range
        try root.put(files, in: "powercap/\(id)")
    }

    @Test func powerIsTheGrowthOfEnergy() throws {
        try root.put(["enabled": "1"], in: "powercap/intel-rapl")
        try put("intel-rapl:0", energy: "5000000")
        try put("intel-rapl:0:0", name: "core", energy: "1000000", range: nil)
        let world = try PowerWorld("/rapl", root)
        #expect(try world.sample().intervalSeconds.isNaN)
        #expect(world.message["zones"]?.entries.count == 2)
        #expect(world.entry("zones", "intel-rapl:0")?["watts"]?.number?.isNaN == true)
        try put("intel-rapl:0", energy: "9000000")
        try put("intel-rapl:0:0", name: "core", energy: "2500000", range: nil)
        #expect(try world.sample(after: 0.5).intervalSeconds == 0.5)
        let package = try #require(world.entry("zones", "intel-rapl:0"))
        #expect(package["name"]?.text == "package-0" && package["joules_total"]?.number == 9)
        #expect(package["watts"]?.number == 8 && package["range_joules"]?.number == 1_000)
        let core = try #require(world.entry("zones", "intel-rapl:0:0"))
        #expect(core["watts"]?.number == 3 && core["range_joules"]?.number?.isNaN == true)
    }

    @Test func aCounterBeginsAgainAtItsOwnRange() throws {
        try put("zone", energy: "999000000")
        let world = try PowerWorld("/rapl", root)
        _ = try world.sample()
        try put("zone", energy: "2000000")
        #expect(try world.sample().resetCount == 0)
        #expect(world.entry("zones", "zone")?["watts"]?.number == 3)
        #expect(world.entry("zones", "zone")?["joules_total"]?.number == 2)
        try put("zone", energy: "6000000")
        _ = try world.sample()
        #expect(world.entry("zones", "zone")?["watts"]?.number == 4)
    }

    @Test(arguments: [nil, "100000000"])
    func aCounterThatFellForNoReasonWasReset(range: String?) throws {
        // Above its range, or without one.
        try put("zone", energy: "200000000", range: range)
        let world = try PowerWorld("/rapl", root)
        _ = try world.sample()
        try put("zone", energy: "5000000", range: range)
        #expect(try world.sample().resetCount == 1)
        #expect(world.entry("zones", "zone")?["watts"]?.number?.isNaN == true)
        try put("zone", energy: "7000000", range: range)
        #expect(try world.sample().resetCount == 0)
        #expect(world.entry("zones", "zone")?["watts"]?.number == 2)
    }

    @Test func countersOfAnySizeDoNoHarm() throws {
        var counter = RAPLCounter(.max, range: .max)
        counter.advance(to: 5)
        #expect(counter.sum == 4 && counter.raw == 5)
        counter.advance(to: .max)
        counter.advance(to: 0)
        #expect(counter.raw == 0)
    }

    @Test func whoMayNotReadSeesNoChannel() throws {
        #expect(throws: CollectError.open(errno: 2)) { try PowerWorld("/rapl", root) }
        // As of a folder: what cannot be opened for reading at all would be readable to root.
        try root.put(["name": "package-0"], in: "powercap/zone")
        #expect(throws: CollectError.open(errno: 2)) { try PowerWorld("/rapl", root) }
        try put("other", energy: "nonsense")
        #expect(throws: CollectError.open(errno: 2)) { try PowerWorld("/rapl", root) }
        try put("last", energy: "1")
        let world = try PowerWorld("/rapl", root)
        _ = try world.sample()
        #expect(world.message["zones"]?.entries.map { $0["id"]?.text } == ["last"])
    }

    @Test func zonesComeAndGo() throws {
        try put("a", energy: "1000000")
        try put("b", energy: "1000000")
        let world = try PowerWorld("/rapl", root)
        _ = try world.sample()
        try put("b", energy: "3000000")
        try put("a", energy: "x")
        #expect(try world.sample().parseErrorCount == 1)
        #expect(world.entry("zones", "a")?["joules_total"]?.number?.isNaN == true)
        #expect(world.entry("zones", "b")?["watts"]?.number == 2)
        // It is left out as soon as the zones are listed again, and comes back as a new one.
        _ = try world.sample()
        #expect(world.entry("zones", "a") == nil)
        try put("a", energy: "9000000")
        try put("c", energy: "1000000")
        _ = try world.sample()
        #expect(world.message["zones"]?.entries.count == 1)
        _ = try world.sample(after: 10)
        #expect(world.message["zones"]?.entries.map { $0["id"]?.text } == ["a", "b", "c"])
        #expect(world.entry("zones", "a")?["watts"]?.number?.isNaN == true)
        #expect(world.entry("zones", "b")?["watts"]?.number == 0)
        for name in ["a", "b", "c"] { try root.write("", to: "class/powercap/\(name)/energy_uj") }
        #expect(throws: CollectError.nothingUsable) { try world.sample() }
    }

    @Test func theOwnerChoosesZones() throws {
        for name in ["a", "b", "c", "d"] { try put(name, energy: "1") }
        var settings = EntrySettings()
        settings.exclude = try Pattern("b")
        settings.entryCountMax = 2
        let world = try PowerWorld("/rapl", root, settings: settings)
        let sample = try world.sample()
        #expect(world.message["zones"]?.entries.map { $0["id"]?.text } == ["a", "c"])
        #expect(sample.entryCount == 2 && sample.suppressedCount == 1)
    }
}
