internal import TelemetrySchema

/// One line of the message: a feature of a chip, and its texts.
struct SensorEntry {
    var chip: Int
    var feature: Int
    var id: Text
    var chipName: Text
    var label: Text
}

/// Which features are told, in order, under which names. Made anew only when the chips are listed again.
struct SensorEntries: ~Copyable {
    private var texts = TextArena(byteCapacity: 64)
    private(set) var all: [SensorEntry] = []
    /// By chip: whether anything of it is told. Others are not read, so that an owner can leave a disk in peace.
    private(set) var usedChips: [Bool] = []
    /// Beyond the most that is published.
    private(set) var suppressedCount = 0
    /// The text of nothing.
    private(set) var empty: Text

    init() { empty = texts.append("") }

    /// `names`: of the chips, unique.
    mutating func renew(_ chips: [ChipState], names: [String], _ filter: inout EntryFilter, countMax: Int) {
        all.removeAll()
        usedChips = Array(repeating: false, count: chips.count)
        suppressedCount = 0
        texts = TextArena(byteCapacity: Self.byteCount(chips, names))
        empty = texts.append("")
        for (place, state) in chips.enumerated() {
            let chipName = texts.append(names[place])
            for (index, feature) in state.chip.features.enumerated() where feature.isUseful {
                let id = "\(names[place])/\(feature.name)"
                guard filter.admits(id.utf8.span) else { continue }
                guard all.count < countMax else {
                    suppressedCount += 1
                    continue
                }
                usedChips[place] = true
                let label = texts.append(feature.label.isEmpty ? feature.name : feature.label)
                all.append(
                    SensorEntry(chip: place, feature: index, id: texts.append(id), chipName: chipName, label: label))
            }
        }
    }

    /// Room for all texts.
    private static func byteCount(_ chips: [ChipState], _ names: [String]) -> Int {
        var count = 1
        for (place, state) in chips.enumerated() {
            count += names[place].utf8.count + 1
            for feature in state.chip.features {
                let name = feature.name.utf8.count
                count += names[place].utf8.count + name + 2 + max(name, feature.label.utf8.count) + 1
            }
        }
        return count
    }

    /// Names for chips that differ, without control characters and without both kinds of quotes, which the filters of
    /// viewers could not tell.
    static func uniqueNames(_ chips: [SensorChip]) -> [String] {
        var counts: [String: Int] = [:]
        var taken: Set<String> = []
        return chips.map { chip in
            var text = ""
            for scalar in chip.name.unicodeScalars where scalar.properties.generalCategory != .control {
                text.unicodeScalars.append(scalar == "\"" ? "'" : scalar)
            }
            var name = text
            // A driver may call itself "x#2": count on until the name is free.
            while !taken.insert(name).inserted {
                counts[text, default: 1] += 1
                name = "\(text)#\(counts[text, default: 1])"
            }
            return name
        }
    }
}
