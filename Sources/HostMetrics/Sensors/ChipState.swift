internal import Telemetry

/// A chip, what was read of it last, and when it is due again.
struct ChipState {
    let chip: SensorChip
    private(set) var reading: ChipReading
    /// Of the energies, by feature.
    private(set) var watts: [Double]
    /// The lane that went to read it and has not come back, and when it went.
    private(set) var pendingLane: Int?
    private var pendingSince: UInt64 = 0
    /// Whether that took so long that nothing of the chip is known any more.
    private(set) var isGivenUp = false
    /// Features whose temperature alarm began with the reading taken last.
    private(set) var newAlarmCount = 0
    /// Whether nothing was read of it yet.
    private(set) var isNew = true

    private var readAt: UInt64 = 0
    /// What the chip says itself, and what its slowness asks for.
    private(set) var updateSeconds = 0.0
    private var restSeconds = 0.0
    private var hadAlarm: [Bool?]
    private var energies: Baselines

    /// Seconds between reads of chips whose every read is a command to a disk, which keeps it awake.
    private static let diskSeconds = 10.0
    /// A read that takes longer is paid for with a pause of so many times its length.
    private static let slowSeconds = 0.05
    private static let restFactor = 20.0
    /// However long it took: a chip that was stuck for a day is tried again soon.
    private static let restSecondsMax = 600.0
    /// A timer is never exact: a chip may be read by this part of its interval too early.
    private static let tolerance = 0.05

    init(_ chip: SensorChip) {
        self.chip = chip
        reading = ChipReading(of: chip)
        watts = Array(repeating: .nan, count: chip.features.count)
        hadAlarm = Array(repeating: nil, count: chip.features.count)
        energies = Baselines(columnCount: 1, rowCapacity: 4)
    }

    /// Keeps what is known of the same chip from before the chips were listed again.
    init(_ chip: SensorChip, keeping old: ChipState) {
        self.init(chip)
        pendingLane = old.pendingLane
        pendingSince = old.pendingSince
        isGivenUp = old.isGivenUp
        guard measuresTheSame(as: old.chip) else { return }
        reading = old.reading
        watts = old.watts
        isNew = old.isNew
        readAt = old.readAt
        updateSeconds = old.updateSeconds
        restSeconds = old.restSeconds
        hadAlarm = old.hadAlarm
        energies = old.energies
    }

    /// Whether what is read of the other chip is a reading of this one.
    func measuresTheSame(as other: SensorChip) -> Bool {
        chip.features.elementsEqual(other.features) {
            $0.kind == $1.kind && $0.channel == $1.channel && $0.attributes == $1.attributes
        }
    }

    var intervalSeconds: Double {
        let isDisk = chip.driver == "nvme" || chip.driver == "drivetemp"
        return max(isDisk ? Self.diskSeconds : 0, updateSeconds, restSeconds)
    }

    func isDue(at time: Instant) -> Bool {
        guard pendingLane == nil else { return false }
        guard !isNew, time.nanoseconds >= readAt else { return true }
        return Double(time.nanoseconds - readAt) / 1e9 >= intervalSeconds * (1 - Self.tolerance)
    }

    /// Takes what was read at `time`.
    mutating func take(
        _ reading: ChipReading, at time: Instant, seconds: Double, updateSeconds: Double, _ context: SampleContext
    ) {
        self.reading = reading
        readAt = time.nanoseconds
        isNew = false
        restSeconds = seconds > Self.slowSeconds ? min(seconds * Self.restFactor, Self.restSecondsMax) : 0
        if updateSeconds.isFinite { self.updateSeconds = updateSeconds }
        newAlarmCount = 0
        for (index, feature) in chip.features.enumerated() where feature.kind == .temperature {
            if reading.features[index].hasAlarm, hadAlarm[index] == false { newAlarmCount += 1 }
            hadAlarm[index] = reading.features[index].hasAlarm
        }
        addEnergies(at: time, context)
    }

    /// A lane went to read it at `time`, and is not back yet: until it is, what was read last stays.
    mutating func await(_ lane: Int, since time: Instant) {
        pendingLane = lane
        pendingSince = time.nanoseconds
    }

    /// The lane is back, whatever it brings.
    mutating func endWait() {
        pendingLane = nil
        isGivenUp = false
    }

    /// Forgets what was read last if its lane is away for as long as that; true: it was just forgotten.
    mutating func giveUp(at time: Instant, afterSeconds seconds: Double) -> Bool {
        guard pendingLane != nil, !isGivenUp, time.nanoseconds >= pendingSince,
            Double(time.nanoseconds - pendingSince) / 1e9 >= seconds
        else { return false }
        isGivenUp = true
        forget()
        return true
    }

    /// Nothing of the chip is known.
    mutating func forget() {
        reading = ChipReading(of: chip)
        watts = Array(repeating: .nan, count: watts.count)
    }

    private mutating func addEnergies(at time: Instant, _ context: SampleContext) {
        guard chip.features.contains(where: { $0.kind == .energy }) else { return }
        var context = context
        // Baselines are too old after ten periods: of this chip, not of the channel.
        let interval = UInt64(intervalSeconds * 1e9)
        if context.period.nanoseconds < interval, let period = Period(nanoseconds: interval) { context.period = period }
        energies.begin(at: time, context: context)
        for (index, feature) in chip.features.enumerated() where feature.kind == .energy {
            watts[index] = .nan
            let microjoules = (reading.features[index].input * 1e6).rounded()
            guard microjoules >= 0, microjoules < 0x1p63 else { continue }
            let row = energies.addCounter(id: UInt64(index), width: .bits64, UInt64(microjoules))
            watts[index] = energies.rate(row, column: 0) / 1e6
        }
        energies.end()
    }

    /// What the rates of the energies cover; NaN: there are none.
    var rateSeconds: Double { energies.intervalSeconds }
}
