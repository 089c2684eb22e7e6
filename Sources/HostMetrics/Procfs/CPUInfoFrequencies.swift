/// The lines `cpu MHz` of /proc/cpuinfo, which x86 kernels print.
package struct CPUInfoFrequencies: KernelText {
    private struct Entry {
        var id: UInt64
        var hertz: Double
    }

    private var entries: [Entry] = []
    /// Where the entry probably is that is asked for next.
    private var hint = 0
    package private(set) var parseErrorCount = 0

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    package mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        parseErrorCount = 0
        hint = 0
    }

    package mutating func parse(_ text: Span<UInt8>) {
        removeAll()
        var processor: UInt64?
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            let line = cursor.line()
            var colon = 0
            while colon < line.count, line[colon] != UInt8(ascii: ":") { colon += 1 }
            guard colon < line.count else {
                if line.trimmed.isEmpty { processor = nil }
                continue
            }
            let key = line.extracting(first: colon).trimmed
            let value = line.extracting(droppingFirst: colon + 1).trimmed
            if key.equals("processor") { processor = value.unsignedValue }
            if key.equals("cpu MHz"), let id = processor { add(id, value) }
        }
    }

    /// The first line of a processor counts.
    private mutating func add(_ id: UInt64, _ value: Span<UInt8>) {
        var cursor = ByteCursor(value)
        guard case .value(let megahertz) = cursor.decimal(), cursor.isAtEnd, megahertz > 0 else {
            parseErrorCount += 1
            return
        }
        // The kernel prints them in order.
        if let last = entries.last, last.id >= id, entries.contains(where: { $0.id == id }) { return }
        guard entries.count < NumberedEntries.countMax else { return }
        entries.append(Entry(id: id, hertz: megahertz * 1e6))
    }

    /// nil: not told.
    package mutating func hertz(of id: UInt32) -> Double? {
        for step in entries.indices {
            let place = (hint + step) % entries.count
            if entries[place].id == UInt64(id) {
                hint = place + 1
                return entries[place].hertz
            }
        }
        return nil
    }
}
