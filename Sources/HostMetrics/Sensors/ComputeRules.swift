/// Which features have a `compute` rule in sensors3.conf, which the library applies but does not tell of.
package struct ComputeRules {
    /// A section of the file: the chips it is for, and the features that it has rules for.
    package struct Section: Equatable {
        package var chips: [String]
        package var features: Set<String>

        package init(chips: [String], features: Set<String> = []) {
            self.chips = chips
            self.features = features
        }
    }

    private(set) var sections: [Section] = []

    /// What the library reads (sensors.conf(5)).
    static func ofThisMachine() -> ComputeRules {
        var reader = FileReader()
        var rules = ComputeRules()
        for path in ["/etc/sensors3.conf", "/etc/sensors.conf"] where reader.read(FilePath(path)) {
            rules.add(reader.text)
            break
        }
        for name in HwmonFolder.names(in: "/etc/sensors.d") ?? [] where !name.hasPrefix(".") {
            if reader.read(FilePath("/etc/sensors.d/\(name)")) { rules.add(reader.text) }
        }
        return rules
    }

    private mutating func add(_ text: Span<UInt8>) { sections += Self.sections(of: text) }

    /// The sections that have such rules.
    package static func sections(of text: Span<UInt8>) -> [Section] {
        var sections: [Section] = []
        var section: Section?
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let words = words(of: cursor.line())
            if words.first == "chip" {
                if let section, !section.features.isEmpty { sections.append(section) }
                section = Section(chips: Array(words.dropFirst()))
            } else if words.first == "compute", words.count > 1 {
                section?.features.insert(words[1])
            }
        }
        if let section, !section.features.isEmpty { sections.append(section) }
        return sections
    }

    /// Words are parted by blanks or quoted; "#" begins a comment.
    private static func words(of line: Span<UInt8>) -> [String] {
        var words: [String] = []
        var word: [UInt8] = []
        var isQuoted = false
        for index in line.indices {
            let byte = line[index]
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if isQuoted || !ByteCursor.isBlank(byte) && byte != UInt8(ascii: "#") {
                word.append(byte)
                continue
            }
            if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
            word.removeAll()
            if byte == UInt8(ascii: "#"), !isQuoted { break }
        }
        if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
        return words
    }
}
