internal import TelemetrySchema

/// The lists of the message.
struct SensorRows: ~Copyable {
    private var temperatures: RepeatedField<TemperatureSensorMessage>
    private var fans: RepeatedField<FanSensorMessage>
    private var voltages: RepeatedField<VoltageSensorMessage>
    private var currents: RepeatedField<CurrentSensorMessage>
    private var powers: RepeatedField<PowerSensorMessage>
    private var energies: RepeatedField<EnergySensorMessage>
    private var humidities: RepeatedField<HumiditySensorMessage>
    private var intrusions: RepeatedField<IntrusionSensorMessage>
    private let plausible: PlausibleSensors
    private var hottest: (celsius: Double, id: Text)?

    init(capacity: Int, isRaw: Bool) {
        temperatures = RepeatedField(capacity: capacity)
        fans = RepeatedField(capacity: capacity)
        voltages = RepeatedField(capacity: capacity)
        currents = RepeatedField(capacity: capacity)
        powers = RepeatedField(capacity: capacity)
        energies = RepeatedField(capacity: capacity)
        humidities = RepeatedField(capacity: capacity)
        intrusions = RepeatedField(capacity: capacity)
        plausible = PlausibleSensors(isRaw: isRaw)
    }

    mutating func removeAll() {
        temperatures.removeAll()
        fans.removeAll()
        voltages.removeAll()
        currents.removeAll()
        powers.removeAll()
        energies.removeAll()
        humidities.removeAll()
        intrusions.removeAll()
        hottest = nil
    }

    /// Hands the lists to the message; `empty` is the text of nothing.
    func fill(_ message: inout SensorsMessage, empty: Text) {
        message.setTemperatures(temperatures)
        message.setFans(fans)
        message.setVoltages(voltages)
        message.setCurrents(currents)
        message.setPowers(powers)
        message.setEnergies(energies)
        message.setHumidities(humidities)
        message.setIntrusions(intrusions)
        message.hottestCelsius = hottest?.celsius ?? .nan
        message.setHottestId(hottest?.id ?? empty)
    }

    /// Adds the feature to its list.
    mutating func append(_ entry: SensorEntry, of state: borrowing ChipState) {
        let reading = state.reading.features[entry.feature]
        switch state.chip.features[entry.feature].kind {
        case .temperature: appendTemperature(entry, reading)
        case .fan: appendFan(entry, reading)
        case .voltage: appendVoltage(entry, reading)
        case .current: appendCurrent(entry, reading)
        case .power: appendPower(entry, reading)
        case .energy:
            guard energies.append() else { return }
            energies.last.setId(entry.id)
            energies.last.setChip(entry.chipName)
            energies.last.setLabel(entry.label)
            energies.last.joulesTotal = reading.input >= 0 ? reading.input : .nan
            energies.last.watts = state.watts[entry.feature]
        case .humidity:
            guard humidities.append() else { return }
            humidities.last.setId(entry.id)
            humidities.last.setChip(entry.chipName)
            humidities.last.setLabel(entry.label)
            humidities.last.relativeRatio = plausible.ratio(reading.input / 100)
        case .intrusion:
            guard intrusions.append() else { return }
            intrusions.last.setId(entry.id)
            intrusions.last.setChip(entry.chipName)
            intrusions.last.setLabel(entry.label)
            intrusions.last.alarm = reading.hasAlarm ? 1 : 0
        }
    }

    private mutating func appendTemperature(_ entry: SensorEntry, _ reading: SensorReading) {
        guard temperatures.append() else { return }
        let celsius = reading.hasFault ? .nan : plausible.celsius(reading.input)
        temperatures.last.setId(entry.id)
        temperatures.last.setChip(entry.chipName)
        temperatures.last.setLabel(entry.label)
        temperatures.last.celsius = celsius
        temperatures.last.minCelsius = plausible.celsiusLimit(reading.minimum)
        temperatures.last.maxCelsius = plausible.celsiusLimit(reading.maximum)
        temperatures.last.criticalCelsius = plausible.celsiusLimit(reading.critical)
        temperatures.last.emergencyCelsius = plausible.celsiusLimit(reading.emergency)
        temperatures.last.alarm = reading.hasAlarm ? 1 : 0
        temperatures.last.fault = reading.hasFault ? 1 : 0
        if celsius > hottest?.celsius ?? -.infinity { hottest = (celsius, entry.id) }
    }

    private mutating func appendFan(_ entry: SensorEntry, _ reading: SensorReading) {
        guard fans.append() else { return }
        fans.last.setId(entry.id)
        fans.last.setChip(entry.chipName)
        fans.last.setLabel(entry.label)
        fans.last.rpm = reading.hasFault ? .nan : plausible.rpm(reading.input)
        fans.last.minRpm = plausible.rpm(reading.minimum)
        fans.last.maxRpm = plausible.rpm(reading.maximum)
        fans.last.alarm = reading.hasAlarm ? 1 : 0
        fans.last.fault = reading.hasFault ? 1 : 0
    }

    private mutating func appendVoltage(_ entry: SensorEntry, _ reading: SensorReading) {
        guard voltages.append() else { return }
        voltages.last.setId(entry.id)
        voltages.last.setChip(entry.chipName)
        voltages.last.setLabel(entry.label)
        voltages.last.volts = plausible.volts(reading.input)
        voltages.last.minVolts = plausible.volts(reading.minimum)
        voltages.last.maxVolts = plausible.volts(reading.maximum)
        voltages.last.lowCriticalVolts = plausible.volts(reading.lowCritical)
        voltages.last.criticalVolts = plausible.volts(reading.critical)
        voltages.last.alarm = reading.hasAlarm ? 1 : 0
    }

    private mutating func appendCurrent(_ entry: SensorEntry, _ reading: SensorReading) {
        guard currents.append() else { return }
        currents.last.setId(entry.id)
        currents.last.setChip(entry.chipName)
        currents.last.setLabel(entry.label)
        currents.last.amperes = plausible.amperes(reading.input)
        currents.last.minAmperes = plausible.amperes(reading.minimum)
        currents.last.maxAmperes = plausible.amperes(reading.maximum)
        currents.last.criticalAmperes = plausible.amperes(reading.critical)
        currents.last.alarm = reading.hasAlarm ? 1 : 0
    }

    private mutating func appendPower(_ entry: SensorEntry, _ reading: SensorReading) {
        guard powers.append() else { return }
        let watts = plausible.watts(reading.input)
        powers.last.setId(entry.id)
        powers.last.setChip(entry.chipName)
        powers.last.setLabel(entry.label)
        powers.last.watts = watts.isNaN ? plausible.watts(reading.average) : watts
        powers.last.capWatts = plausible.watts(reading.cap)
        powers.last.maxWatts = plausible.watts(reading.maximum)
        powers.last.criticalWatts = plausible.watts(reading.critical)
        powers.last.alarm = reading.hasAlarm ? 1 : 0
    }
}

/// Makes NaN of what no hardware has: drivers print −273.15 °C, 65261.85 °C or 65535 rpm for "none".
private struct PlausibleSensors {
    /// Leaves everything as it is.
    let isRaw: Bool

    func celsius(_ value: Double) -> Double { within(-100...250, value) }
    func celsiusLimit(_ value: Double) -> Double { within(-200...1_000, value) }
    func rpm(_ value: Double) -> Double { within(0...65_534, value) }
    func volts(_ value: Double) -> Double { within(-1_000...1_000, value) }
    func amperes(_ value: Double) -> Double { within(-10_000...10_000, value) }
    func watts(_ value: Double) -> Double { within(0...100_000, value) }
    func ratio(_ value: Double) -> Double { within(0...1, value) }

    private func within(_ range: ClosedRange<Double>, _ value: Double) -> Double {
        isRaw || range.contains(value) ? value : .nan
    }
}
