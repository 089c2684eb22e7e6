/// What is known of one GPU: the part that stays, and the values of one moment.
struct GPUReading {
    /// By power/runtime_status of sysfs.
    enum State {
        case unknown, active, suspended
    }

    var id: String
    var name: String
    var driver: String
    var driverVersion = ""
    var state = State.unknown

    var busyRatio = Double.nan
    var memoryBusyRatio = Double.nan
    var memoryUsedBytes = Double.nan
    var memoryTotalBytes = Double.nan
    var celsius = Double.nan
    var watts = Double.nan
    var powerLimitWatts = Double.nan
    var joulesTotal = Double.nan
    var coreHertz = Double.nan
    var memoryHertz = Double.nan
    var fanRatio = Double.nan
    var fanRPM = Double.nan
    var isPowerThrottled = false
    var isThermalThrottled = false
    var isHardwareThrottled = false

    init(id: String, name: String, driver: String) {
        self.id = id
        self.name = name
        self.driver = driver
    }

    /// Whether it is held back by heat or the hardware.
    var isThrottled: Bool { isThermalThrottled || isHardwareThrottled }

    /// A percentage as a ratio; NaN if it is none.
    static func ratio(percent: UInt64?) -> Double {
        guard let percent, percent <= 100 else { return .nan }
        return Double(percent) / 100
    }
}
