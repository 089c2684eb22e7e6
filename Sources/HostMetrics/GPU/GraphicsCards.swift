/// The GPUs of the kernel's own drivers: /sys/class/drm/cardN (Documentation/gpu/amdgpu/thermal.rst, i915, xe;
/// Documentation/hwmon/sysfs-interface.rst).
struct GraphicsCards: ~Copyable {
    private struct Card {
        var device: GPUReading
        /// The card's folder, without a slash at its end.
        var folder: String
        /// The device's folder of sensors, with a slash; nil: it has none.
        var sensors: String?
    }

    /// Drivers that tell anything; the others are those of virtual machines, servers' consoles and small boards.
    /// NVIDIA's own is asked in another way.
    private static let drivers: Set<String> = ["amdgpu", "i915", "nouveau", "radeon", "xe"]
    /// No machine has as many.
    static let cardCountMax = 64

    private let folder: String
    private var cards: [Card] = []

    init(sysfs: String) { folder = "\(sysfs)/class/drm" }

    var ids: [String] { cards.map(\.device.id) }

    /// Looks which cards there are.
    mutating func refresh(_ files: inout SysfsFiles) {
        cards.removeAll()
        let numbers = SysfsFiles.names(in: folder).compactMap(Self.number).sorted()
        for number in numbers.prefix(Self.cardCountMax) { add("\(folder)/card\(number)", "card\(number)", &files) }
    }

    /// The number of a card; nil for its connectors ("card0-DP-1") and all else.
    private static func number(_ name: String) -> UInt16? {
        guard name.hasPrefix("card"), let number = UInt16(name.dropFirst(4)), name == "card\(number)" else {
            return nil
        }
        return number
    }

    private mutating func add(_ folder: String, _ name: String, _ files: inout SysfsFiles) {
        let values = files.values("\(folder)/device/uevent", of: ["DRIVER", "PCI_SLOT_NAME", "PCI_ID"])
        let (driver, slot, pciID) = (values[0], values[1], values[2])
        guard Self.drivers.contains(driver) else { return }
        let id = slot.isEmpty ? name : slot
        guard !ids.contains(id) else { return }
        var product = files.line("\(folder)/device/product_name") ?? ""
        if product.isEmpty { product = PCIName.of(pciID) ?? driver }
        let sensors = SysfsFiles.names(in: "\(folder)/device/hwmon").first { $0.hasPrefix("hwmon") }
        cards.append(
            Card(
                device: GPUReading(id: id, name: product, driver: driver), folder: folder,
                sensors: sensors.map { "\(folder)/device/hwmon/\($0)/" }))
    }

    /// Calls `body` with each card that is there, asking none that sleeps.
    mutating func read(_ files: inout SysfsFiles, _ body: (GPUReading) -> Void) {
        for card in cards where SysfsFiles.exists("\(card.folder)/device/uevent") {
            var reading = card.device
            reading.state = PowerState.of("\(card.folder)/device", &files)
            if reading.state != .suspended {
                Self.readCard(card.folder, &reading, &files)
                if let sensors = card.sensors { Self.readSensors(sensors, &reading, &files) }
            }
            body(reading)
        }
    }

    private static func readCard(_ folder: String, _ reading: inout GPUReading, _ files: inout SysfsFiles) {
        let device = "\(folder)/device"
        switch reading.driver {
        case "amdgpu":
            reading.busyRatio = GPUReading.ratio(percent: files.unsigned("\(device)/gpu_busy_percent"))
            reading.memoryBusyRatio = GPUReading.ratio(percent: files.unsigned("\(device)/mem_busy_percent"))
            reading.memoryUsedBytes = files.value("\(device)/mem_info_vram_used")
            reading.memoryTotalBytes = files.value("\(device)/mem_info_vram_total")
            reading.coreHertz = clock("\(device)/pp_dpm_sclk", &files)
            reading.memoryHertz = clock("\(device)/pp_dpm_mclk", &files)
        case "i915": reading.coreHertz = files.value("\(folder)/gt_act_freq_mhz", unit: 1e6)
        case "xe": reading.coreHertz = files.value("\(device)/tile0/gt0/freq0/act_freq", unit: 1e6)
        default: break
        }
    }

    private static func clock(_ path: String, _ files: inout SysfsFiles) -> Double {
        var levels = ClockLevels()
        return files.read(path, into: &levels) ? levels.hertz : .nan
    }

    private static func readSensors(_ folder: String, _ reading: inout GPUReading, _ files: inout SysfsFiles) {
        if let millidegrees = files.signed("\(folder)temp1_input"), (-1e5...2.5e5).contains(millidegrees) {
            reading.celsius = millidegrees / 1e3
        }
        // Newer chips tell one, older ones the other.
        reading.watts = files.value("\(folder)power1_average", unit: 1e-6)
        if reading.watts.isNaN { reading.watts = files.value("\(folder)power1_input", unit: 1e-6) }
        reading.powerLimitWatts = files.value("\(folder)power1_cap", unit: 1e-6)
        if reading.powerLimitWatts.isNaN { reading.powerLimitWatts = files.value("\(folder)power1_max", unit: 1e-6) }
        reading.joulesTotal = files.value("\(folder)energy1_input", unit: 1e-6)
        reading.fanRPM = files.value("\(folder)fan1_input")
        if let duty = files.unsigned("\(folder)pwm1"), duty <= 255 { reading.fanRatio = Double(duty) / 255 }
    }
}

/// Whether a device sleeps (Documentation/ABI/testing/sysfs-devices-power). To read this wakes nothing.
enum PowerState {
    static func of(_ device: String, _ files: inout SysfsFiles) -> GPUReading.State {
        switch files.line("\(device)/power/runtime_status") {
        // On its way to sleep or back it is left alone as well.
        case "suspended", "suspending", "resuming": .suspended
        case "active", "unsupported": .active
        // Without power management nothing sleeps.
        default: .unknown
        }
    }
}

/// What to call a device whose product name is not known.
enum PCIName {
    /// Of "1002:73BF"; nil: this is none.
    static func of(_ pciID: String) -> String? {
        let parts = pciID.lowercased().split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 4 }) else { return nil }
        let maker =
            switch parts[0] {
            case "1002": "AMD GPU"
            case "10de": "NVIDIA GPU"
            case "8086": "Intel GPU"
            default: "GPU"
            }
        return "\(maker) \(parts[0]):\(parts[1])"
    }
}
