/// All processes, with what each used since the scan before.
struct ProcessTable: ~Copyable {
    struct Entry {
        var id: UInt32
        var stat: ProcessStat
        /// Nil: not told.
        var io: ProcessIO?
        /// Whether the name is one that may be published.
        var isAdmitted: Bool
        /// NaN: not known.
        var cpuRatio = Double.nan
        var readBytesPerSecond = Double.nan
        var writeBytesPerSecond = Double.nan
    }

    /// By ascending process id.
    private(set) var entries: [Entry] = []
    /// Processes that were seen, but not read.
    private(set) var suppressedCount = 0
    private(set) var parseErrorCount = 0
    private var before: [Entry] = []
    private var ids: [UInt32] = []
    private var folder: DirectoryListing
    private(set) var files: ProcessFiles
    private var filter: EntryFilter
    private let tickHertz: Double

    init(host: Host, filter: EntryFilter) throws(CollectError) {
        folder = try DirectoryListing(path: host.procfs, byteCapacity: 32_768)
        files = ProcessFiles(procfs: host.procfs)
        self.filter = filter
        tickHertz = host.facts.userTickHertz
    }

    /// Reads all processes; `seconds` have gone by since the scan before, NaN: there is none to compare with.
    mutating func scan(seconds: Double) {
        listProcesses()
        parseErrorCount = 0
        swap(&before, &entries)
        entries.removeAll(keepingCapacity: true)
        var place = 0
        for id in ids {
            while place < before.count, before[place].id < id { place += 1 }
            guard var entry = entry(id) else { continue }
            let isKnown =
                place < before.count && before[place].id == id
                && before[place].stat.startTicks == entry.stat.startTicks
            if isKnown {
                addIO(&entry, mayRead: before[place].io != nil)
                entry.compare(with: before[place], seconds: seconds, tickHertz: tickHertz)
            } else {
                addIO(&entry, mayRead: true)
            }
            entries.append(entry)
        }
    }

    /// Reads a process again, so that ``files`` stands at its text; false: it is gone, or its number is another's.
    mutating func turn(to entry: Entry) -> Bool {
        files.open(entry.id)
        guard files.read("/stat"), let stat = ProcessStat(parsing: files.text) else { return false }
        return stat.startTicks == entry.stat.startTicks
    }

    /// Reads another file of the process last turned to.
    mutating func read(_ leaf: StaticString) -> Bool { files.read(leaf) }

    private mutating func listProcesses() {
        ids.removeAll(keepingCapacity: true)
        var found: [UInt32] = []
        swap(&found, &ids)
        var left = 0
        folder.forEach { name in
            guard name[0] >= UInt8(ascii: "1"), name[0] <= UInt8(ascii: "9"), let number = name.unsignedValue,
                let id = UInt32(exactly: number)
            else { return }
            if found.count < Limits.processCountMax { found.append(id) } else { left += 1 }
        }
        swap(&found, &ids)
        suppressedCount = left
        // The kernel lists them in order, a folder of files does not.
        for index in ids.indices.dropFirst() where ids[index - 1] > ids[index] {
            ids.sortInPlace()
            break
        }
    }

    private mutating func entry(_ id: UInt32) -> Entry? {
        files.open(id)
        guard files.read("/stat") else { return nil }
        guard let stat = ProcessStat(parsing: files.text) else {
            parseErrorCount += 1
            return nil
        }
        return Entry(id: id, stat: stat, io: nil, isAdmitted: Self.isAdmitted(files, &filter))
    }

    private static func isAdmitted(_ files: borrowing ProcessFiles, _ filter: inout EntryFilter) -> Bool {
        filter.admits(ProcessStat.name(in: files.text))
    }

    /// A process that once refused is not asked again.
    private mutating func addIO(_ entry: inout Entry, mayRead: Bool) {
        guard mayRead, files.read("/io") else { return }
        entry.io = ProcessIO(parsing: files.text)
    }
}

extension ProcessTable.Entry {
    fileprivate mutating func compare(with before: Self, seconds: Double, tickHertz: Double) {
        // Where a counter fell it was reset.
        if stat.cpuTicks >= before.stat.cpuTicks {
            cpuRatio = Double(stat.cpuTicks - before.stat.cpuTicks) / tickHertz / seconds
        }
        guard let io, let old = before.io else { return }
        if io.readBytes >= old.readBytes { readBytesPerSecond = Double(io.readBytes - old.readBytes) / seconds }
        if io.writeBytes >= old.writeBytes { writeBytesPerSecond = Double(io.writeBytes - old.writeBytes) / seconds }
    }
}
