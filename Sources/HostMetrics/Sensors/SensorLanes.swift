internal import Telemetry

/// What a lane is asked.
enum SensorJob: Sendable {
    case list
    /// `isFirst`: also how often the chip has something new.
    case read(SensorChip, isFirst: Bool)
}

/// What a lane answers.
enum SensorOutcome: Sendable {
    case chips([SensorChip]?)
    /// `updateSeconds`: how often the chip has something new; NaN: it does not say, or was not asked.
    case reading(ChipReading, of: SensorChip, seconds: Double, updateSeconds: Double)
}

/// The threads that read chips, each with a reader of its own: the first by the best reader there is, and where that
/// hangs others by one that nothing is shared with.
struct SensorLanes: ~Copyable {
    typealias Factory = @Sendable () -> any SensorReader

    enum Choice { case first, others, any }

    enum Answer {
        case outcome(SensorOutcome)
        /// The lane is not back yet; `late` will tell when it is.
        case pending(lane: Int)
        /// All lanes are out.
        case nobody
    }

    private let makeFirst: Factory
    private let makeOther: Factory
    private let waitSeconds: Double
    private var lanes: [Lane<SensorJob, SensorOutcome>?] = Array(repeating: nil, count: Limits.sensorLaneCountMax)

    /// The longest that a chip can keep its readings from being renewed, however rarely it says it has news.
    private static let updateSecondsMax = 60.0

    init(first: @escaping Factory, others: @escaping Factory, waitSeconds: Double) {
        makeFirst = first
        makeOther = others
        self.waitSeconds = waitSeconds
    }

    var isFirstBusy: Bool { lanes[0]?.isBusy ?? false }

    mutating func ask(_ job: SensorJob, of choice: Choice) -> Answer {
        let range =
            switch choice {
            case .first: 0..<1
            case .others: 1..<lanes.count
            case .any: 0..<lanes.count
            }
        for place in range {
            guard let lane = lane(place), !lane.isBusy else { continue }
            lane.start(job)
            guard let outcome = lane.wait(seconds: waitSeconds) else { return .pending(lane: place) }
            return .outcome(outcome)
        }
        return .nobody
    }

    /// What lanes brought back since, that nobody waited for any longer.
    mutating func late() -> [(lane: Int, outcome: SensorOutcome)] {
        var outcomes: [(lane: Int, outcome: SensorOutcome)] = []
        for place in lanes.indices {
            if let outcome = lanes[place]?.wait(seconds: 0) { outcomes.append((place, outcome)) }
        }
        return outcomes
    }

    /// Waits for as long as it takes until no lane is out.
    func waitForAll() {
        for lane in lanes {
            while lane?.isBusy ?? false { _ = lane?.wait(seconds: 3_600) }
        }
    }

    /// Made when it is needed; nil: no thread can be had.
    private mutating func lane(_ place: Int) -> Lane<SensorJob, SensorOutcome>? {
        if let lane = lanes[place] { return lane }
        let makeReader = place == 0 ? makeFirst : makeOther
        let lane = try? Lane<SensorJob, SensorOutcome>("sensors \(place)") {
            let reader = makeReader()
            return { job in Self.answer(job, by: reader) }
        }
        lanes[place] = lane
        return lane
    }

    private static func answer(_ job: SensorJob, by reader: any SensorReader) -> SensorOutcome {
        switch job {
        case .list: return .chips(reader.chips())
        case .read(let chip, let isFirst):
            let start = SystemClock.monotonic().nanoseconds
            let reading = reader.read(chip)
            let seconds = Double(SystemClock.monotonic().nanoseconds - start) / 1e9
            let updateSeconds = isFirst ? updateSeconds(of: chip) : .nan
            return .reading(reading, of: chip, seconds: seconds, updateSeconds: updateSeconds)
        }
    }

    /// `update_interval`, which is in milliseconds.
    private static func updateSeconds(of chip: SensorChip) -> Double {
        var reader = FileReader(byteCapacity: 64, waits: true)
        guard let milliseconds = reader.unsigned(FilePath("\(chip.path)/update_interval")) else { return .nan }
        return min(Double(milliseconds) / 1_000, updateSecondsMax)
    }
}
