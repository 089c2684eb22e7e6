/// Reads files of devices by their paths, for collectors on threads of their own, which may allocate.
struct SysfsFiles: ~Copyable {
    private var reader = FileReader()
    private(set) var parseErrorCount = 0

    mutating func resetErrorCount() { parseErrorCount = 0 }

    static func exists(_ path: String) -> Bool { FilePath(path).exists }

    /// The names in a folder, sorted; none if there is no such folder.
    static func names(in folder: String) -> [String] {
        guard var listing = try? DirectoryListing(path: folder) else { return [] }
        var names: [String] = []
        listing.forEach { name in names.append(String(decoding: name.indices.map { name[$0] }, as: UTF8.self)) }
        return names.sorted()
    }

    /// The first line; nil if the file cannot be read or is empty.
    mutating func line(_ path: String) -> String? {
        guard reader.read(FilePath(path)) else { return nil }
        let line = reader.line
        return String(decoding: line.indices.prefix(Limits.labelByteCountMax).map { line[$0] }, as: UTF8.self)
    }

    /// The values of the lines `KEY=VALUE` of a uevent file.
    mutating func values(_ path: String, of keys: [String]) -> [String] {
        var values = [String](repeating: "", count: keys.count)
        guard reader.read(FilePath(path)) else { return values }
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
    mutating func unsigned(_ path: String) -> UInt64? {
        guard reader.read(FilePath(path)) else { return nil }
        if let value = reader.line.unsignedValue { return value }
        parseErrorCount += 1
        return nil
    }

    /// The same, for numbers that may be below zero.
    mutating func signed(_ path: String) -> Double? {
        guard reader.read(FilePath(path)) else { return nil }
        if let value = reader.line.signedValue { return value }
        parseErrorCount += 1
        return nil
    }

    /// The number times `unit`; NaN if there is none.
    mutating func value(_ path: String, unit: Double = 1) -> Double { unsigned(path).map { Double($0) * unit } ?? .nan }

    /// Parses the file; false if it cannot be read.
    mutating func read(_ path: String, into value: inout some KernelText & ~Copyable) -> Bool {
        guard reader.read(FilePath(path)) else { return false }
        reader.parse(into: &value)
        return true
    }
}
