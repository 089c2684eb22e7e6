internal import TelemetrySchema

/// The devices of a class of sysfs, and their small files.
struct DeviceFolder: ~Copyable {
    private var path: FilePath
    private let folderByteCount: Int
    private var deviceByteCount = 0
    private var reader: FileReader
    private var listing = DirectoryListing()
    /// As of the last listing, sorted by their bytes.
    private var known: [[UInt8]] = []

    /// `waits`: see ``FileReader``.
    init(_ folder: String, waits: Bool = false) {
        path = FilePath("\(folder)/")
        folderByteCount = path.byteCount
        reader = FileReader(byteCapacity: 256, waits: waits)
    }

    /// The devices' names, sorted by their bytes. Allocates only when other devices are there than before.
    mutating func names() throws(CollectError) -> [[UInt8]] {
        if isUnchanged() { return known }
        // A folder that was removed and made again is another one.
        path.replace(after: folderByteCount, with: ".")
        try listing.open(path)
        var names: [[UInt8]] = []
        listing.forEach { name in names.append(name.indices.map { name[$0] }) }
        known = names.sorted { $0.lexicographicallyPrecedes($1) }
        return known
    }

    private mutating func isUnchanged() -> Bool {
        let known = known
        var count = 0
        var hasNew = false
        listing.forEach { name in
            count += 1
            if !known.contains(where: { name.equals($0.span) }) { hasNew = true }
        }
        return count > 0 && count == known.count && !hasNew
    }

    /// Turns to a device.
    mutating func open(_ name: [UInt8]) {
        path.replace(after: folderByteCount, with: name.span)
        deviceByteCount = path.byteCount
    }

    /// Whether a file of the device, "/type", could be read; ``line`` then is what is in it.
    mutating func read(_ leaf: StaticString) -> Bool {
        path.replace(after: deviceByteCount, with: leaf)
        return reader.read(path)
    }

    var line: Span<UInt8> {
        @_lifetime(borrow self) get { reader.line }
    }

    /// Appends it, at most so many bytes of it.
    func appendLine(to arena: inout TextArena, byteCountMax: Int) -> Text {
        reader.appendLine(to: &arena, byteCountMax: byteCountMax)
    }

    /// It as an unsigned number; nil: it is none.
    var unsignedValue: UInt64? { reader.line.unsignedValue }

    /// A copy of it.
    var lineBytes: [UInt8] {
        // Looked for once, not for each byte.
        let line = reader.line
        var bytes: [UInt8] = []
        for index in line.indices { bytes.append(line[index]) }
        return bytes
    }
}
