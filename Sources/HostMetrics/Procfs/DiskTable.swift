/// The block devices of /proc/diskstats, each known again from reading to reading.
package struct DiskTable: KernelText {
    package struct Entry: Sendable {
        package var name: [UInt8]
        package var major: UInt32
        package var minor: UInt32
        /// Never given twice, not even to a device that comes under the name and numbers of another.
        package var identity: UInt64
        package var isPublished: Bool
        /// Nil where the device is not published.
        package var counters: DiskCounters?
        fileprivate var lastSeen: UInt64

        fileprivate func isNamed(_ other: Span<UInt8>) -> Bool { name.span.equals(other) }
    }

    /// In the order of the text.
    package private(set) var entries: [Entry] = []
    /// Another one whenever names came, went or moved.
    package private(set) var generation: UInt64 = 0
    /// Devices that came and went, but for those of the first reading.
    package private(set) var notes: [Note] = []
    package private(set) var parseErrorCount = 0
    /// Devices beyond ``Limits/diskCountMax``.
    package private(set) var excessCount = 0

    private var selection: DiskSelection
    private var reading: UInt64 = 0
    private var identityCount: UInt64 = 0
    /// Places of this reading's devices before they are brought into order.
    private var places: [Int] = []
    private var placesByName: [[UInt8]: Int] = [:]

    package init(_ selection: DiskSelection) { self.selection = selection }

    package mutating func parse(_ text: Span<UInt8>) {
        reading += 1
        notes = []
        parseErrorCount = 0
        excessCount = 0
        places.removeAll(keepingCapacity: true)
        let before = entries.count
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            parseLine(&cursor)
            cursor.skipLine()
        }
        if places.count != before || entries.count != before || !isInOrder { bringIntoOrder() }
    }

    private mutating func parseLine(_ cursor: inout ByteCursor) {
        cursor.skipBlanks()
        guard !cursor.isAtLineEnd else { return }
        guard case .value(let major) = cursor.unsigned(), case .value(let minor) = cursor.unsigned(),
            let major = UInt32(exactly: major), let minor = UInt32(exactly: minor)
        else {
            parseErrorCount += 1
            return
        }
        let name = cursor.token()
        guard !name.isEmpty, name.count <= Limits.diskNameByteCountMax else {
            parseErrorCount += 1
            return
        }
        let known = place(of: name)
        // Of a name that comes twice the first counts.
        if let known, entries[known].lastSeen == reading { return }
        let isPublished = known.map { entries[$0].isPublished } ?? selection.admits(name)
        var counters: DiskCounters?
        if isPublished {
            counters = DiskCounters(parsing: &cursor, parseErrorCount: &parseErrorCount)
            if counters == nil { return }
        }
        guard let place = known ?? add(name, major, minor, isPublished) else { return }
        if entries[place].major != major || entries[place].minor != minor { replace(place, major, minor) }
        entries[place].counters = counters
        entries[place].lastSeen = reading
        places.append(place)
    }

    /// Where the device was last time: behind the one before it, or anywhere.
    private func place(of name: Span<UInt8>) -> Int? {
        let expected = (places.last ?? -1) + 1
        if expected < entries.count, entries[expected].isNamed(name) { return expected }
        return placesByName[name.indices.map { name[$0] }]
    }

    private mutating func add(_ name: Span<UInt8>, _ major: UInt32, _ minor: UInt32, _ isPublished: Bool) -> Int? {
        guard entries.count < Limits.diskCountMax else {
            excessCount += 1
            return nil
        }
        let name = name.indices.map { name[$0] }
        identityCount += 1
        entries.append(
            Entry(
                name: name, major: major, minor: minor, identity: identityCount, isPublished: isPublished,
                counters: nil, lastSeen: reading))
        if isPublished { note(name, "appeared") }
        placesByName[name] = entries.count - 1
        return entries.count - 1
    }

    private mutating func replace(_ place: Int, _ major: UInt32, _ minor: UInt32) {
        entries[place].major = major
        entries[place].minor = minor
        identityCount += 1
        entries[place].identity = identityCount
        if entries[place].isPublished { note(entries[place].name, "was replaced by another device") }
    }

    private mutating func note(_ name: [UInt8], _ event: String) {
        guard reading > 1 else { return }
        notes.append(Note(.info, "\(String(decoding: name, as: UTF8.self)) \(event)"))
    }

    private var isInOrder: Bool {
        for index in places.indices where places[index] != index { return false }
        return true
    }

    private mutating func bringIntoOrder() {
        for entry in entries where entry.lastSeen != reading && entry.isPublished { note(entry.name, "vanished") }
        entries = places.map { entries[$0] }
        placesByName.removeAll(keepingCapacity: true)
        for place in entries.indices { placesByName[entries[place].name] = place }
        generation += 1
    }
}
