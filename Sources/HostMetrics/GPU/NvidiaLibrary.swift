internal import Glibc

/// What a call of NVML returned (nvml.h, nvmlReturn_t).
struct NvidiaStatus: RawRepresentable, Equatable {
    var rawValue: Int32
    static let success = Self(rawValue: 0)
    static let uninitialized = Self(rawValue: 1)
    static let noPermission = Self(rawValue: 4)
    static let notFound = Self(rawValue: 6)
    static let libraryNotFound = Self(rawValue: 12)
    static let functionNotFound = Self(rawValue: 13)
    static let gpuIsLost = Self(rawValue: 15)
    static let resetRequired = Self(rawValue: 16)
}

/// NVIDIA's management library, loaded at run time, so that the agent runs where there is none.
///
/// Every function may be missing: old libraries lack new ones. Owns the library: it is shut down and unloaded with its
/// owner.
@safe
final class NvidiaLibrary {
    /// A GPU, for as long as the library is loaded.
    @safe
    struct Device {
        @unsafe fileprivate let handle: UnsafeMutableRawPointer?
    }

    private typealias Number = @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt32>) -> Int32
    private typealias LongNumber = @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt64>) -> Int32
    private typealias KindOfNumber =
        @convention(c) (UnsafeMutableRawPointer?, Int32, UnsafeMutablePointer<UInt32>) -> Int32
    private typealias DeviceText =
        @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<CChar>, UInt32) -> Int32
    private typealias SystemText = @convention(c) (UnsafeMutablePointer<CChar>, UInt32) -> Int32
    private typealias Struct = @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer) -> Int32
    private typealias Action = @convention(c) () -> Int32
    private typealias Count = @convention(c) (UnsafeMutablePointer<UInt32>) -> Int32
    private typealias ByIndex = @convention(c) (UInt32, UnsafeMutablePointer<UnsafeMutableRawPointer?>) -> Int32
    private typealias ByAddress =
        @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<UnsafeMutableRawPointer?>) -> Int32

    /// nvmlPciInfo_t is 68 bytes, the texts at most 96: with room to spare.
    private static let scratchByteCount = 256

    private let library: UnsafeMutableRawPointer
    private let deviceByAddress: ByAddress?
    private let deviceByIndex: ByIndex?
    private let deviceName: DeviceText?
    private let pciInfo: Struct?
    private let utilization: Struct?
    private let memory: Struct?
    private let memoryWithReserve: Struct?
    private let temperature: KindOfNumber?
    private let clock: KindOfNumber?
    private let power: Number?
    private let powerLimit: Number?
    private let fan: Number?
    private let energy: LongNumber?
    private let throttleReasons: LongNumber?

    /// Loads and starts the library, which wakes no GPU. Throws what it answered, or that it is not there.
    init(path: String) throws(NvidiaFailure) {
        guard let library = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw NvidiaFailure(status: .libraryNotFound)
        }
        func find<Function>(_ name: String, as _: Function.Type) -> Function? {
            guard let symbol = unsafe dlsym(library, name) else { return nil }
            return unsafe unsafeBitCast(symbol, to: Function.self)
        }
        let start = find("nvmlInit_v2", as: Action.self)
        let status = NvidiaStatus(rawValue: start?() ?? NvidiaStatus.functionNotFound.rawValue)
        guard status == .success else {
            _ = unsafe dlclose(library)
            throw NvidiaFailure(status: status)
        }
        unsafe self.library = library
        unsafe deviceByAddress = find("nvmlDeviceGetHandleByPciBusId_v2", as: ByAddress.self)
        unsafe deviceByIndex = find("nvmlDeviceGetHandleByIndex_v2", as: ByIndex.self)
        unsafe deviceName = find("nvmlDeviceGetName", as: DeviceText.self)
        unsafe pciInfo = find("nvmlDeviceGetPciInfo_v3", as: Struct.self)
        unsafe utilization = find("nvmlDeviceGetUtilizationRates", as: Struct.self)
        unsafe memory = find("nvmlDeviceGetMemoryInfo", as: Struct.self)
        unsafe memoryWithReserve = find("nvmlDeviceGetMemoryInfo_v2", as: Struct.self)
        unsafe temperature = find("nvmlDeviceGetTemperature", as: KindOfNumber.self)
        unsafe clock = find("nvmlDeviceGetClockInfo", as: KindOfNumber.self)
        unsafe power = find("nvmlDeviceGetPowerUsage", as: Number.self)
        unsafe powerLimit = find("nvmlDeviceGetEnforcedPowerLimit", as: Number.self)
        unsafe fan = find("nvmlDeviceGetFanSpeed", as: Number.self)
        unsafe energy = find("nvmlDeviceGetTotalEnergyConsumption", as: LongNumber.self)
        // Its name since CUDA 12.4, and before.
        unsafe throttleReasons =
            find("nvmlDeviceGetCurrentClocksEventReasons", as: LongNumber.self)
            ?? find("nvmlDeviceGetCurrentClocksThrottleReasons", as: LongNumber.self)
    }

    deinit {
        if let symbol = unsafe dlsym(library, "nvmlShutdown") {
            _ = unsafe unsafeBitCast(symbol, to: Action.self)()
        }
        _ = unsafe dlclose(library)
    }

    // MARK: Devices

    /// The GPU at a PCI address. Wakes it if it sleeps.
    func device(at address: String) throws(NvidiaFailure) -> Device {
        var handle: UnsafeMutableRawPointer?
        let status = unsafe deviceByAddress?(address, &handle)
        try Self.check(status)
        return unsafe Device(handle: handle)
    }

    /// How many GPUs there are; for ``device(index:)``.
    var deviceCount: Int {
        var count: UInt32 = 0
        guard let symbol = unsafe dlsym(library, "nvmlDeviceGetCount_v2"),
            unsafe unsafeBitCast(symbol, to: Count.self)(&count) == 0
        else { return 0 }
        return Int(count)
    }

    /// The GPU of a number from 0 on. Wakes it if it sleeps.
    func device(index: Int) throws(NvidiaFailure) -> Device {
        var handle: UnsafeMutableRawPointer?
        let status = unsafe deviceByIndex?(UInt32(index), &handle)
        try Self.check(status)
        return unsafe Device(handle: handle)
    }

    private static func check(_ status: Int32?) throws(NvidiaFailure) {
        let status = NvidiaStatus(rawValue: status ?? NvidiaStatus.functionNotFound.rawValue)
        guard status == .success else { throw NvidiaFailure(status: status) }
    }

    // MARK: Texts

    var driverVersion: String? {
        guard let symbol = unsafe dlsym(library, "nvmlSystemGetDriverVersion") else { return nil }
        let function = unsafe unsafeBitCast(symbol, to: SystemText.self)
        return unsafe Self.text { unsafe function($0, UInt32(Self.scratchByteCount)) }
    }

    func name(of device: Device) -> String? {
        guard let deviceName = unsafe deviceName else { return nil }
        return unsafe Self.text { unsafe deviceName(device.handle, $0, UInt32(Self.scratchByteCount)) }
    }

    /// As the kernel writes it: "0000:01:00.0".
    func address(of device: Device) -> String? {
        guard let pciInfo = unsafe pciInfo else { return nil }
        // nvmlPciInfo_t: an old form of the address (16 bytes), five numbers, "00000000:01:00.0" (32 bytes).
        guard let info = unsafe Self.bytes({ unsafe pciInfo(device.handle, $0) }) else { return nil }
        let address = String(decoding: info[36..<68].prefix { $0 != 0 }, as: UTF8.self).lowercased()
        let isLong = address.utf8.count == 16 && address.hasPrefix("0000")
        return isLong ? String(address.dropFirst(4)) : address
    }

    private static func text(_ call: (UnsafeMutablePointer<CChar>) -> Int32) -> String? {
        unsafe bytes { unsafe call($0.assumingMemoryBound(to: CChar.self)) }.map {
            String(decoding: $0.dropLast().prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// What a call wrote; nil if it failed.
    private static func bytes(_ call: (UnsafeMutableRawPointer) -> Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: scratchByteCount)
        let status = unsafe bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return NvidiaStatus.functionNotFound.rawValue }
            return unsafe call(base)
        }
        return status == 0 ? bytes : nil
    }

    // MARK: Values

    /// Fills in the values of a GPU, which must not sleep. What fails stays unknown; throws if the GPU or the library
    /// is gone.
    func read(_ device: Device, into reading: inout GPUReading) throws(NvidiaFailure) {
        var last = NvidiaStatus.success
        func value(_ call: ((UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt32>) -> Int32)?) -> UInt64? {
            var value: UInt32 = 0
            guard let call = unsafe call, note(unsafe call(device.handle, &value)) else { return nil }
            return UInt64(value)
        }
        func long(_ call: LongNumber?) -> UInt64? {
            var value: UInt64 = 0
            guard let call = unsafe call, note(unsafe call(device.handle, &value)) else { return nil }
            return value
        }
        /// Whether the call succeeded.
        func note(_ status: Int32) -> Bool {
            if NvidiaFailure(status: NvidiaStatus(rawValue: status)).isLoss { last = NvidiaStatus(rawValue: status) }
            return status == 0
        }

        // nvmlTemperatureSensors_t: 0 is the GPU. nvmlClockType_t: 0 is its graphics clock, 2 the memory's.
        if let temperature = unsafe temperature {
            reading.celsius = unsafe value { unsafe temperature($0, 0, $1) }.map { Double($0) } ?? .nan
        }
        if let clock = unsafe clock {
            reading.coreHertz = unsafe value { unsafe clock($0, 0, $1) }.map { Double($0) * 1e6 } ?? .nan
            reading.memoryHertz = unsafe value { unsafe clock($0, 2, $1) }.map { Double($0) * 1e6 } ?? .nan
        }
        reading.watts = unsafe value(power).map { Double($0) / 1e3 } ?? .nan
        reading.powerLimitWatts = unsafe value(powerLimit).map { Double($0) / 1e3 } ?? .nan
        reading.fanRatio = GPUReading.ratio(percent: unsafe value(fan))
        reading.joulesTotal = unsafe long(energy).map { Double($0) / 1e3 } ?? .nan
        readUtilization(device, into: &reading)
        readMemory(device, into: &reading)
        let reasons = unsafe long(throttleReasons) ?? 0
        // nvmlClocksThrottleReason…: SwPowerCap 4, HwPowerBrakeSlowdown 80; SwThermalSlowdown 20, HwThermalSlowdown 40.
        reading.isPowerThrottled = reasons & 0x84 != 0
        reading.isThermalThrottled = reasons & 0x60 != 0
        // HwSlowdown.
        reading.isHardwareThrottled = reasons & 0x08 != 0
        if last != .success { throw NvidiaFailure(status: last) }
    }

    private func readUtilization(_ device: Device, into reading: inout GPUReading) {
        // nvmlUtilization_t: percentages of the GPU and of its memory.
        var shares: (UInt32, UInt32) = (0, 0)
        guard let utilization = unsafe utilization, unsafe utilization(device.handle, &shares) == 0 else { return }
        reading.busyRatio = GPUReading.ratio(percent: UInt64(shares.0))
        reading.memoryBusyRatio = GPUReading.ratio(percent: UInt64(shares.1))
    }

    private func readMemory(_ device: Device, into reading: inout GPUReading) {
        // nvmlMemory_v2_t: version (size and number), total, reserved, free, used.
        var detailed: (UInt32, UInt32, UInt64, UInt64, UInt64, UInt64) = (40 | 2 << 24, 0, 0, 0, 0, 0)
        if let memoryWithReserve = unsafe memoryWithReserve, unsafe memoryWithReserve(device.handle, &detailed) == 0 {
            reading.memoryTotalBytes = Double(detailed.2)
            reading.memoryUsedBytes = Double(detailed.5)
            return
        }
        // nvmlMemory_t: total, free, used with the reserve.
        var plain: (UInt64, UInt64, UInt64) = (0, 0, 0)
        guard let memory = unsafe memory, unsafe memory(device.handle, &plain) == 0 else { return }
        reading.memoryTotalBytes = Double(plain.0)
        reading.memoryUsedBytes = Double(plain.2)
    }
}

/// A call that did not succeed.
struct NvidiaFailure: Error, Equatable {
    var status: NvidiaStatus

    /// Whether the device, or the library with it, must be asked for anew.
    var isLoss: Bool { status == .uninitialized || status == .gpuIsLost || status == .resetRequired }
}
