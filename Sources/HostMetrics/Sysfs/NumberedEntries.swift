package import Telemetry
package import TelemetrySchema

/// The entries of a directory that are called `<prefix><number>`, such as CPUs, NUMA nodes or thermal zones, and the
/// files below them.
///
/// They are listed anew every 10 s only: to list costs more than to read. A file is opened for each reading, so that a
/// device that comes back is seen.
package struct NumberedEntries: ~Copyable {
    /// More than any machine has CPUs.
    package static let countMax = 8_192
    private static let lifetimeNanoseconds: UInt64 = 10_000_000_000

    private let directory: FilePath
    private let prefix: StaticString
    private var path: FilePath
    private let directoryByteCount: Int
    private var entryByteCount: Int
    private var listing = DirectoryListing()
    private var listedAt: Instant?
    private var leaf: [UInt8] = []

    /// Ascending.
    package private(set) var numbers: [UInt32] = []
    /// Of the entry that was selected.
    private var name: [UInt8] = []

    package init(directory: String, prefix: StaticString) {
        self.directory = FilePath(directory)
        self.prefix = prefix
        path = FilePath("\(directory)/")
        directoryByteCount = path.byteCount
        entryByteCount = directoryByteCount
        name.reserveCapacity(32)
        leaf.reserveCapacity(32)
    }

    /// Lists the directory if that was not done for 10 s; returns whether it was done now. No directory: no entries.
    @discardableResult
    package mutating func refresh(at time: Instant) -> Bool {
        if let listedAt, time >= listedAt, time.nanoseconds - listedAt.nanoseconds < Self.lifetimeNanoseconds {
            return false
        }
        listedAt = time
        list()
        return true
    }

    /// Has the directory listed at the next refresh, since an entry is no longer there.
    package mutating func forget() { listedAt = nil }

    private mutating func list() {
        listEntries()
        guard numbers.isEmpty else { return }
        // A directory that was removed and made again is another one.
        guard (try? listing.open(directory)) != nil else { return }
        listEntries()
    }

    private mutating func listEntries() {
        numbers.removeAll(keepingCapacity: true)
        listing.forEach { name in
            guard numbers.count < Self.countMax, let number = Self.number(in: name, after: prefix) else { return }
            numbers.append(number)
        }
        numbers.sortInPlace()
    }

    /// The number of up to five digits, as the kernel writes it.
    private static func number(in name: Span<UInt8>, after prefix: StaticString) -> UInt32? {
        var cursor = ByteCursor(name)
        guard cursor.skip(prefix) else { return nil }
        let digits = name.extracting(droppingFirst: cursor.offset)
        guard digits.count == 1 || digits.count <= 5 && cursor.next != UInt8(ascii: "0") else { return nil }
        return digits.unsignedValue.map { UInt32($0) }
    }

    /// Chooses the entry whose files are read next.
    package mutating func select(_ number: UInt32) {
        name.removeAll(keepingCapacity: true)
        name.append(prefix)
        name.append(decimal: number)
        name.append(UInt8(ascii: "/"))
        path.replace(after: directoryByteCount, with: name)
        name.removeLast()
        entryByteCount = path.byteCount
    }

    /// Name of the entry that was selected.
    package func appendName(to arena: inout TextArena) -> Text { arena.append(name.span) }

    /// Whether `filter` lets the entry through that was selected.
    package func isAdmitted(by filter: inout EntryFilter) -> Bool { filter.admits(name.span) }

    /// Whether the file of the entry could be read and has text, which `reader` then holds.
    package mutating func read(_ leaf: StaticString, with reader: inout FileReader) -> Bool {
        path.replace(after: entryByteCount, with: leaf)
        return reader.read(path)
    }

    /// As ``read(_:with:)``, of a file whose name ends with a number and more: `trip_point_0_temp`.
    package mutating func read(
        _ start: StaticString, _ number: UInt32, _ end: StaticString, with reader: inout FileReader
    ) -> Bool {
        choose(start, number, end)
        return reader.read(path)
    }

    package mutating func has(_ start: StaticString, _ number: UInt32, _ end: StaticString) -> Bool {
        choose(start, number, end)
        return path.exists
    }

    private mutating func choose(_ start: StaticString, _ number: UInt32, _ end: StaticString) {
        leaf.removeAll(keepingCapacity: true)
        leaf.append(start)
        leaf.append(decimal: number)
        leaf.append(end)
        path.replace(after: entryByteCount, with: leaf)
    }

    package mutating func has(_ leaf: StaticString) -> Bool {
        path.replace(after: entryByteCount, with: leaf)
        return path.exists
    }
}
