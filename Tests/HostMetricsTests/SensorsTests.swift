import Foundation
import Glibc
import HostMetrics
import Telemetry
import TelemetrySchema
import Testing

struct SensorsTests {
    private let chips = ScriptedChips()
    /// What others read is a hundred degrees more.
    private let others = ScriptedChips(offset: 100)

    private func world(
        _ list: [SensorChip], waitSeconds: Double = 0.1, settings: EntrySettings = EntrySettings()
    ) throws -> SensorWorld {
        chips.chips = list
        others.chips = list
        return try SensorWorld(
            SensorWorld.folder(chipCount: list.count), first: chips, others: others, waitSeconds: waitSeconds,
            settings: settings)
    }

    // MARK: How often chips are read

    @Test func aChipWithoutSpecialsIsReadEachTime() throws {
        let world = try world([.scripted("quick", number: 0)])
        for count in 1...5 {
            _ = try world.sample()
            #expect(chips.readCount("quick") == count)
        }
    }

    @Test func aSlowChipRestsTwentyTimesAsLong() throws {
        // 60 ms at least, so 1.2 s; a busy machine may make it some more.
        chips.delay("slow", seconds: 0.06)
        chips.set("slow/temp1", 40)
        let world = try world([.scripted("slow", number: 0), .scripted("quick", number: 1)], waitSeconds: 10)
        _ = try world.sample()
        #expect(chips.readCount("slow") == 1)
        chips.set("slow/temp1", 41)
        _ = try world.sample(after: 1)
        #expect(chips.readCount("slow") == 1 && chips.readCount("quick") == 2)
        // In between the last values stay.
        #expect(world.celsius("slow/temp1") == 40)
        _ = try world.sample(after: 200)
        #expect(chips.readCount("slow") == 2 && world.celsius("slow/temp1") == 41)
    }

    @Test(arguments: ["nvme", "drivetemp"])
    func disksAreReadEveryTenSeconds(driver: String) throws {
        let world = try world([.scripted("disk", number: 0, driver: driver)])
        for second in 0..<21 {
            _ = try world.sample()
            #expect(chips.readCount("disk") == second / 10 + 1, "after \(second) s")
        }
    }

    @Test func theQuickestChipSaysHowOftenTheSourceChanges() throws {
        let root = try SensorWorld.folder(chipCount: 2)
        for chip in 0...1 { try root.write("20000\n", to: "class/hwmon/hwmon\(chip)/temp1_input") }
        try root.write("other\n", to: "class/hwmon/hwmon1/name")
        let silent = try SensorWorld(root).sample()
        #expect(silent.resolutionSeconds == 1)
        try root.write("31\n", to: "class/hwmon/hwmon0/update_interval")
        try root.write("4000\n", to: "class/hwmon/hwmon1/update_interval")
        let quick = try SensorWorld(root).sample()
        #expect(quick.resolutionSeconds == 0.031)
    }

    @Test func aChipIsReadNoFasterThanItHasNews() throws {
        let root = try SensorWorld.folder(chipCount: 2)
        try root.write("4000\n", to: "class/hwmon/hwmon0/update_interval")
        try root.write("20000\n", to: "class/hwmon/hwmon0/temp1_input")
        try root.write("20000\n", to: "class/hwmon/hwmon1/temp1_input")
        try root.write("999999999999\n", to: "class/hwmon/hwmon1/update_interval")
        try root.write("other\n", to: "class/hwmon/hwmon1/name")
        let world = try SensorWorld(root)
        _ = try world.sample()
        try root.write("30000\n", to: "class/hwmon/hwmon0/temp1_input")
        try root.write("30000\n", to: "class/hwmon/hwmon1/temp1_input")
        for _ in 0..<3 {
            _ = try world.sample()
            #expect(world.celsius("chip-virtual-0/temp1") == 20)
        }
        // A timer may be early by a little.
        _ = try world.sample(after: 0.9)
        #expect(world.celsius("chip-virtual-0/temp1") == 30)
        // A minute at most, whatever the chip says.
        #expect(world.celsius("other-virtual-0/temp1") == 20)
        _ = try world.sample(after: 56.5)
        #expect(world.celsius("other-virtual-0/temp1") == 30)
    }

    // MARK: Chips that hang

    @Test func aChipThatHangsDoesNotTakeTheOthersWithIt() throws {
        let chipList: [SensorChip] = [
            .scripted("first", number: 0), .scripted("stuck", number: 1), .scripted("last", number: 2),
        ]
        let world = try world(chipList, waitSeconds: 1)
        #expect(try world.sample().notes.isEmpty)
        #expect(world.celsius("stuck/temp1") == 20)
        chips.hang("stuck")
        #expect(try world.sample().notes.isEmpty)
        // It may be slow only: for a while its last values stay.
        #expect(world.celsius("stuck/temp1") == 20)
        // Those before it were read in the usual way, those after it by the others.
        #expect(world.celsius("first/temp1") == 20 && world.celsius("last/temp1") == 120)
        #expect(world.ids == ["first/temp1", "stuck/temp1", "last/temp1"])

        let count = chips.readCount("stuck")
        #expect(try world.sample(after: 1.9).notes.isEmpty)
        #expect(world.celsius("stuck/temp1") == 20)
        #expect(try world.sample(after: 0.1).notes == [Note(.warning, "chip stuck does not answer")])
        for _ in 0..<3 {
            // Nobody asks it again, nobody waits for it.
            let start = SystemClock.monotonic()
            #expect(try world.sample().notes.isEmpty)
            #expect(SystemClock.monotonic().nanoseconds - start.nanoseconds < 900_000_000)
            #expect(world.celsius("first/temp1") == 120 && world.celsius("stuck/temp1")?.isNaN == true)
        }
        #expect(chips.readCount("stuck") == count && others.readCount("stuck") == 0)

        chips.set("stuck/temp1", 55)
        chips.release("stuck")
        var notes: [Note] = []
        for _ in 0..<200 where notes.isEmpty {
            Thread.sleep(forTimeInterval: 0.01)
            notes = try world.sample().notes
        }
        #expect(notes == [Note(.info, "chip stuck answers again")])
        #expect(world.celsius("stuck/temp1") == 55 && world.celsius("first/temp1") == 20)
    }

    @Test func aChipThatAnswersBeforeItIsGivenUpIsNoNews() throws {
        let world = try world([.scripted("late", number: 0)])
        _ = try world.sample()
        chips.hang("late")
        _ = try world.sample()
        chips.set("late/temp1", 33)
        chips.release("late")
        for _ in 0..<200 where world.celsius("late/temp1") == 20 {
            Thread.sleep(forTimeInterval: 0.01)
            #expect(try world.sample(after: 0.001).notes.isEmpty)
        }
        #expect(world.celsius("late/temp1") == 33)
    }

    @Test func aStartThatFailsLeavesNoThreadBehind() throws {
        let (first, second) = (ScriptedChips(), ScriptedChips())
        for chips in [first, second] { chips.delay(ScriptedChips.list, seconds: 0.3) }
        let folder = try SensorWorld.folder(chipCount: 1)
        #expect(throws: CollectError.open(errno: ENOENT)) {
            try SensorWorld(folder, first: first, others: second, waitSeconds: 0.01)
        }
        #expect(first.listCount == 1 && second.listCount == 1)
    }

    @Test func whenAllLanesHangNothingIsKnown() throws {
        let names = (0..<Limits.sensorLaneCountMax + 1).map { "chip\($0)" }
        let world = try world(names.enumerated().map { .scripted($0.element, number: $0.offset) })
        _ = try world.sample()
        for name in names {
            chips.hang(name)
            others.hang(name)
        }
        _ = try world.sample()
        // The last one finds no lane, of the others something may still come.
        #expect(world.ids.count == names.count && world.celsius("chip3/temp1") == 20)
        #expect(world.celsius("chip4/temp1")?.isNaN == true)
        #expect(try world.sample(after: 2).notes.count == Limits.sensorLaneCountMax)
        #expect(names.allSatisfy { world.celsius("\($0)/temp1")?.isNaN == true })
        // One for each lane, none for the last.
        #expect(chips.readCount("chip0") == 2 && others.readCount("chip1") == 1)
        #expect(chips.readCount("chip4") + others.readCount("chip4") == 1)
        #expect(world.message["hottest_celsius"]?.number?.isNaN == true && world.message["hottest_id"]?.text == "")
        for name in names {
            chips.release(name)
            others.release(name)
        }
        var isWell = false
        for _ in 0..<200 where !isWell {
            Thread.sleep(forTimeInterval: 0.01)
            // All rested for as long as they took.
            _ = try world.sample(after: 1_000)
            isWell = names.allSatisfy { world.celsius("\($0)/temp1") == 20 }
        }
        #expect(isWell)
    }

    @Test(arguments: [false, true])
    func aFileThatBlocksIsLeftAlone(isOpenForWriting: Bool) throws {
        let root = try SensorWorld.folder(chipCount: 2)
        try root.write("good\n", to: "class/hwmon/hwmon1/name")
        try root.write("30000\n", to: "class/hwmon/hwmon1/temp1_input")
        let pipe = root.path + "/class/hwmon/hwmon0/temp1_input"
        try #require(unsafe mkfifo(pipe, 0o600) == 0)
        // Without a writer it is the open that blocks, with one the read.
        var writer: Int32 = isOpenForWriting ? unsafe open(pipe, O_RDWR | O_CLOEXEC) : -1
        let world = try SensorWorld(root)
        #expect(try world.sample().notes.isEmpty)
        // Nothing was ever read of it.
        #expect(world.celsius("chip-virtual-0/temp1")?.isNaN == true && world.celsius("good-virtual-0/temp1") == 30)
        try root.write("31000\n", to: "class/hwmon/hwmon1/temp1_input")
        #expect(try world.sample(after: 2).notes == [Note(.warning, "chip chip-virtual-0 does not answer")])
        #expect(world.celsius("good-virtual-0/temp1") == 31)
        #expect(world.message["hottest_id"]?.text == "good-virtual-0/temp1")

        if writer < 0 { writer = unsafe open(pipe, O_WRONLY | O_CLOEXEC) }
        try #require(writer >= 0)
        let text = Array("44000\n".utf8)
        #expect(unsafe write(writer, text, text.count) == text.count)
        close(writer)
        var notes: [Note] = []
        for _ in 0..<200 where notes.isEmpty {
            Thread.sleep(forTimeInterval: 0.01)
            notes = try world.sample().notes
        }
        #expect(notes == [Note(.info, "chip chip-virtual-0 answers again")])
        #expect(world.celsius("chip-virtual-0/temp1") == 44)
    }

    @Test func aReaderThatCannotListIsNotAskedAgain() throws {
        chips.chips = nil
        others.chips = [.scripted("chip", number: 0)]
        let root = try SensorWorld.folder(chipCount: 1)
        let world = try SensorWorld(root, first: chips, others: others)
        #expect(try world.sample().notes.map(\.level) == [.warning])
        for _ in 0..<3 { #expect(try world.sample().notes.isEmpty) }
        #expect(chips.listCount == 1 && chips.readCount("chip") == 0)
        #expect(world.celsius("chip/temp1") == 120)
        // Until something changes.
        chips.chips = others.chips
        try root.write("chip\n", to: "class/hwmon/hwmon1/name")
        _ = try world.sample()
        #expect(chips.listCount == 2 && world.celsius("chip/temp1") == 20)
    }

    // MARK: Chips that come and go

    @Test func chipsComeAndGo() throws {
        let root = try SensorWorld.folder(chipCount: 1)
        try root.write("20000\n", to: "class/hwmon/hwmon0/temp1_input")
        let world = try SensorWorld(root)
        #expect(try world.sample().notes.isEmpty)
        try root.write("new\n", to: "class/hwmon/hwmon1/name")
        try root.write("30000\n", to: "class/hwmon/hwmon1/temp1_input")
        #expect(try world.sample().notes == [Note(.info, "chip new-virtual-0 appeared")])
        #expect(world.ids == ["chip-virtual-0/temp1", "new-virtual-0/temp1"])
        #expect(try world.sample().notes.isEmpty)
        try FileManager.default.removeItem(atPath: root.path + "/class/hwmon/hwmon0")
        #expect(try world.sample().notes == [Note(.info, "chip chip-virtual-0 is gone")])
        #expect(world.ids == ["new-virtual-0/temp1"] && world.celsius("new-virtual-0/temp1") == 30)
        try FileManager.default.removeItem(atPath: root.path + "/class/hwmon/hwmon1")
        #expect(throws: CollectError.nothingUsable) { try world.sample() }
        #expect(throws: CollectError.nothingUsable) { try world.sample() }
        try root.write("chip\n", to: "class/hwmon/hwmon7/name")
        try root.write("50000\n", to: "class/hwmon/hwmon7/temp1_input")
        _ = try world.sample()
        #expect(world.celsius("chip-virtual-0/temp1") == 50)
    }

    @Test func aChipThatGetsAnotherSensorIsListedAgain() throws {
        let root = try SensorWorld.folder(chipCount: 1)
        try root.write("20000\n", to: "class/hwmon/hwmon0/temp1_input")
        let world = try SensorWorld(root)
        _ = try world.sample()
        try root.write("21000\n", to: "class/hwmon/hwmon0/temp2_input")
        _ = try world.sample()
        #expect(world.ids == ["chip-virtual-0/temp1"])
        _ = try world.sample(after: 10)
        #expect(world.ids == ["chip-virtual-0/temp1", "chip-virtual-0/temp2"])
    }

    @Test func withoutChipsThereIsNoChannel() throws {
        let root = try TemporaryDirectory()
        #expect(throws: CollectError.open(errno: ENOENT)) { try SensorWorld(root) }
        try FileManager.default.createDirectory(
            atPath: root.path + "/class/hwmon", withIntermediateDirectories: true)
        #expect(throws: CollectError.open(errno: ENOENT)) { try SensorWorld(root) }
        // A chip that measures nothing we know.
        try root.write("pwm\n", to: "class/hwmon/hwmon0/name")
        try root.write("1\n", to: "class/hwmon/hwmon0/pwm1")
        try root.write("1\n", to: "class/hwmon/hwmon0/temp1_max")
        #expect(throws: CollectError.open(errno: ENOENT)) { try SensorWorld(root) }
        try root.write("1\n", to: "class/hwmon/hwmon0/temp1_input")
        _ = try SensorWorld(root).sample()
    }

    // MARK: What is told

    @Test func anAlarmIsToldWhenItBegins() throws {
        let fan = SensorFeature(.fan, 1, [.input, .alarm])
        let temperature = SensorFeature(.temperature, 1, [.input, .alarm])
        let world = try world([.scripted("chip", number: 0, [temperature, fan]), .scripted("second", number: 1)])
        // One that is there from the start did not begin now.
        chips.setAlarm("second/temp1", true)
        #expect(try world.sample().alarm == nil)
        #expect(world.entry("second/temp1")?["alarm"] == .bool(true))
        chips.setAlarm("chip/fan1", true)
        #expect(try world.sample().alarm == nil)
        #expect(world.entry("chip/fan1")?["alarm"] == .bool(true))
        chips.setAlarm("chip/temp1", true)
        #expect(try world.sample().alarm == .temperature)
        #expect(try world.sample().alarm == nil)
        chips.setAlarm("second/temp1", false)
        #expect(try world.sample().alarm == nil)
        chips.setAlarm("second/temp1", true)
        #expect(try world.sample().alarm == .temperature)
    }

    @Test func theHottestIsTheFirstOfTheLargest() throws {
        let world = try world([
            .scripted("a", number: 0), .scripted("b", number: 1), .scripted("c", number: 2), .scripted("d", number: 3),
        ])
        chips.set("a/temp1", 30)
        chips.set("b/temp1", 70)
        chips.set("c/temp1", 70)
        chips.set("d/temp1", 251)
        _ = try world.sample()
        #expect(world.message["hottest_celsius"]?.number == 70 && world.message["hottest_id"]?.text == "b/temp1")
        #expect(world.celsius("d/temp1")?.isNaN == true)
        for chip in ["a", "b", "c"] { chips.set("\(chip)/temp1", -50) }
        _ = try world.sample()
        #expect(world.message["hottest_celsius"]?.number == -50 && world.message["hottest_id"]?.text == "a/temp1")
    }

    @Test(arguments: [
        (SensorKind.temperature, "celsius", [-100, 250], [-100.001, 250.001]),
        (.fan, "rpm", [0, 65_534], [-1, 65_535]),
        (.voltage, "volts", [-1_000, 1_000], [-1_000.1, 1_000.1]),
        (.current, "amperes", [-10_000, 10_000], [-10_000.1, 10_000.1]),
        (.power, "watts", [0, 100_000], [-0.1, 100_001]),
        (.humidity, "relative_ratio", [0, 100], [-0.1, 100.1]), (.energy, "joules_total", [0, 1e12], [-1]),
    ])
    func whatNoHardwareHasIsUnknown(kind: SensorKind, field: String, good: [Double], bad: [Double]) throws {
        var raw = EntrySettings()
        raw.isRaw = true
        let feature = SensorFeature(kind, 1, .input)
        let world = try world([.scripted("chip", number: 0, [feature])])
        let rawWorld = try SensorWorld(
            SensorWorld.folder(chipCount: 1), first: chips, others: others, settings: raw)
        let divisor = kind == .humidity ? 100.0 : 1
        for (values, isGood) in [(good, true), (bad, false)] {
            for value in values {
                chips.set("chip/\(feature.name)", value)
                _ = try world.sample()
                let number = try #require(world.entry("chip/\(feature.name)")?[field]?.number)
                #expect(isGood ? number == value / divisor : number.isNaN, "\(value)")
                _ = try rawWorld.sample()
                // A counter below zero is none.
                let isCounter = kind == .energy && !isGood
                #expect(isCounter || rawWorld.entry("chip/\(feature.name)")?[field]?.number == value / divisor)
            }
        }
    }

    @Test func powerOfAnEnergyIsOfTheReadsOfItsChip() throws {
        let energy = SensorFeature(.energy, 1, .input)
        let world = try world([.scripted("disk", number: 0, [energy], driver: "nvme")])
        func watts() -> Double? { world.entry("disk/energy1")?["watts"]?.number }
        chips.set("disk/energy1", 1_000)
        _ = try world.sample()
        #expect(watts()?.isNaN == true)
        chips.set("disk/energy1", 1_050)
        for _ in 0..<9 {
            _ = try world.sample()
            #expect(watts()?.isNaN == true)
        }
        #expect(try world.sample().intervalSeconds == 10)
        #expect(watts() == 5)
        // Repeated until the chip is read again.
        _ = try world.sample()
        #expect(watts() == 5 && world.entry("disk/energy1")?["joules_total"]?.number == 1_050)
        chips.set("disk/energy1", 10)
        _ = try world.sample(after: 9)
        #expect(watts()?.isNaN == true)
        chips.set("disk/energy1", 30)
        _ = try world.sample(after: 10)
        #expect(watts() == 2)
    }

    @Test func powerIsToldOfChipsThatAreReadRarely() throws {
        let root = try SensorWorld.folder(chipCount: 1)
        try root.write("60000\n", to: "class/hwmon/hwmon0/update_interval")
        try root.write("1000000\n", to: "class/hwmon/hwmon0/energy1_input")
        let world = try SensorWorld(root)
        _ = try world.sample()
        try root.write("62000000\n", to: "class/hwmon/hwmon0/energy1_input")
        _ = try world.sample(after: 61)
        #expect(world.entry("chip-virtual-0/energy1")?["watts"]?.number == 1)
    }

    @Test func aLateAnswerAboutWhatTheChipWasIsNoAnswer() throws {
        let voltages = [SensorFeature(.voltage, 1, .input)]
        let world = try world([.scripted("chip", number: 0), .scripted("other", number: 1)])
        _ = try world.sample()
        chips.hang("chip")
        _ = try world.sample()
        // Meanwhile the driver was loaded anew and measures something else.
        let changed: [SensorChip] = [.scripted("chip", number: 0, voltages), .scripted("other", number: 1)]
        chips.chips = changed
        others.chips = changed
        try world.addFolder("hwmon2")
        _ = try world.sample()
        #expect(world.ids == ["other/temp1", "chip/in1"])
        #expect(world.entry("chip/in1")?["volts"]?.number?.isNaN == true)
        chips.set("chip/temp1", 77)
        chips.set("chip/in1", 5)
        chips.release("chip")
        var volts = Double.nan
        for _ in 0..<200 where volts.isNaN {
            Thread.sleep(forTimeInterval: 0.01)
            _ = try world.sample()
            volts = try #require(world.entry("chip/in1")?["volts"]?.number)
        }
        #expect(volts == 5)
    }

    @Test func chipsOfOneNameGetNumbers() throws {
        let world = try world([
            .scripted("a", number: 0), .scripted("a", number: 1), .scripted("a#2", number: 2),
            .scripted("a", number: 3),
            .scripted("\"'\u{1}", number: 4),
        ])
        _ = try world.sample()
        #expect(world.ids == ["a/temp1", "a#2/temp1", "a#2#2/temp1", "a#3/temp1", "''/temp1"])
        #expect(world.entry("a#3/temp1")?["chip"]?.text == "a#3")
    }

    @Test func labelsAreTheDriversOrTheFeatures() throws {
        var labelled = SensorFeature(.temperature, 1, .input)
        labelled.label = "Core\u{7} 0"
        let world = try world([.scripted("chip", number: 0, [labelled, SensorFeature(.temperature, 2, .input)])])
        _ = try world.sample()
        #expect(world.entry("chip/temp1")?["label"]?.text == "Core 0")
        #expect(world.entry("chip/temp2")?["label"]?.text == "temp2")
    }

    @Test func theOwnerChoosesEntries() throws {
        var settings = EntrySettings()
        settings.exclude = try Pattern("b/temp[12]|c/.*")
        let features = (1...3).map { SensorFeature(.temperature, $0, .input) }
        let world = try world(
            ["a", "b", "c"].enumerated().map { .scripted($0.element, number: $0.offset, features) }, settings: settings)
        let sample = try world.sample()
        #expect(world.ids == ["a/temp1", "a/temp2", "a/temp3", "b/temp3"])
        // What is not told is not read: a disk can be left in peace.
        #expect(chips.readCount("b") == 1 && chips.readCount("c") == 0)
        #expect(sample.entryCount == 4 && sample.suppressedCount == 0)
        settings.exclude = nil
        settings.include = try Pattern("b/.*")
        let included = try SensorWorld(
            SensorWorld.folder(chipCount: 3), first: chips, others: others, settings: settings)
        _ = try included.sample()
        #expect(included.ids == ["b/temp1", "b/temp2", "b/temp3"])
    }

    @Test(arguments: [3, 4, 5])
    func entriesEndAtTheLimit(count: Int) throws {
        var settings = EntrySettings()
        settings.entryCountMax = 4
        let features = [SensorFeature(.fan, 1, .input)] + (1..<count).map { SensorFeature(.voltage, $0, .input) }
        let world = try world([.scripted("chip", number: 0, features)], settings: settings)
        let sample = try world.sample()
        #expect(world.ids.count == min(count, 4) && sample.entryCount == min(count, 4))
        #expect(sample.suppressedCount == max(0, count - 4))
    }
}
