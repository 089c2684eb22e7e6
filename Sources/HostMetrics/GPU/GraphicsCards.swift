/// The GPUs of the kernel's own drivers: /sys/class/drm/cardN (Documentation/gpu/amdgpu/thermal.rst, i915, xe;
/// Documentation/hwmon/sysfs-interface.rst).
struct GraphicsCards: ~Copyable {
    private struct Card {
        var device: GPUReading
        /// The card's folder, without a slash at its end.
        var folder: String
        /// The device's folder of sensors; nil: it has none.
        var sensors: String?
    }

    /// Drivers that tell anything; the others are those of virtual machines, servers' consoles and small boards.
    /// NVIDIA's own is asked in another way.
    private static let drivers: Set<String> = ["amdgpu", "i915", "nouveau", "radeon", "xe"]
    /// No machine has as many.
    static let cardCountMax = 64

    private let folder: String
    /// The folders of all cards, whatever their drivers, and what tells them from others.
    private var folders: [String] = []
    private var names: Int?
    /// What tells all that is kept of the cards from what else it may be.
    private var details: Int?
    private var cards: [Card] = []

    init(sysfs: String) { folder = "\(sysfs)/class/drm" }

    var ids: [String] { cards.map(\.device.id) }

    /// Looks which cards there are; false: the same as before, which is found out without allocation.
    mutating func refresh(_ files: inout SysfsFiles) -> Bool {
        files.turn(to: folder)
        let names = files.fingerprint()
        if names != self.names {
            self.names = names
            let numbers = files.names().compactMap(Self.number).sorted()
            folders = numbers.prefix(Self.cardCountMax).map { "\(folder)/card\($0)" }
        }
        var hasher = Hasher()
        for folder in folders {
            files.turn(to: folder)
            files.hash("/device/uevent", into: &hasher)
            files.hash("/device/product_name", into: &hasher)
            hasher.combine(files.fingerprint("/device/hwmon"))
        }
        let details = hasher.finalize()
        guard details != self.details else { return false }
        self.details = details
        cards.removeAll()
        for folder in folders { add(folder, &files) }
        return true
    }

    /// The number of a card; nil for its connectors ("card0-DP-1") and all else.
    private static func number(_ name: String) -> UInt16? {
        guard name.hasPrefix("card"), let number = UInt16(name.dropFirst(4)), name == "card\(number)" else {
            return nil
        }
        return number
    }

    private mutating func add(_ folder: String, _ files: inout SysfsFiles) {
        files.turn(to: folder)
        let values = files.values("/device/uevent", of: ["DRIVER", "PCI_SLOT_NAME", "PCI_ID"])
        let (driver, slot, pciID) = (values[0], values[1], values[2])
        guard Self.drivers.contains(driver) else { return }
        let id = slot.isEmpty ? String(folder.dropFirst(self.folder.utf8.count + 1)) : slot
        guard !ids.contains(id) else { return }
        var product = files.line("/device/product_name") ?? ""
        if product.isEmpty { product = PCIName.of(pciID) ?? driver }
        let sensors = files.names("/device/hwmon").first { $0.hasPrefix("hwmon") }
        cards.append(
            Card(
                device: GPUReading(id: id, name: product, driver: driver), folder: folder,
                sensors: sensors.map { "\(folder)/device/hwmon/\($0)" }))
    }

    /// Calls `body` with each card that is there, asking none that sleeps.
    func read(_ files: inout SysfsFiles, _ body: (GPUReading) -> Void) {
        for card in cards {
            files.turn(to: card.folder)
            guard files.exists("/device/uevent") else { continue }
            var reading = card.device
            reading.state = files.powerState("/device/power/runtime_status")
            if reading.state != .suspended {
                Self.readCard(&reading, &files)
                if let sensors = card.sensors { Self.readSensors(sensors, &reading, &files) }
            }
            body(reading)
        }
    }

    private static func readCard(_ reading: inout GPUReading, _ files: inout SysfsFiles) {
        switch reading.driver {
        case "amdgpu":
            reading.busyRatio = GPUReading.ratio(percent: files.unsigned("/device/gpu_busy_percent"))
            reading.memoryBusyRatio = GPUReading.ratio(percent: files.unsigned("/device/mem_busy_percent"))
            reading.memoryUsedBytes = files.value("/device/mem_info_vram_used")
            reading.memoryTotalBytes = files.value("/device/mem_info_vram_total")
            reading.coreHertz = clock("/device/pp_dpm_sclk", &files)
            reading.memoryHertz = clock("/device/pp_dpm_mclk", &files)
        case "i915": reading.coreHertz = files.value("/gt_act_freq_mhz", unit: 1e6)
        case "xe": reading.coreHertz = files.value("/device/tile0/gt0/freq0/act_freq", unit: 1e6)
        default: break
        }
    }

    private static func clock(_ leaf: StaticString, _ files: inout SysfsFiles) -> Double {
        var levels = ClockLevels()
        return files.read(leaf, into: &levels) ? levels.hertz : .nan
    }

    private static func readSensors(_ folder: String, _ reading: inout GPUReading, _ files: inout SysfsFiles) {
        files.turn(to: folder)
        if let millidegrees = files.signed("/temp1_input"), (-1e5...2.5e5).contains(millidegrees) {
            reading.celsius = millidegrees / 1e3
        }
        // Newer chips tell one, older ones the other.
        reading.watts = files.value("/power1_average", unit: 1e-6)
        if reading.watts.isNaN { reading.watts = files.value("/power1_input", unit: 1e-6) }
        reading.powerLimitWatts = files.value("/power1_cap", unit: 1e-6)
        if reading.powerLimitWatts.isNaN { reading.powerLimitWatts = files.value("/power1_max", unit: 1e-6) }
        reading.joulesTotal = files.value("/energy1_input", unit: 1e-6)
        reading.fanRPM = files.value("/fan1_input")
        if let duty = files.unsigned("/pwm1"), duty <= 255 { reading.fanRatio = Double(duty) / 255 }
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
