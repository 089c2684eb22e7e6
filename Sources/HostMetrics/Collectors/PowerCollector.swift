internal import Glibc
internal import TelemetrySchema

/// `/power`: class/power_supply (kernel documentation ABI/testing/sysfs-class-power).
struct PowerCollector: Collector, ~Copyable {
    static let topic = "/power"
    static let entrySettings = EntrySetting.common
    static let defaultHertz = 0.2
    /// Batteries behind ACPI and I²C take 10 to 100 ms to answer.
    static let isBlocking = true

    private let clock: () -> ClockReading
    private var folder: DeviceFolder
    private var filter: EntryFilter
    private var rows: RepeatedField<PowerSupplyMessage>
    private var texts: TextArena

    /// Kernels have words of some ten letters.
    private static let wordByteCountMax = 255
    /// Bytes of one supply's texts, in which a byte may become three.
    private static let textByteCount = 3 * 3 * 256

    init(host: Host) throws(CollectError) {
        clock = host.clock
        folder = DeviceFolder("\(host.sysfs)/class/power_supply", waits: true)
        let settings = host.settings(of: Self.topic)
        filter = EntryFilter(settings)
        rows = RepeatedField(capacity: settings.entryCountMax)
        texts = TextArena(byteCapacity: settings.entryCountMax * Self.textByteCount)
        guard try !folder.names().isEmpty else { throw .open(errno: ENOENT) }
    }

    mutating func sample(
        _ context: SampleContext, into message: inout PowerSuppliesMessage
    ) throws(CollectError) -> Sample {
        let before = clock()
        var sample = Sample(time: before)
        rows.removeAll()
        texts.removeAll()
        let names = try folder.names()
        guard !names.isEmpty else { throw .nothingUsable }
        for name in names {
            guard filter.admits(name) else { continue }
            guard rows.append() else {
                sample.suppressedCount += 1
                continue
            }
            folder.open(name)
            rows.last.setId(texts.append(id: name))
            let flow = setTexts()
            var properties = PowerSupplyProperties()
            readProperties(&properties, &sample)
            properties.derive(flow)
            rows.last.set(properties)
        }
        message.setSupplies(rows)
        sample.time = before.midpoint(to: clock())
        sample.entryCount = rows.count
        return sample
    }

    private mutating func setTexts() -> PowerSupplyProperties.Flow {
        rows.last.setType(
            folder.read("/type") ? folder.appendLine(to: &texts, byteCountMax: Self.wordByteCountMax) : texts.append("")
        )
        guard folder.read("/status") else {
            rows.last.setStatus(texts.append(""))
            return .other
        }
        rows.last.setStatus(folder.appendLine(to: &texts, byteCountMax: Self.wordByteCountMax))
        if folder.line.equals("Charging") { return .charging }
        return folder.line.equals("Discharging") ? .discharging : .other
    }

    private mutating func readProperties(_ properties: inout PowerSupplyProperties, _ sample: inout Sample) {
        /// Of 10⁻⁶ ampere-hours and watt-hours.
        let hour = 3_600e-6
        properties.online = unsigned("/online", &sample)
        properties.capacityRatio = (unsigned("/capacity", &sample) / 100).share
        properties.volts = unsigned("/voltage_now", &sample) / 1e6
        properties.amperes = signed("/current_now", &sample) / 1e6
        properties.watts = signed("/power_now", &sample) / 1e6
        properties.energyJoules = unsigned("/energy_now", &sample) * hour
        properties.energyFullJoules = unsigned("/energy_full", &sample) * hour
        properties.chargeCoulombs = unsigned("/charge_now", &sample) * hour
        properties.chargeFullCoulombs = unsigned("/charge_full", &sample) * hour
        let energyRatio = ratio(properties.energyFullJoules, unsigned("/energy_full_design", &sample) * hour)
        let chargeRatio = ratio(properties.chargeFullCoulombs, unsigned("/charge_full_design", &sample) * hour)
        properties.healthRatio = energyRatio.isNaN ? chargeRatio : energyRatio
        let cycles = unsigned("/cycle_count", &sample)
        properties.cycles = cycles > 0 ? cycles : .nan
        properties.secondsToEmpty = first(
            unsigned("/time_to_empty_now", &sample), unsigned("/time_to_empty_avg", &sample))
        properties.secondsToFull = first(
            unsigned("/time_to_full_now", &sample), unsigned("/time_to_full_avg", &sample))
    }

    private func ratio(_ part: Double, _ whole: Double) -> Double { whole > 0 ? part / whole : .nan }

    private func first(_ value: Double, _ other: Double) -> Double { value.isNaN ? other : value }

    private mutating func unsigned(_ leaf: StaticString, _ sample: inout Sample) -> Double {
        guard folder.read(leaf) else { return .nan }
        if let value = folder.line.unsignedValue { return Double(value) }
        sample.parseErrorCount += 1
        return .nan
    }

    private mutating func signed(_ leaf: StaticString, _ sample: inout Sample) -> Double {
        guard folder.read(leaf) else { return .nan }
        if let value = folder.line.signedValue { return value }
        sample.parseErrorCount += 1
        return .nan
    }
}

extension PowerSupplyMessage {
    fileprivate mutating func set(_ properties: PowerSupplyProperties) {
        online = properties.online
        capacityRatio = properties.capacityRatio
        volts = properties.volts
        amperes = properties.amperes
        watts = properties.watts
        energyJoules = properties.energyJoules
        energyFullJoules = properties.energyFullJoules
        chargeCoulombs = properties.chargeCoulombs
        chargeFullCoulombs = properties.chargeFullCoulombs
        healthRatio = properties.healthRatio
        cycles = properties.cycles
        secondsToEmpty = properties.secondsToEmpty
        secondsToFull = properties.secondsToFull
    }
}
