/// What a feature of a chip measures; the cases' order is that of the message's lists.
package enum SensorKind: Int, CaseIterable, Sendable {
    case temperature, fan, voltage, current, power, energy, humidity, intrusion

    /// How the names of its attributes begin.
    package var stem: StaticString {
        switch self {
        case .temperature: "temp"
        case .fan: "fan"
        case .voltage: "in"
        case .current: "curr"
        case .power: "power"
        case .energy: "energy"
        case .humidity: "humidity"
        case .intrusion: "intrusion"
        }
    }

    /// How many of the kernel's units make one of libsensors's: degrees, volts, watts, percent.
    package var scale: Double {
        switch self {
        case .temperature, .voltage, .current, .humidity: 1_000
        case .power, .energy: 1_000_000
        case .fan, .intrusion: 1
        }
    }

    /// What is read of it: all that the message tells.
    package var attributes: SensorAttributes {
        switch self {
        case .temperature: [.input, .minimum, .maximum, .critical, .emergency, .fault, .alarms]
        case .fan: [.input, .minimum, .maximum, .fault, .alarms]
        case .voltage: [.input, .minimum, .maximum, .lowCritical, .critical, .alarms]
        case .current: [.input, .minimum, .maximum, .critical, .alarms]
        case .power: [.input, .average, .maximum, .critical, .cap, .alarms]
        case .energy, .humidity: [.input]
        case .intrusion: [.alarm]
        }
    }
}

/// Attributes of a feature, as a set: what follows the underscore in the names of their files.
package struct SensorAttributes: OptionSet, Hashable, Sendable {
    package var rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let input = Self(rawValue: 1 << 0)
    package static let average = Self(rawValue: 1 << 1)
    package static let minimum = Self(rawValue: 1 << 2)
    package static let maximum = Self(rawValue: 1 << 3)
    package static let lowCritical = Self(rawValue: 1 << 4)
    package static let critical = Self(rawValue: 1 << 5)
    package static let emergency = Self(rawValue: 1 << 6)
    package static let cap = Self(rawValue: 1 << 7)
    package static let fault = Self(rawValue: 1 << 8)
    package static let alarm = Self(rawValue: 1 << 9)
    /// Every flag that is an alarm.
    package static let alarms = Self(rawValue: 0x7F << 9)

    /// By the place of their bits.
    package static let suffixes: [StaticString] = [
        "input", "average", "min", "max", "lcrit", "crit", "emergency", "cap", "fault", "alarm", "min_alarm",
        "max_alarm", "lcrit_alarm", "crit_alarm", "emergency_alarm", "cap_alarm",
    ]
}

/// One thing that a chip measures: "temp1".
package struct SensorFeature: Equatable, Sendable {
    package var kind: SensorKind
    package var channel: Int
    /// Those that there are, of what the kind has.
    package var attributes: SensorAttributes = []
    /// Empty: it has none.
    package var label = ""
    /// Whether a rule of sensors3.conf makes its value of the chip's: only libsensors can tell it.
    package var isComputed = false

    package init(_ kind: SensorKind, _ channel: Int, _ attributes: SensorAttributes = []) {
        self.kind = kind
        self.channel = channel
        self.attributes = attributes
    }

    /// How the names of its files begin.
    package var name: String { "\(kind.stem)\(channel)" }

    /// Whether there is enough of it to be told: a value, or of voltages an alarm.
    package var isUseful: Bool {
        switch kind {
        case .temperature, .fan, .current, .energy, .humidity: attributes.contains(.input)
        case .power: !attributes.isDisjoint(with: [.input, .average])
        case .voltage: attributes.contains(.input) || !attributes.isDisjoint(with: .alarms)
        case .intrusion: attributes.contains(.alarm)
        }
    }

    static func precedes(_ left: Self, _ right: Self) -> Bool {
        (left.kind.rawValue, left.channel) < (right.kind.rawValue, right.channel)
    }
}

/// A monitoring chip, or what a driver presents as one.
package struct SensorChip: Equatable, Sendable {
    /// As libsensors names it: "coretemp-isa-0000".
    package var name: String
    /// As its driver names it: "coretemp".
    package var driver: String
    /// The folder of its attributes.
    package var path: String
    /// Of the hwmon folder.
    package var number: Int
    /// By kind and channel.
    package var features: [SensorFeature]

    package init(name: String, driver: String, path: String, number: Int, features: [SensorFeature]) {
        self.name = name
        self.driver = driver
        self.path = path
        self.number = number
        self.features = features
    }

    static func precedes(_ left: Self, _ right: Self) -> Bool {
        (left.number, left.path) < (right.number, right.path)
    }
}

/// What was read of a feature, in libsensors's units.
package struct SensorReading: Equatable, Sendable {
    package var input = Double.nan
    package var average = Double.nan
    package var minimum = Double.nan
    package var maximum = Double.nan
    package var lowCritical = Double.nan
    package var critical = Double.nan
    package var emergency = Double.nan
    package var cap = Double.nan
    package var hasFault = false
    package var hasAlarm = false

    package init() {}

    /// Takes the value of the attribute whose bit has this place.
    mutating func set(_ place: Int, _ value: Double) {
        switch place {
        case 0: input = value
        case 1: average = value
        case 2: minimum = value
        case 3: maximum = value
        case 4: lowCritical = value
        case 5: critical = value
        case 6: emergency = value
        case 7: cap = value
        case 8: hasFault = value == 1
        default: if value == 1 { hasAlarm = true }
        }
    }
}

/// What was read of a chip: a reading for each of its features, in their order.
package struct ChipReading: Sendable {
    package var features: [SensorReading]
    package var parseErrorCount = 0

    /// Nothing is known.
    package init(of chip: SensorChip) { features = Array(repeating: SensorReading(), count: chip.features.count) }

    /// Makes it as if nothing was known.
    mutating func clear() {
        parseErrorCount = 0
        for index in features.indices { features[index] = SensorReading() }
    }
}

/// A way to read the monitoring chips of a host. Lives on one thread, and may block for ever.
package protocol SensorReader: AnyObject {
    /// The chips that there are now, in order; nil: they cannot be listed in this way.
    func chips() -> [SensorChip]?
    func read(_ chip: SensorChip) -> ChipReading
}
