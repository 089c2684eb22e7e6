import Foundation
import Glibc
import HostMetrics
import Telemetry
import Testing

/// libsensors on the fixtures, which stand where it looks: in /sys.
@Suite(
    .serialized,
    .enabled(if: MountNamespace.isPossible, "libsensors is not compared: that takes root and the right to mount"))
struct SensorsLibraryTests {
    private static func sysfs(_ name: String, _ snapshot: String) -> URL {
        FixtureHost.folder.appendingPathComponent("\(name)/\(snapshot)/sys")
    }

    /// Other tests may hold the library for a moment, where the machine has chips.
    private static func library() throws -> SensorsLibrary {
        for _ in 0..<500 {
            if let library = SensorsLibrary.claim() { return library }
            Thread.sleep(forTimeInterval: 0.01)
        }
        throw WireError(description: "the library is taken")
    }

    @Test(arguments: ["laptop", "server-64cpu", "arm-sbc"], ["t0", "t1"])
    func bothReadersTellTheSame(name: String, snapshot: String) throws {
        try MountNamespace.run { namespace in
            try namespace.show(Self.sysfs(name, snapshot))
            let library = try Self.library()
            let files = HwmonReader(sysfs: "/sys")
            let expected = try #require(library.chips())
            let found = try #require(files.chips())
            #expect(!expected.isEmpty && found.map(\.name) == expected.map(\.name))
            for (chip, other) in zip(found, expected) {
                #expect(chip.driver == other.driver && chip.path == other.path && chip.number == other.number)
                #expect(chip.features.count == other.features.count)
                for (feature, other) in zip(chip.features, other.features) {
                    // The library has a label for everything.
                    var feature = feature
                    if feature.label.isEmpty { feature.label = feature.name }
                    #expect(feature == other, "\(chip.name)")
                }
                let values = files.read(chip).features.map { "\($0)" }
                #expect(values == library.read(other).features.map { "\($0)" }, "\(chip.name)")
                #expect(values.contains { $0 != "\(SensorReading())" } || chip.name == "rpi_volt-isa-0000")
            }
        }
    }

    @Test(arguments: ["laptop", "server-64cpu", "arm-sbc"])
    func theLibrarysMessagesAreAsTheReferenceComputesThem(name: String) throws {
        try MountNamespace.run { namespace in
            let fixture = try FixtureHost(name)
            try namespace.show(Self.sysfs(name, "t0"))
            // No label and no rule, but proof that it was the library that read.
            try namespace.configure("chip \"nct6798-*\"\n    label intrusion0 \"by the library\"\n")
            let world = try SensorWorld(sysfs: "/sys")
            for snapshot in ["t0", "t1"] {
                if snapshot == "t1" { try namespace.show(Self.sysfs(name, "t1")) }
                #expect(try world.sample(after: 2).notes.isEmpty)
                guard case .object(var expected) = try #require(fixture.expected[snapshot]?["/sensors"]) else { return }
                if name == "server-64cpu" {
                    #expect(world.message["intrusions[0].label"]?.text == "by the library")
                    expected["intrusions"] = nil
                }
                let differences = GoldenValue.object(expected).differences(from: world.message, at: snapshot)
                #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
            }
        }
    }

    @Test func theConfigurationIsAppliedAndItsRulesAreKnown() throws {
        try MountNamespace.run { namespace in
            try namespace.show(Self.sysfs("server-64cpu", "t0"))
            try namespace.configure(
                """
                chip "nct6798-isa-*"
                    label in0 "Vcore"
                    compute in1 @*2, @/2
                    ignore fan3
                chip "nct6798-isa-0000"
                    compute in0 @*3, @/3

                """)
            let library = try Self.library()
            let chip = try #require(library.chips()?.first { $0.name == "nct6798-isa-0290" })
            let names = chip.features.map(\.name)
            #expect(names.contains("fan2") && !names.contains("fan3"))
            let first = try #require(names.firstIndex(of: "in0"))
            let second = try #require(names.firstIndex(of: "in1"))
            #expect(chip.features[first].label == "Vcore" && !chip.features[first].isComputed)
            #expect(chip.features[second].label == "+12V" && chip.features[second].isComputed)
            #expect(chip.features.filter(\.isComputed).count == 1)
            let values = library.read(chip).features
            #expect(values[first].input == 1.802 && values[second].input == 24.192)
            // Where the library hangs the other reader does not tell what it cannot know.
            let files = HwmonReader(sysfs: "/sys").read(chip).features
            #expect(files[first].input == 1.802 && files[second].input.isNaN)
        }
    }

    @Test func aBadLineOfTheConfigurationSpoilsNoOther() throws {
        try MountNamespace.run { namespace in
            try namespace.show(Self.sysfs("laptop", "t0"))
            try namespace.configure(
                "chip \"coretemp-isa-0000\"\n    this is no statement\n    label temp1 \"Package\"\n")
            let world = try SensorWorld(sysfs: "/sys")
            #expect(try world.sample().notes.isEmpty)
            #expect(world.celsius("coretemp-isa-0000/temp1") == 52)
            #expect(world.entry("coretemp-isa-0000/temp1")?["label"]?.text == "Package")
        }
    }

    @Test func whereTheLibraryCannotStartTheFilesAreRead() throws {
        try MountNamespace.run { namespace in
            try namespace.showOnOtherFileSystem(Self.sysfs("laptop", "t0"))
            try namespace.configure("chip \"coretemp-isa-0000\"\n    label temp1 \"Package\"\n")
            let world = try SensorWorld(sysfs: "/sys")
            let note = Note(.warning, "libsensors cannot start: sensors3.conf has no effect")
            #expect(try world.sample().notes == [note])
            #expect(try world.sample().notes.isEmpty)
            #expect(world.celsius("coretemp-isa-0000/temp1") == 52)
            #expect(world.entry("coretemp-isa-0000/temp1")?["label"]?.text == "Package id 0")
        }
    }

    @Test func whereTheLibraryHangsTheFilesAreRead() throws {
        try MountNamespace.run { namespace in
            let folder = try TemporaryDirectory()
            let sysfs = URL(fileURLWithPath: folder.path + "/sys")
            try FileManager.default.copyItem(at: Self.sysfs("laptop", "t0"), to: sysfs)
            try namespace.show(sysfs)
            try namespace.configure(
                "chip \"thinkpad-*\"\n    label fan1 \"Left\"\n    compute temp1 @+1, @-1\n")
            let world = try SensorWorld(sysfs: "/sys")
            _ = try world.sample()
            #expect(world.celsius("thinkpad-isa-0000/temp1") == 53)
            // The library opens its files anew each time.
            let input = "/sys/class/hwmon/hwmon4/temp1_input"
            try FileManager.default.removeItem(atPath: input)
            try #require(unsafe mkfifo(input, 0o600) == 0)
            _ = try world.sample()
            #expect(world.celsius("coretemp-isa-0000/temp1") == 52)
            #expect(world.celsius("thinkpad-isa-0000/temp1")?.isNaN == true)
            #expect(world.entry("thinkpad-isa-0000/fan1")?["rpm"]?.number == 2_412)
            #expect(world.entry("thinkpad-isa-0000/fan1")?["label"]?.text == "Left")
            let note = Note(.warning, "chip coretemp-isa-0000 does not answer")
            #expect(try world.sample(after: 2).notes == [note])
            #expect(world.celsius("coretemp-isa-0000/temp1")?.isNaN == true)

            let writer = unsafe open(input, O_WRONLY | O_CLOEXEC)
            try #require(writer >= 0)
            // Other sensors of the chip come after it.
            try FileManager.default.removeItem(atPath: input)
            let text = Array("66000\n".utf8)
            #expect(unsafe write(writer, text, text.count) == text.count)
            close(writer)
            var notes: [Note] = []
            for _ in 0..<500 where notes.isEmpty {
                Thread.sleep(forTimeInterval: 0.01)
                notes = try world.sample(after: 0.001).notes
            }
            #expect(notes == [Note(.info, "chip coretemp-isa-0000 answers again")])
            #expect(world.celsius("coretemp-isa-0000/temp1") == 66)
            _ = try world.sample()
            #expect(world.celsius("thinkpad-isa-0000/temp1") == 53)
        }
    }

    @Test func theChipsAreListedAgainWhenOthersAreThere() throws {
        try MountNamespace.run { namespace in
            try namespace.show(Self.sysfs("laptop", "t0"))
            let world = try SensorWorld(sysfs: "/sys")
            _ = try world.sample()
            #expect(world.celsius("coretemp-isa-0000/temp1") == 52)
            try namespace.show(Self.sysfs("arm-sbc", "t0"))
            let notes = try world.sample().notes.map(\.text)
            #expect(notes.contains("chip cpu_thermal-virtual-0 appeared"))
            #expect(notes.contains("chip coretemp-isa-0000 is gone"))
            #expect(world.celsius("cpu_thermal-virtual-0/temp1") == 61.234)
            #expect(world.entry("pwmfan-isa-0000/fan1")?["rpm"]?.number == 2_990)
        }
    }

    @Test func theLibraryHasOneOwner() throws {
        do {
            let library = try Self.library()
            #expect(SensorsLibrary.claim() == nil)
            _ = library.chips()
        }
        _ = try Self.library()
    }
}
