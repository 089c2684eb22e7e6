import Foundation
import Glibc
import Telemetry
import Testing

@testable import HostMetrics

struct ClockLevelsTests {
    private func levels(_ text: String) -> ClockLevels {
        var levels = ClockLevels()
        levels.parse(Array("9: 9Mhz *\n".utf8).span)
        levels.parse(Array(text.utf8).span)
        return levels
    }

    @Test(arguments: [
        ("0: 500Mhz\n1: 1800Mhz *\n2: 2400Mhz\n", 1.8e9), ("S: 19Mhz *\n0: 615Mhz \n1: 800Mhz \n", 1.9e7),
        ("0: 96Mhz *", 9.6e7), ("0: 300MHz *\n", 3e8), ("0: 1Mhz *\n1: 2Mhz *\n", 1e6),
    ])
    func theLevelWithTheStar(text: String, hertz: Double) {
        #expect(levels(text).hertz == hertz && levels(text).parseErrorCount == 0)
    }

    @Test(arguments: ["", "\n", "0: 500Mhz\n1: 1800Mhz\n", "*\n0: 5Mhz"])
    func noStarNoClock(text: String) {
        #expect(levels(text).hertz.isNaN)
    }

    @Test(arguments: ["1: -5Mhz *\n", "1 5Mhz *\n", "1: Mhz *\n", "1: 5.5Mhz *\n", "1: 5 *\n", "*"])
    func garbageIsCounted(text: String) {
        #expect(levels(text).hertz.isNaN && levels(text).parseErrorCount == 1)
        #expect(levels(text + "\n2: 7Mhz *\n").hertz == 7e6)
    }
}

/// A host of made-up devices, sampled through the registry.
private final class GPUWorld {
    let root: TemporaryDirectory
    let clock = ManualClock()
    let host: HostMetrics.Host
    let registration: Registration
    private var sampler: (any Sampling)?

    init(library: String = "/nowhere/libnvidia-ml.so.1", settings: EntrySettings = EntrySettings()) throws {
        root = try TemporaryDirectory()
        let clock = clock
        host = HostMetrics.Host(
            procfs: root.path + "/proc", sysfs: root.path + "/sys", rootfs: root.path,
            facts: HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE"),
            entrySettings: ["/gpu": settings], clock: { clock.reading })
        host.system.nvidiaLibrary = library
        registration = try #require(allCollectors.first { $0.channel.topic == "/gpu" })
    }

    func addNvidia(_ address: String, status: String = "active", pciID: String = "10DE:2335") throws {
        try root.write("", to: "sys/bus/pci/drivers/nvidia/\(address)/uevent")
        try root.write("DRIVER=nvidia\nPCI_ID=\(pciID)\n", to: "sys/bus/pci/devices/\(address)/uevent")
        try setStatus(status, ofNvidia: address)
    }

    func setStatus(_ status: String, ofNvidia address: String) throws {
        try root.write("\(status)\n", to: "sys/bus/pci/devices/\(address)/power/runtime_status")
    }

    func addCard(_ number: Int, driver: String, address: String?, status: String = "active") throws {
        let slot = address.map { "PCI_ID=1002:73BF\nPCI_SLOT_NAME=\($0)\n" } ?? ""
        try writeCard(number, "uevent", "DRIVER=\(driver)\n\(slot)MODALIAS=x\n")
        try writeCard(number, "power/runtime_status", "\(status)\n")
    }

    func writeCard(_ number: Int, _ file: String, _ text: String) throws {
        try root.write(text, to: "sys/class/drm/card\(number)/device/\(file)")
    }

    func start() throws { sampler = try registration.makeSampler(on: host) }

    /// Samples half a second later.
    func sample(after seconds: Double = 0.5) throws -> (message: WireValue, sample: Sample) {
        if sampler == nil { try start() }
        clock.advance(nanoseconds: UInt64(seconds * 1e9))
        let sampler = try #require(sampler)
        let sample = try sampler.sample(registration.context(tick: 1))
        return (try decode(sampler, schema: registration.channel.schema), sample)
    }
}

extension WireValue {
    fileprivate func isUnknown(_ path: String) -> Bool { self[path]?.number?.isNaN == true }
}

private let valueNames = [
    "busy_ratio", "memory_busy_ratio", "memory_used_bytes", "memory_total_bytes", "memory_used_ratio", "celsius",
    "watts", "power_limit_watts", "joules_total", "core_hertz", "memory_hertz", "fan_ratio", "fan_rpm",
]

struct GraphicsCardTests {
    private func radeon(_ world: GPUWorld, status: String = "active") throws {
        try world.addCard(1, driver: "amdgpu", address: "0000:03:00.0", status: status)
        try world.writeCard(1, "product_name", "Radeon Pro W6800\n")
        try world.writeCard(1, "gpu_busy_percent", "37\n")
        try world.writeCard(1, "mem_busy_percent", "5\n")
        try world.writeCard(1, "mem_info_vram_used", "1073741824\n")
        try world.writeCard(1, "mem_info_vram_total", "4294967296\n")
        try world.writeCard(1, "pp_dpm_sclk", "0: 500Mhz\n1: 2575Mhz *\n")
        try world.writeCard(1, "pp_dpm_mclk", "0: 96Mhz *\n1: 1000Mhz\n")
        try world.writeCard(1, "hwmon/hwmon4/temp1_input", "-2500\n")
        try world.writeCard(1, "hwmon/hwmon4/power1_average", "35000000\n")
        try world.writeCard(1, "hwmon/hwmon4/power1_cap", "203000000\n")
        try world.writeCard(1, "hwmon/hwmon4/fan1_input", "1200\n")
        try world.writeCard(1, "hwmon/hwmon4/pwm1", "51\n")
    }

    @Test func everythingOfARadeon() throws {
        let world = try GPUWorld()
        try radeon(world)
        // No cards: a connector, a driver that tells nothing, a render node.
        try world.root.write("", to: "sys/class/drm/card1-DP-1/status")
        try world.addCard(0, driver: "ast", address: "0000:02:00.0")
        try world.root.write("", to: "sys/class/drm/renderD128/dev")
        let (message, sample) = try world.sample()
        #expect(message["gpus"]?.entries.count == 1 && sample.entryCount == 1 && sample.parseErrorCount == 0)
        let gpu = try #require(message["gpus[0]"])
        #expect(gpu["id"]?.text == "0000:03:00.0" && gpu["name"]?.text == "Radeon Pro W6800")
        #expect(gpu["driver"]?.text == "amdgpu" && gpu["driver_version"]?.text == "")
        #expect(gpu["state"]?.text == "STATE_ACTIVE")
        let expected = [
            "busy_ratio": 0.37, "memory_busy_ratio": 0.05, "memory_used_bytes": 1_073_741_824,
            "memory_total_bytes": 4_294_967_296, "memory_used_ratio": 0.25, "celsius": -2.5, "watts": 35,
            "power_limit_watts": 203, "core_hertz": 2_575e6, "memory_hertz": 96e6, "fan_ratio": 0.2, "fan_rpm": 1_200,
        ]
        for (name, value) in expected {
            #expect(abs(try #require(gpu[name]?.number) - value) <= 1e-9 * value.magnitude, "\(name)")
        }
        #expect(gpu.isUnknown("joules_total"))
    }

    @Test(arguments: ["suspended", "suspending", "resuming"])
    func oneThatSleepsIsLeftAlone(status: String) throws {
        let world = try GPUWorld()
        try radeon(world, status: status)
        let gpu = try #require(try world.sample().message["gpus[0]"])
        #expect(gpu["id"]?.text == "0000:03:00.0" && gpu["name"]?.text == "Radeon Pro W6800")
        #expect(gpu["state"]?.text == "STATE_SUSPENDED")
        for name in valueNames { #expect(gpu.isUnknown(name), "\(name)") }
        // Awake again.
        try world.writeCard(1, "power/runtime_status", "active\n")
        #expect(try world.sample().message["gpus[0].busy_ratio"]?.number == 0.37)
    }

    @Test func whatIsMissingOrImplausibleIsUnknown() throws {
        let world = try GPUWorld()
        try world.addCard(1, driver: "amdgpu", address: "0000:03:00.0")
        try world.writeCard(1, "gpu_busy_percent", "101\n")
        try world.writeCard(1, "mem_busy_percent", "-1\n")
        try world.writeCard(1, "mem_info_vram_total", "0\n")
        try world.writeCard(1, "mem_info_vram_used", "0\n")
        try world.writeCard(1, "hwmon/hwmon0/temp1_input", "511000\n")
        try world.writeCard(1, "hwmon/hwmon0/power1_average", "x\n")
        try world.writeCard(1, "hwmon/hwmon0/pwm1", "256\n")
        let (message, sample) = try world.sample()
        let gpu = try #require(message["gpus[0]"])
        #expect(gpu["name"]?.text == "AMD GPU 1002:73bf")
        #expect(gpu["memory_total_bytes"] == .double(0) && gpu["memory_used_bytes"] == .double(0))
        for name in valueNames where !name.hasSuffix("_bytes") { #expect(gpu.isUnknown(name), "\(name)") }
        #expect(sample.parseErrorCount == 2)
        #expect(try world.sample().sample.parseErrorCount == 2)
    }

    @Test func othersTellTheirClock() throws {
        let world = try GPUWorld()
        try world.addCard(2, driver: "xe", address: "0000:03:00.0")
        try world.writeCard(2, "tile0/gt0/freq0/act_freq", "1550\n")
        try world.writeCard(2, "hwmon/hwmon1/power1_input", "9000000\n")
        try world.writeCard(2, "hwmon/hwmon1/power1_max", "190000000\n")
        try world.writeCard(2, "hwmon/hwmon1/energy1_input", "2500000\n")
        try world.addCard(10, driver: "i915", address: nil)
        try world.root.write("300\n", to: "sys/class/drm/card10/gt_act_freq_mhz")
        let message = try world.sample().message
        #expect(message["gpus"]?.entries.map { $0["id"]?.text } == ["0000:03:00.0", "card10"])
        #expect(message["gpus[0].core_hertz"] == .double(1_550e6) && message["gpus[0].watts"] == .double(9))
        #expect(message["gpus[0].power_limit_watts"] == .double(190))
        #expect(message["gpus[0].joules_total"] == .double(2.5))
        #expect(message["gpus[1].core_hertz"] == .double(300e6) && message["gpus[1].name"]?.text == "i915")
    }

    @Test func cardsComeAndGo() throws {
        let world = try GPUWorld()
        try world.addCard(0, driver: "amdgpu", address: "0000:03:00.0")
        try world.addCard(1, driver: "amdgpu", address: "0000:04:00.0")
        #expect(try world.sample().sample.notes.isEmpty)
        try FileManager.default.removeItem(atPath: world.root.path + "/sys/class/drm/card0")
        // Gone at once, told when it is looked for the next time.
        let (message, sample) = try world.sample()
        #expect(message["gpus"]?.entries.map { $0["id"]?.text } == ["0000:04:00.0"] && sample.notes.isEmpty)
        #expect(try world.sample(after: 10).sample.notes == [Note(.warning, "0000:03:00.0 vanished")])
        try world.addCard(0, driver: "amdgpu", address: "0000:03:00.0")
        #expect(try world.sample().message["gpus"]?.entries.count == 1)
        let again = try world.sample(after: 10)
        #expect(again.message["gpus"]?.entries.count == 2)
        #expect(again.sample.notes == [Note(.info, "0000:03:00.0 appeared")])
        for card in 0...1 { try FileManager.default.removeItem(atPath: world.root.path + "/sys/class/drm/card\(card)") }
        #expect(throws: CollectError.nothingUsable) { try world.sample() }
    }

    @Test func whatDescribesACardIsLookedAtAgain() throws {
        let world = try GPUWorld()
        try world.addCard(1, driver: "vfio-pci", address: "0000:03:00.0")
        try world.addCard(2, driver: "amdgpu", address: "0000:04:00.0")
        #expect(try world.sample(after: 10).message["gpus"]?.entries.count == 1)
        try world.writeCard(2, "hwmon/hwmon4/temp1_input", "45000\n")
        #expect(try world.sample().message.isUnknown("gpus[0].celsius"))
        #expect(try world.sample(after: 10).message["gpus[0].celsius"]?.number == 45)
        try world.writeCard(2, "product_name", "Radeon Pro W6800\n")
        #expect(try world.sample(after: 10).message["gpus[0].name"]?.text == "Radeon Pro W6800")
        try world.addCard(1, driver: "amdgpu", address: "0000:03:00.0")
        let (message, sample) = try world.sample(after: 10)
        #expect(message["gpus"]?.entries.map { $0["id"]?.text } == ["0000:03:00.0", "0000:04:00.0"])
        #expect(sample.notes == [Note(.info, "0000:03:00.0 appeared")])
    }

    @Test(arguments: [64, 65]) func cardsAreBounded(count: Int) throws {
        let world = try GPUWorld()
        for card in 0..<count { try world.addCard(card, driver: "amdgpu", address: nil) }
        #expect(try world.sample().sample.entryCount == 64)
    }

    @Test func settingsOfTheOwner() throws {
        var settings = EntrySettings()
        settings.entryCountMax = 1
        settings.exclude = try Pattern("card0")
        let world = try GPUWorld(settings: settings)
        for card in 0..<3 { try world.addCard(card, driver: "amdgpu", address: nil) }
        let (message, sample) = try world.sample()
        #expect(message["gpus"]?.entries.map { $0["id"]?.text } == ["card1"])
        #expect(sample.suppressedCount == 1 && sample.entryCount == 1)
    }

    @Test func withoutAGPUThereIsNoChannel() throws {
        let world = try GPUWorld()
        try world.addCard(0, driver: "virtio_gpu", address: nil)
        try world.root.write("", to: "sys/bus/pci/drivers/nvidia/new_id")
        #expect(throws: CollectError.open(errno: ENOENT)) { try world.start() }
    }
}

@Suite(.enabled(if: NvidiaStub.compiler != nil, "needs a C compiler on the PATH, as Swift does"))
struct NvidiaTests {
    @Test func everythingOfTwo() throws {
        let stub = try NvidiaStub()
        let world = try GPUWorld(library: stub.library)
        try world.addNvidia("0000:01:00.0")
        try world.addNvidia("0000:02:00.0", status: "unsupported")
        try world.start()
        #expect(stub.takeCalls().isEmpty, "looking for GPUs loads no library")
        let (message, sample) = try world.sample()
        #expect(stub.takeCalls() == ["init", "handle 0000:01:00.0", "values 1", "handle 0000:02:00.0", "values 2"])
        #expect(sample.notes.isEmpty && sample.alarm == nil && sample.entryCount == 2)
        let first = try #require(message["gpus[0]"])
        #expect(first["id"]?.text == "0000:01:00.0" && first["name"]?.text == "NVIDIA Stub 1")
        #expect(first["driver"]?.text == "nvidia" && first["driver_version"]?.text == "580.159.04")
        #expect(first["state"]?.text == "STATE_ACTIVE")
        let expected = [
            "busy_ratio": 0.42, "memory_busy_ratio": 0.07, "memory_used_bytes": 250, "memory_total_bytes": 1_000,
            "memory_used_ratio": 0.25, "celsius": 61, "watts": 123.456, "power_limit_watts": 700,
            "joules_total": 5_000_000_000.123, "core_hertz": 1_980e6, "memory_hertz": 3_201e6, "fan_ratio": 0.3,
        ]
        for (name, value) in expected { #expect(first[name]?.number == value, "\(name)") }
        #expect(first.isUnknown("fan_rpm"))
        // 0x05: the power limit, and idle.
        #expect(first["power_throttled"] == .bool(true) && first["thermal_throttled"] == .bool(false))
        #expect(first["hardware_throttled"] == .bool(false))
        let second = try #require(message["gpus[1]"])
        #expect(second["name"]?.text == "NVIDIA Stub\u{FFFD} 2" && second["watts"]?.number == 123.456)
        // Not supported, and 101 percent.
        for name in ["fan_ratio", "joules_total", "busy_ratio"] { #expect(second.isUnknown(name), "\(name)") }
        #expect(second["memory_busy_ratio"]?.number == 1)
        // Handles are kept.
        _ = try world.sample(after: 20)
        #expect(stub.takeCalls() == ["values 1", "values 2"])
    }

    @Test func anOldLibraryLacksFunctions() throws {
        let stub = try NvidiaStub(isOld: true)
        let world = try GPUWorld(library: stub.library)
        try world.addNvidia("0000:01:00.0")
        let gpu = try #require(try world.sample().message["gpus[0]"])
        // With the reserve; by the old name.
        #expect(gpu["memory_used_bytes"] == .double(400) && gpu["power_throttled"] == .bool(true))
        #expect(gpu.isUnknown("joules_total") && gpu["celsius"] == .double(61))
    }

    @Test func noneIsWoken() throws {
        let stub = try NvidiaStub()
        let world = try GPUWorld(library: stub.library)
        try world.addNvidia("0000:01:00.0", status: "suspended")
        try world.addNvidia("0000:02:00.0", status: "suspended")
        let asleep = try #require(try world.sample().message["gpus[0]"])
        #expect(stub.takeCalls().isEmpty)
        #expect(asleep["name"]?.text == "NVIDIA GPU 10de:2335" && asleep["state"]?.text == "STATE_SUSPENDED")
        for name in valueNames { #expect(asleep.isUnknown(name), "\(name)") }

        try world.setStatus("active", ofNvidia: "0000:02:00.0")
        let message = try world.sample().message
        #expect(stub.takeCalls() == ["init", "handle 0000:02:00.0", "values 2"])
        #expect(message.isUnknown("gpus[0].celsius") && message["gpus[1].celsius"] == .double(61))

        try world.setStatus("suspended", ofNvidia: "0000:02:00.0")
        let again = try world.sample(after: 20).message
        #expect(stub.takeCalls().isEmpty)
        // Its name is known by now.
        #expect(again["gpus[1].name"]?.text == "NVIDIA Stub\u{FFFD} 2" && again.isUnknown("gpus[1].celsius"))
    }

    @Test(arguments: ["lost", "uninitialized"]) func oneThatIsLostIsFoundAgain(state: String) throws {
        let stub = try NvidiaStub()
        let world = try GPUWorld(library: stub.library)
        try world.addNvidia("0000:01:00.0")
        _ = try world.sample()
        try stub.set(state)
        let lost = try #require(try world.sample().message["gpus[0]"])
        #expect(lost["name"]?.text == "NVIDIA Stub 1" && lost["state"]?.text == "STATE_ACTIVE")
        for name in valueNames { #expect(lost.isUnknown(name), "\(name)") }
        try stub.clear(state)
        _ = stub.takeCalls()
        #expect(try world.sample().message["gpus[0].celsius"] == .double(61))
        // Asked for anew, with the library where that lost its state.
        let start = state == "lost" ? [] : ["init"]
        #expect(stub.takeCalls() == start + ["handle 0000:01:00.0", "values 1"])
    }

    @Test func aLibraryThatDoesNotStartIsTriedAgainLater() throws {
        let stub = try NvidiaStub()
        try stub.set("fail-init")
        let world = try GPUWorld(library: stub.library)
        try world.addNvidia("0000:01:00.0")
        let (message, sample) = try world.sample()
        #expect(message["gpus[0].name"]?.text == "NVIDIA GPU 10de:2335")
        #expect(message.isUnknown("gpus[0].celsius"))
        #expect(
            sample.notes == [
                Note(.warning, "\(stub.library) does not start (9): of NVIDIA's GPUs only the names are known")
            ])
        #expect(stub.takeCalls() == ["init"])
        #expect(try world.sample(after: 59).sample.notes.isEmpty)
        #expect(stub.takeCalls().isEmpty)
        #expect(try world.sample(after: 1).sample.notes.isEmpty)
        #expect(stub.takeCalls() == ["init"])
        try stub.clear("fail-init")
        #expect(try world.sample(after: 60).message["gpus[0].celsius"] == .double(61))
    }

    @Test func withoutALibraryNamesAreLeft() throws {
        let world = try GPUWorld()
        try world.addNvidia("0000:01:00.0", pciID: "")
        let (message, sample) = try world.sample()
        #expect(message["gpus[0].name"]?.text == "NVIDIA GPU" && message.isUnknown("gpus[0].watts"))
        #expect(
            sample.notes.count == 1 && sample.notes[0].text.hasPrefix("/nowhere/libnvidia-ml.so.1 cannot be loaded"))
        #expect(try world.sample().sample.notes.isEmpty)
    }

    @Test func aLibraryThatIsNoneIsNotUsed() throws {
        let stub = try NvidiaStub()
        let world = try GPUWorld(library: "libc.so.6")
        try world.addNvidia("0000:01:00.0")
        #expect(try world.sample().sample.notes.first?.text.hasPrefix("libc.so.6 does not start (13)") == true)
        #expect(stub.takeCalls().isEmpty)
    }

    /// As in a container that has some of the host's GPUs, but all of its sysfs.
    @Test func whatTheLibraryHidesIsNotTold() throws {
        let stub = try NvidiaStub()
        let world = try GPUWorld(library: stub.library)
        try world.addNvidia("0000:01:00.0")
        try world.addNvidia("0000:03:00.0")
        #expect(try world.sample().message["gpus"]?.entries.count == 1)
        _ = stub.takeCalls()
        #expect(try world.sample().message["gpus"]?.entries.count == 1)
        #expect(stub.takeCalls() == ["values 1"])
        // Which is no news, and may change.
        #expect(try world.sample(after: 20).sample.notes.isEmpty)
        #expect(stub.takeCalls() == ["values 1", "handle 0000:03:00.0"])
    }

    /// As in a container without sysfs.
    @Test func theLibraryCountsWhatSysfsDoesNotShow() throws {
        let stub = try NvidiaStub()
        let world = try GPUWorld(library: stub.library)
        try world.root.write("", to: "dev/nvidiactl")
        for seconds in [0.5, 20] {
            let (message, _) = try world.sample(after: seconds)
            #expect(message["gpus"]?.entries.map { $0["id"]?.text } == ["0000:01:00.0", "0000:02:00.0"])
            #expect(message["gpus[0].state"]?.text == "STATE_UNKNOWN" && message["gpus[0].celsius"] == .double(61))
        }
        #expect(stub.takeCalls() == ["init", "index 0", "index 1", "values 1", "values 2", "values 1", "values 2"])
        try stub.set("lost")
        _ = try world.sample()
        try stub.clear("lost")
        #expect(try world.sample().message["gpus[1].celsius"] == .double(61))
    }

    @Test func anAlarmIsRaisedWhenThrottlingBegins() throws {
        let stub = try NvidiaStub()
        let world = try GPUWorld(library: stub.library)
        try world.addNvidia("0000:01:00.0")
        #expect(try world.sample().sample.alarm == nil)
        try stub.set("throttle")
        let (message, sample) = try world.sample()
        #expect(sample.alarm == .throttled)
        #expect(message["gpus[0].thermal_throttled"] == .bool(true))
        #expect(message["gpus[0].hardware_throttled"] == .bool(true))
        #expect(message["gpus[0].power_throttled"] == .bool(false))
        #expect(try world.sample().sample.alarm == nil)
        try stub.clear("throttle")
        #expect(try world.sample().sample.alarm == nil)
        try stub.set("throttle")
        #expect(try world.sample().sample.alarm == .throttled)
    }
}
