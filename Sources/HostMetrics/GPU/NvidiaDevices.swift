internal import Telemetry

/// The GPUs that run by NVIDIA's own driver.
///
/// Which there are, and which of them sleep, sysfs tells. The library is loaded when one is awake, and only those that
/// are awake are looked up in it. Where sysfs does not show them, as in some containers, the library counts them.
struct NvidiaDevices: ~Copyable {
    private struct Entry {
        var reading: GPUReading
        /// The device's folder; nil: sysfs does not show it.
        var folder: String?
        var device: NvidiaLibrary.Device?
        /// Whether the library does not let us see the device, as in a container that was given others; until the next
        /// look at what there is.
        var isHidden = false
    }

    /// No machine has as many.
    static let deviceCountMax = 64
    /// How long a library that could not be loaded or started is left alone.
    static let retrySeconds = 60.0

    private let drivers: String
    private let devices: String
    private let control: String
    private let libraryPath: String
    /// Those that the driver has, as far as they are told, and what tells them from others.
    private var addresses: [String] = []
    private var names: Int?
    private var entries: [Entry] = []
    /// Whether there are devices that sysfs does not show.
    private var isUnlisted = false
    private var library: NvidiaLibrary?
    private var driverVersion = ""
    private var failedAt: Instant?
    private var lastFailure: NvidiaFailure?

    init(sysfs: String, rootfs: String, libraryPath: String) {
        drivers = "\(sysfs)/bus/pci/drivers/nvidia"
        devices = "\(sysfs)/bus/pci/devices"
        control = "\(rootfs)/dev/nvidiactl"
        self.libraryPath = libraryPath
    }

    /// Whether there may be any; the library may yet tell of none.
    var isPresent: Bool { isUnlisted || !entries.isEmpty }

    /// Those that sysfs shows.
    var ids: [String] { entries.filter { $0.folder != nil }.map(\.reading.id) }

    /// Looks which devices there are; loads nothing and wakes nothing. False: sysfs shows the same as before, which is
    /// found out without allocation.
    mutating func refresh(_ files: inout SysfsFiles) -> Bool {
        files.turn(to: drivers)
        let names = files.fingerprint()
        let hasChanged = names != self.names
        if hasChanged {
            self.names = names
            addresses = Array(files.names().filter(Self.isAddress).prefix(Self.deviceCountMax))
        }
        files.turn(to: control)
        isUnlisted = addresses.isEmpty && files.exists("")
        if isUnlisted, entries.allSatisfy({ $0.folder == nil }) { return false }
        if !hasChanged, entries.count == addresses.count {
            for index in entries.indices { entries[index].isHidden = false }
            return false
        }
        let known = entries
        entries = []
        for address in addresses {
            let same = known.first { $0.reading.id == address && $0.folder != nil }
            var entry = same ?? self.entry(at: address, &files)
            entry.isHidden = false
            entries.append(entry)
        }
        return true
    }

    private func entry(at address: String, _ files: inout SysfsFiles) -> Entry {
        let folder = "\(devices)/\(address)"
        files.turn(to: folder)
        let pciID = files.values("/uevent", of: ["PCI_ID"])[0]
        let name = PCIName.of(pciID) ?? "NVIDIA GPU"
        return Entry(reading: GPUReading(id: address, name: name, driver: "nvidia"), folder: folder)
    }

    /// `0000:01:00.0`; the folder of a driver has other things, too.
    private static func isAddress(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard bytes.count >= 12, bytes.count <= 16 else { return false }
        let tail = bytes.suffix(8)
        func isHexadecimal(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
        let separators = [0: UInt8(ascii: ":"), 3: UInt8(ascii: ":"), 6: UInt8(ascii: ".")]
        return bytes.dropLast(8).allSatisfy(isHexadecimal)
            && tail.enumerated().allSatisfy { separators[$0.offset].map { [byte = $0.element] in $0 == byte } ?? true }
    }

    /// Calls `body` with each device, asking none that sleeps.
    mutating func read(
        _ files: inout SysfsFiles, at now: Instant, _ notes: inout [Note], _ body: (GPUReading) -> Void
    ) {
        for index in entries.indices {
            guard let folder = entries[index].folder else { continue }
            files.turn(to: folder)
            entries[index].reading.state = files.powerState("/power/runtime_status")
        }
        if isUnlisted || entries.contains(where: { $0.reading.state != .suspended }) { open(at: now, &notes) }
        if isUnlisted { countDevices() }
        for index in entries.indices where !entries[index].isHidden {
            var reading = entries[index].reading
            if reading.state != .suspended, let library {
                fill(&reading, index, library)
                reading.driverVersion = driverVersion
            }
            if !entries[index].isHidden { body(reading) }
        }
    }

    /// Loads the library, unless that failed a moment ago.
    private mutating func open(at now: Instant, _ notes: inout [Note]) {
        guard library == nil else { return }
        if let failedAt, now.seconds(since: failedAt) < Self.retrySeconds { return }
        do throws(NvidiaFailure) {
            let library = try NvidiaLibrary(path: libraryPath)
            driverVersion = library.driverVersion ?? ""
            self.library = library
            (failedAt, lastFailure) = (nil, nil)
        } catch {
            failedAt = now
            if lastFailure != error { notes.append(Note(.warning, Self.text(of: error, libraryPath))) }
            lastFailure = error
        }
    }

    private static func text(of failure: NvidiaFailure, _ path: String) -> String {
        failure.status == .libraryNotFound
            ? "\(path) cannot be loaded: of NVIDIA's GPUs only the names are known"
            : "\(path) does not start (\(failure.status.rawValue)): of NVIDIA's GPUs only the names are known"
    }

    /// Takes the devices from the library, once.
    private mutating func countDevices() {
        guard let library, entries.isEmpty else { return }
        for index in 0..<min(library.deviceCount, Self.deviceCountMax) {
            guard let device = try? library.device(index: index), let address = library.address(of: device),
                !entries.contains(where: { $0.reading.id == address })
            else { continue }
            let name = library.name(of: device) ?? "NVIDIA GPU"
            entries.append(
                Entry(reading: GPUReading(id: address, name: name, driver: "nvidia"), folder: nil, device: device))
        }
    }

    private mutating func fill(_ reading: inout GPUReading, _ index: Int, _ library: NvidiaLibrary) {
        let blank = reading
        do throws(NvidiaFailure) {
            let device = try device(index, library)
            reading.name = entries[index].reading.name
            try library.read(device, into: &reading)
        } catch {
            entries[index].isHidden = error.status == .notFound || error.status == .noPermission
            if error.isLoss { entries[index].device = nil }
            if error.status == .uninitialized { forgetLibrary() }
            reading = blank
        }
    }

    /// The device's handle, found when it is first asked for.
    private mutating func device(_ index: Int, _ library: NvidiaLibrary) throws(NvidiaFailure) -> NvidiaLibrary.Device {
        if let device = entries[index].device { return device }
        let device = try library.device(at: entries[index].reading.id)
        entries[index].device = device
        if let name = library.name(of: device), !name.isEmpty { entries[index].reading.name = name }
        return device
    }

    /// Its handles are void without it.
    private mutating func forgetLibrary() {
        library = nil
        for index in entries.indices { entries[index].device = nil }
    }
}
