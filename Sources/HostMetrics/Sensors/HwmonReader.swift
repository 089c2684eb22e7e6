/// Reads chips from class/hwmon of any sysfs root (kernel documentation hwmon/sysfs-interface). Names them as
/// libsensors does; knows nothing of sensors3.conf.
package final class HwmonReader: SensorReader {
    private let folder: String
    /// Drivers answer when they please: a lane waits for them, not the collector.
    private var reader = FileReader(byteCapacity: 256, waits: true)
    private var leaf: [UInt8] = []
    private var path = FilePath("")
    /// By the chips' folders.
    private var readings: [String: Pair] = [:]

    /// What was read last of a chip and what was read before, by turns. Whoever has the one keeps it as it is, and has
    /// let go of the other, so that it is filled without a copy.
    private struct Pair {
        var next: ChipReading
        var last: ChipReading

        init(of chip: SensorChip) {
            next = ChipReading(of: chip)
            last = next
        }
    }

    /// Devices above each other at most; links that go round in a circle end here.
    private static let deviceDepthMax = 16

    package init(sysfs: String) { folder = "\(sysfs)/class/hwmon" }

    package func chips() -> [SensorChip]? {
        readings.removeAll()
        guard let names = HwmonFolder.names(in: folder) else { return nil }
        var chips: [SensorChip] = []
        var featureCount = 0
        for name in names.prefix(Limits.sensorChipCountMax) {
            guard let chip = chip(in: "\(folder)/\(name)", number: HwmonFolder.number(of: name)) else { continue }
            featureCount += chip.features.count
            guard featureCount <= Limits.sensorFeatureCountMax else { break }
            chips.append(chip)
        }
        return chips
    }

    private func chip(in path: String, number: Int) -> SensorChip? {
        // Drivers of the first generation keep everything with the device.
        for folder in [path, path + "/device"] {
            guard let driver = line(of: folder + "/name") else { continue }
            let features = features(in: folder)
            guard !features.isEmpty else { continue }
            let name = driver + suffix(ofChipIn: path)
            return SensorChip(name: name, driver: driver, path: folder, number: number, features: features)
        }
        return nil
    }

    private func suffix(ofChipIn path: String) -> String {
        var link = path + "/device"
        for _ in 0..<Self.deviceDepthMax {
            guard let device = DeviceLinks.destination(of: link) else { break }
            let suffix = ChipNaming.suffix(
                device: DeviceLinks.lastPart(of: device), subsystem: DeviceLinks.name(at: device + "/subsystem"))
            if let suffix { return suffix }
            link = device + "/device"
        }
        return "-virtual-0"
    }

    private func features(in folder: String) -> [SensorFeature] {
        var features: [Int: SensorFeature] = [:]
        guard var listing = try? DirectoryListing(path: folder) else { return [] }
        listing.forEach { name in
            guard let name = SensorAttributeName(name) else { return }
            let key = name.kind.rawValue * (Limits.sensorChannelMax + 1) + name.channel
            features[key, default: SensorFeature(name.kind, name.channel)].attributes.insert(name.attribute)
        }
        var sorted = features.values.sorted(by: SensorFeature.precedes)
        for index in sorted.indices {
            sorted[index].label = line(of: "\(folder)/\(sorted[index].name)_label") ?? ""
        }
        return sorted
    }

    /// The first line of a file; nil: there is no such file, or nothing in it.
    private func line(of path: String) -> String? {
        guard reader.read(FilePath(path)) else { return nil }
        var bytes: [UInt8] = []
        for index in reader.line.indices.prefix(Limits.labelByteCountMax) { bytes.append(reader.line[index]) }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    package func read(_ chip: SensorChip) -> ChipReading {
        // Chips that another reader lists come and go.
        if readings.count > Limits.sensorChipCountMax { readings.removeAll() }
        var pair = readings.removeValue(forKey: chip.path) ?? Pair(of: chip)
        if pair.next.features.count != chip.features.count { pair = Pair(of: chip) }
        swap(&pair.next, &pair.last)
        fill(&pair.last, chip)
        let result = pair.last
        readings[chip.path] = consume pair
        return result
    }

    private func fill(_ result: inout ChipReading, _ chip: SensorChip) {
        result.clear()
        path.replace(after: 0, with: chip.path.utf8.span)
        path.replace(after: path.byteCount, with: "/")
        let folderByteCount = path.byteCount
        for (index, feature) in chip.features.enumerated() where !feature.isComputed {
            leaf.removeAll(keepingCapacity: true)
            leaf.append(feature.kind.stem)
            leaf.append(decimal: UInt32(feature.channel))
            leaf.append("_")
            let stemByteCount = leaf.count
            for (place, suffix) in SensorAttributes.suffixes.enumerated() {
                let attribute = SensorAttributes(rawValue: 1 << UInt32(place))
                guard feature.attributes.contains(attribute) else { continue }
                leaf.removeLast(leaf.count - stemByteCount)
                leaf.append(suffix)
                path.replace(after: folderByteCount, with: leaf.span)
                guard reader.read(path) else { continue }
                guard let number = reader.line.signedValue else {
                    result.parseErrorCount += 1
                    continue
                }
                let isFlag = attribute == .fault || SensorAttributes.alarms.contains(attribute)
                result.features[index].set(place, isFlag ? number : number / feature.kind.scale)
            }
        }
    }
}

/// The folder of a host's chips.
package enum HwmonFolder {
    /// Its entries, by number; nil: there is no such folder.
    package static func names(in folder: String) -> [String]? {
        guard var listing = try? DirectoryListing(path: folder) else { return nil }
        var names: [String] = []
        listing.forEach { name in names.append(String(decoding: name.indices.map { name[$0] }, as: UTF8.self)) }
        return names.sorted { (number(of: $0), $0) < (number(of: $1), $1) }
    }

    /// "hwmon12" has 12; what has none comes last.
    package static func number(of name: String) -> Int {
        name.hasPrefix("hwmon") ? Int(name.dropFirst(5)) ?? .max : .max
    }
}
