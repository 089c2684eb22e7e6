/// Reads files of one device's folder after the other, for collectors on threads of their own.
///
/// What makes a `String` of a file allocates; nothing else does.
struct SysfsFiles: ~Copyable {
    private var reader = FileReader()
    private var listing = DirectoryListing()
    private var path = FilePath("")
    private var folderByteCount = 0
    private(set) var parseErrorCount = 0

    mutating func resetErrorCount() { parseErrorCount = 0 }

    /// Turns to a folder. Files are then named by what follows it, "/uevent".
    mutating func turn(to folder: String) {
        path.replace(after: 0, with: folder.utf8.span)
        folderByteCount = path.byteCount
    }

    mutating func exists(_ leaf: StaticString) -> Bool {
        path.replace(after: folderByteCount, with: leaf)
        return path.exists
    }

    /// The names in a folder, sorted; none if there is no such folder.
    mutating func names(_ leaf: StaticString = "") -> [String] {
        var names: [String] = []
        guard open(leaf) else { return names }
        listing.forEach { name in names.append(String(decoding: name.indices.map { name[$0] }, as: UTF8.self)) }
        listing.close()
        return names.sorted()
    }

    /// Tells the names in a folder from others; nil if there is no such folder.
    mutating func fingerprint(_ leaf: StaticString = "") -> Int? {
        guard open(leaf) else { return nil }
        defer { listing.close() }
        return listing.fingerprint()
    }

    private mutating func open(_ leaf: StaticString) -> Bool {
        path.replace(after: folderByteCount, with: leaf)
        return (try? listing.open(path)) != nil
    }

    /// Whether the file could be read and has text.
    private mutating func read(_ leaf: StaticString) -> Bool {
        path.replace(after: folderByteCount, with: leaf)
        return reader.read(path)
    }

    /// Adds the text of a file, or that there is none.
    mutating func hash(_ leaf: StaticString, into hasher: inout Hasher) {
        _ = read(leaf)
        hasher.combine(reader.text.count)
        hasher.combine(reader.text)
    }

    /// The first line; nil if the file cannot be read or is empty.
    mutating func line(_ leaf: StaticString) -> String? {
        guard read(leaf) else { return nil }
        let line = reader.line
        return String(decoding: line.indices.prefix(Limits.labelByteCountMax).map { line[$0] }, as: UTF8.self)
    }

    /// Whether a device sleeps (Documentation/ABI/testing/sysfs-devices-power), by its runtime_status. To read this
    /// wakes nothing.
    mutating func powerState(_ leaf: StaticString) -> GPUReading.State {
        // Without power management nothing sleeps.
        guard read(leaf) else { return .unknown }
        let status = reader.line
        // On its way to sleep or back it is left alone as well.
        if status.equals("suspended") || status.equals("suspending") || status.equals("resuming") { return .suspended }
        return status.equals("active") || status.equals("unsupported") ? .active : .unknown
    }

    /// The values of the lines `KEY=VALUE` of a uevent file.
    mutating func values(_ leaf: StaticString, of keys: [String]) -> [String] {
        var values = [String](repeating: "", count: keys.count)
        guard read(leaf) else { return values }
        var cursor = ByteCursor(reader.text)
        while !cursor.isAtEnd {
            let line = cursor.line()
            for (index, key) in keys.enumerated() {
                var rest = ByteCursor(line)
                guard rest.skip(key.utf8.span), rest.skip(byte: UInt8(ascii: "=")) else { continue }
                let value = rest.line()
                let places = value.indices.prefix(Limits.labelByteCountMax)
                values[index] = String(decoding: places.map { value[$0] }, as: UTF8.self)
            }
        }
        return values
    }

    /// The file's number; nil if the file cannot be read, or holds none, which is counted.
    mutating func unsigned(_ leaf: StaticString) -> UInt64? {
        guard read(leaf) else { return nil }
        if let value = reader.line.unsignedValue { return value }
        parseErrorCount += 1
        return nil
    }

    /// The same, for numbers that may be below zero.
    mutating func signed(_ leaf: StaticString) -> Double? {
        guard read(leaf) else { return nil }
        if let value = reader.line.signedValue { return value }
        parseErrorCount += 1
        return nil
    }

    /// The number times `unit`; NaN if there is none.
    mutating func value(_ leaf: StaticString, unit: Double = 1) -> Double {
        unsigned(leaf).map { Double($0) * unit } ?? .nan
    }

    /// Parses the file; false if it cannot be read.
    mutating func read(_ leaf: StaticString, into value: inout some KernelText & ~Copyable) -> Bool {
        guard read(leaf) else { return false }
        reader.parse(into: &value)
        return true
    }
}
