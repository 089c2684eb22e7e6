internal import CSensors
internal import Glibc
internal import Synchronization

/// Reads this machine's chips by libsensors(3), which applies the labels, rules and exceptions of sensors3.conf.
///
/// The library keeps its state in globals and knows no threads: whoever holds this object owns the library, and uses
/// it from one thread only.
@safe
package final class SensorsLibrary: SensorReader {
    /// What the library needs to read a chip: gone when the chips are listed again.
    @safe
    private struct Handle {
        let chip: SensorChip
        let name: UnsafePointer<sensors_chip_name>
        /// Numbers of the subfeatures, by feature and the place of the attribute's bit; negative: there is none.
        let numbers: [[Int32]]
    }

    private static let isTaken = Atomic(false)

    private var handles: [String: Handle] = [:]
    private var isOpen = false

    /// The library; nil: somebody else has it.
    package static func claim() -> SensorsLibrary? {
        guard isTaken.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged else {
            return nil
        }
        return SensorsLibrary()
    }

    private init() { sensors_survive_fatal_errors() }

    deinit {
        if isOpen { sensors_cleanup() }
        Self.isTaken.store(false, ordering: .releasing)
    }

    package func chips() -> [SensorChip]? {
        handles.removeAll()
        if isOpen { sensors_cleanup() }
        // It wants /sys to be a sysfs; where that fails it cleans up by itself. Lines of sensors3.conf that it does not
        // understand it tells on standard error, and reads on.
        isOpen = sensors_init(nil) == 0
        guard isOpen else { return nil }
        let rules = ComputeRules.ofThisMachine()
        var chips: [SensorChip] = []
        var place: Int32 = 0
        var featureCount = 0
        while chips.count < Limits.sensorChipCountMax, let name = unsafe sensors_get_detected_chips(nil, &place) {
            guard let handle = unsafe handle(for: name, rules) else { continue }
            featureCount += handle.chip.features.count
            guard featureCount <= Limits.sensorFeatureCountMax else { break }
            handles[handle.chip.path] = handle
            chips.append(handle.chip)
        }
        return chips.sorted(by: SensorChip.precedes)
    }

    private func handle(for name: UnsafePointer<sensors_chip_name>, _ rules: ComputeRules) -> Handle? {
        guard let path = unsafe name.pointee.path, let driver = unsafe name.pointee.prefix else { return nil }
        var printed = [CChar](repeating: 0, count: 256)
        let count = unsafe sensors_snprintf_chip_name(&printed, printed.count, name)
        guard count > 0, count < printed.count else { return nil }
        let computed = unsafe rules.features(of: name)
        var features: [(feature: SensorFeature, numbers: [Int32])] = []
        var place: Int32 = 0
        while let feature = unsafe sensors_get_features(name, &place) {
            if let found = unsafe self.feature(feature, of: name, computed) { features.append(found) }
        }
        guard !features.isEmpty else { return nil }
        features.sort { SensorFeature.precedes($0.feature, $1.feature) }
        let folder = unsafe String(cString: path)
        let chip = SensorChip(
            name: String(decoding: printed[..<Int(count)].map { UInt8(bitPattern: $0) }, as: UTF8.self),
            driver: unsafe String(cString: driver), path: folder, number: Self.hwmonNumber(in: folder),
            features: features.map(\.feature))
        return unsafe Handle(chip: chip, name: name, numbers: features.map(\.numbers))
    }

    private func feature(
        _ feature: UnsafePointer<sensors_feature>, of chip: UnsafePointer<sensors_chip_name>, _ computed: Set<String>
    ) -> (SensorFeature, [Int32])? {
        var result: SensorFeature?
        var numbers = [Int32](repeating: -1, count: SensorAttributes.suffixes.count)
        var place: Int32 = 0
        while let part = unsafe sensors_get_all_subfeatures(chip, feature, &place) {
            guard let text = unsafe part.pointee.name else { continue }
            let bytes = unsafe Array(String(cString: text).utf8)
            guard let name = SensorAttributeName(bytes.span) else { continue }
            if result == nil { result = SensorFeature(name.kind, name.channel) }
            result?.attributes.insert(name.attribute)
            numbers[name.attribute.rawValue.trailingZeroBitCount] = unsafe part.pointee.number
        }
        guard var result else { return nil }
        result.isComputed = computed.contains(result.name)
        if let label = unsafe sensors_get_label(chip, feature) {
            result.label = unsafe String(cString: label)
            unsafe free(label)
        }
        return (result, numbers)
    }

    /// Of "/sys/class/hwmon/hwmon3" or "/sys/class/hwmon/hwmon3/device".
    private static func hwmonNumber(in path: String) -> Int {
        path.split(separator: "/").last { $0.hasPrefix("hwmon") }.map { HwmonFolder.number(of: String($0)) } ?? .max
    }

    package func read(_ chip: SensorChip) -> ChipReading {
        var result = ChipReading(of: chip)
        guard let handle = handles[chip.path], handle.chip == chip else { return result }
        for (index, numbers) in handle.numbers.enumerated() {
            for (place, number) in numbers.enumerated() where number >= 0 {
                var value = Double.nan
                // The library takes "nan" and "inf" for numbers.
                guard unsafe sensors_get_value(handle.name, number, &value) == 0, value.isFinite else { continue }
                result.features[index].set(place, value)
            }
        }
        return result
    }
}

extension ComputeRules {
    /// The features of a chip that have a rule.
    fileprivate func features(of chip: UnsafePointer<sensors_chip_name>) -> Set<String> {
        var features: Set<String> = []
        for section in sections where section.chips.contains(where: { unsafe Self.matches(chip, $0) }) {
            features.formUnion(section.features)
        }
        return features
    }

    /// By the library's own idea of patterns.
    private static func matches(_ chip: UnsafePointer<sensors_chip_name>, _ pattern: String) -> Bool {
        var parsed = unsafe sensors_chip_name()
        guard unsafe sensors_parse_chip_name(pattern, &parsed) == 0 else { return false }
        defer { unsafe sensors_free_chip_name(&parsed) }
        var place: Int32 = 0
        while let found = unsafe sensors_get_detected_chips(&parsed, &place) {
            if unsafe found == chip { return true }
        }
        return false
    }
}
