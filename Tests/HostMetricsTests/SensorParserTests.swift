import Glibc
import HostMetrics
import Testing

struct SensorParserTests {
    private func attribute(_ text: String) -> SensorAttributeName? { SensorAttributeName(Array(text.utf8).span) }

    @Test func namesOfAttributesAreTakenApart() throws {
        let temperature = try #require(attribute("temp12_max_alarm"))
        #expect(temperature.kind == .temperature && temperature.channel == 12)
        #expect(SensorAttributes.alarms.contains(temperature.attribute))
        #expect(attribute("in0_lcrit")?.attribute == .lowCritical)
        // "in" begins "intrusion", too.
        #expect(attribute("intrusion0_alarm")?.kind == .intrusion)
        #expect(attribute("power1_average")?.attribute == .average)
        #expect(attribute("curr1_crit")?.kind == .current && attribute("humidity1_input")?.kind == .humidity)
        #expect(attribute("energy1_input")?.kind == .energy && attribute("fan1_fault")?.attribute == .fault)
    }

    @Test(arguments: [
        "", "temp", "temp1", "temp1_", "temp_input", "tempA_input", "temp01_input", "temp00_input", "temp-1_input",
        "temp1input", "temp1_inputs", "temp1_Input", "temp1_label", "temp1_max_hyst", "pwm1", "pwm1_enable",
        "power1_average_interval", "foo1_input", "in1_average", "fan1_emergency", "intrusion0_input", "intrusion0_beep",
        "temp99999999999999999999_input", "temp1_input\n",
    ])
    func otherNamesAreNone(name: String) { #expect(attribute(name) == nil) }

    @Test func channelsEndAtTheLimit() {
        #expect(attribute("temp0_input")?.channel == 0)
        #expect(attribute("temp\(Limits.sensorChannelMax)_input")?.channel == Limits.sensorChannelMax)
        #expect(attribute("temp\(Limits.sensorChannelMax + 1)_input") == nil)
    }

    @Test(arguments: [
        ("0-001b", "i2c", "-i2c-0-1b"), ("12-0040", nil, "-i2c-12-40"), ("spi1.2", "spi", "-spi-1-2"),
        ("spi0.12", nil, "-spi-0-c"), ("0000:00:18.3", "pci", "-pci-00c3"), ("0000:03:00.0", nil, "-pci-0300"),
        ("0001:40:18.3", "pci", "-pci-140c3"), ("coretemp.0", "platform", "-isa-0000"),
        ("nct6775.656", "platform", "-isa-0290"), ("w83627hf.656", nil, "-isa-0290"),
        ("soc:7", "platform", "-isa-0007"), ("cooling_fan", "platform", "-isa-0000"),
        ("raspberrypi-hwmon", "platform", "-isa-0000"), ("f75375.-1", "of_platform", "-isa-ffffffff"),
        ("PNP0C0A:00", "acpi", "-acpi-0"), ("0:0:0:0", "scsi", "-scsi-0-0"), ("2:1:3:a", "scsi", "-scsi-2-13a"),
        ("0003:046D:C539.0002", "hid", "-hid-3-2"), ("fixed-0:07", "mdio_bus", "-mdio-7"),
        ("mdio", "mdio_bus", "-mdio-0"),
    ])
    func devicesGiveNames(device: String, subsystem: String?, suffix: String) {
        #expect(ChipNaming.suffix(device: device, subsystem: subsystem) == suffix)
    }

    @Test(arguments: [
        ("nvme0", "nvme"), ("BAT0", "power_supply"), ("0-001b", "usb"), ("0-xyz", "i2c"), ("spi0", "spi"),
        ("0000:00", "pci"), ("1:2:3", "scsi"), ("0003:046D", "hid"), ("123456789-1", "i2c"), ("", "pci"),
    ])
    func otherDevicesHaveNone(device: String, subsystem: String) {
        #expect(ChipNaming.suffix(device: device, subsystem: subsystem) == nil)
    }

    @Test(arguments: [
        ("0", 0), ("-0", 0), ("-40500", -40_500), ("18446744073709551615", 0x1p64),
        ("-18446744073709551615", -0x1p64), ("007", 7),
    ])
    func signedNumbersAreRead(text: String, value: Double) { #expect(Array(text.utf8).span.signedValue == value) }

    @Test(arguments: [
        "", "-", "--1", "+1", "1.5", "1 ", " 1", "- 1", "0x10", "nan", "inf", "1e3", "18446744073709551616",
    ])
    func otherTextsAreNoSignedNumbers(text: String) { #expect(Array(text.utf8).span.signedValue == nil) }

    @Test func rulesOfTheConfigurationAreFound() {
        let text = """
            # compute in9 @, @
            bus "i2c-0" "adapter"
            compute in8 @*2, @/2
            chip "lm78-*" "lm79-i2c-*-2d"
                label in0 "VCore 1"   # compute in7
                compute in3 ((6.8/10)+1)*@ ,  @/((6.8/10)+1)
              compute  "in4" -@, -@
            chip "k10temp-*"
                ignore temp2
            chip "lm78-isa-0290"
            compute fan1 @/2, @*2
            compute
            """
        #expect(
            ComputeRules.sections(of: Array(text.utf8).span) == [
                ComputeRules.Section(chips: ["lm78-*", "lm79-i2c-*-2d"], features: ["in3", "in4"]),
                ComputeRules.Section(chips: ["lm78-isa-0290"], features: ["fan1"]),
            ])
        #expect(ComputeRules.sections(of: [0, 255, 34, 10, 34].span).isEmpty)
    }
}

struct HwmonReaderTests {
    private let root: TemporaryDirectory

    init() throws { root = try TemporaryDirectory() }

    private func put(_ text: String, _ path: String) throws { try root.write(text + "\n", to: "class/hwmon/" + path) }

    private var reader: HwmonReader { HwmonReader(sysfs: root.path) }

    @Test func valuesComeInUnits() throws {
        try put("board", "hwmon0/name")
        for (name, value) in [
            ("temp1_input", "-40500"), ("temp1_crit", "100000"), ("temp1_crit_alarm", "1"), ("fan1_input", "1200"),
            ("fan1_fault", "1"), ("in0_input", "12096"), ("curr1_input", "-1520"), ("power1_input", "8160000"),
            ("power1_average", "7000000"), ("energy1_input", "450000000"), ("humidity1_input", "41250"),
            ("intrusion0_alarm", "1"),
        ] { try put(value, "hwmon0/" + name) }
        let chip = try #require(reader.chips()?.first)
        #expect(chip.name == "board-virtual-0" && chip.driver == "board" && chip.number == 0)
        #expect(
            chip.features.map(\.name) == [
                "temp1", "fan1", "in0", "curr1", "power1", "energy1", "humidity1", "intrusion0",
            ])
        let readings = reader.read(chip).features
        #expect(readings[0].input == -40.5 && readings[0].critical == 100 && readings[0].hasAlarm)
        #expect(readings[0].maximum.isNaN && !readings[0].hasFault)
        #expect(readings[1].input == 1_200 && readings[1].hasFault && !readings[1].hasAlarm)
        #expect(readings[2].input == 12.096 && readings[3].input == -1.52)
        #expect(readings[4].input == 8.16 && readings[4].average == 7 && readings[5].input == 450)
        #expect(readings[6].input == 41.25 && readings[7].hasAlarm)
    }

    @Test func chipsComeByNumber() throws {
        for number in [10, 9, 2] {
            try put("chip\(number)", "hwmon\(number)/name")
            try put("1", "hwmon\(number)/temp1_input")
        }
        #expect(reader.chips()?.map(\.driver) == ["chip2", "chip9", "chip10"])
    }

    @Test func whatHasNoNameOrFeatureIsNoChip() throws {
        try put("1000", "hwmon0/temp1_input")
        try put("empty", "hwmon1/name")
        try put("1000", "hwmon1/pwm1")
        try put("", "hwmon2/name")
        try put("1000", "hwmon2/temp1_input")
        // Of the first generation: everything lies with the device.
        try put("old", "hwmon3/device/name")
        try put("1000", "hwmon3/device/temp1_input")
        try put("Case", "hwmon3/device/temp1_label")
        let chips = try #require(reader.chips())
        #expect(chips.map(\.driver) == ["old"] && chips.first?.features.first?.label == "Case")
        #expect(chips.first?.number == 3 && chips.first?.path.hasSuffix("hwmon3/device") == true)
        #expect(HwmonReader(sysfs: root.path + "/nowhere").chips() == nil)
    }

    @Test func linksThatGoRoundAreLeft() throws {
        try put("odd", "hwmon0/name")
        try put("1", "hwmon0/temp1_input")
        #expect(unsafe symlink(".", root.path + "/class/hwmon/hwmon0/device") == 0)
        #expect(unsafe symlink("/sys/class/nvme", root.path + "/class/hwmon/hwmon0/subsystem") == 0)
        #expect(reader.chips()?.map(\.name) == ["odd-virtual-0"])
    }

    @Test func whatIsNoNumberIsCountedAndWhatCannotBeReadIsNot() throws {
        try put("chip", "hwmon0/name")
        try put("abc", "hwmon0/temp1_input")
        try put("41000 trailing", "hwmon0/temp2_input")
        try root.write("", to: "class/hwmon/hwmon0/temp3_input")
        try put("4000", "hwmon0/temp4_input")
        let chip = try #require(reader.chips()?.first)
        // The files may go while they are read.
        try root.remove("class/hwmon/hwmon0/temp4_input")
        let reading = reader.read(chip)
        #expect(reading.features.allSatisfy { $0.input.isNaN } && reading.features.count == 4)
        #expect(reading.parseErrorCount == 2)
    }

    @Test func onlyTheLibraryKnowsWhatARuleMakesOfAValue() throws {
        try put("chip", "hwmon0/name")
        try put("1000", "hwmon0/in0_input")
        try put("2000", "hwmon0/in1_input")
        var chip = try #require(reader.chips()?.first)
        chip.features[0].isComputed = true
        let readings = reader.read(chip).features
        #expect(readings[0].input.isNaN && readings[1].input == 2)
    }

    /// Shows a folder below a second name.
    private func link(_ name: String, to other: String) {
        #expect(unsafe symlink(other, root.path + "/class/hwmon/" + name) == 0)
    }

    @Test func chipsEndAtTheLimit() throws {
        try put("chip", "hwmon0/name")
        try put("1", "hwmon0/temp1_input")
        for number in 1..<Limits.sensorChipCountMax { link("hwmon\(number)", to: "hwmon0") }
        #expect(reader.chips()?.count == Limits.sensorChipCountMax)
        link("hwmon\(Limits.sensorChipCountMax)", to: "hwmon0")
        let chips = try #require(reader.chips())
        #expect(chips.count == Limits.sensorChipCountMax && chips.last?.number == Limits.sensorChipCountMax - 1)
    }

    @Test func featuresEndAtTheLimit() throws {
        try put("chip", "hwmon0/name")
        for channel in 1...Limits.sensorFeatureCountMax / 16 { try put("1", "hwmon0/temp\(channel)_input") }
        for number in 1..<16 { link("hwmon\(number)", to: "hwmon0") }
        #expect(reader.chips()?.map(\.features.count).reduce(0, +) == Limits.sensorFeatureCountMax)
        try put("chip", "hwmon16/name")
        try put("1", "hwmon16/in0_input")
        #expect(reader.chips()?.count == 16)
    }
}
