internal import Telemetry

/// The groups that are published: the agent's own, and those that the host's owner includes by a pattern.
struct ControlGroupInventory: ~Copyable {
    struct Group {
        var paths: ControlGroupPaths
        /// The path as it is published.
        var id: [UInt8]
        /// Tells it from every other group there was.
        var serial: UInt64
        /// As of the last sample; nil: not told.
        var outOfMemoryKills: UInt64?
    }

    private static let periodNanoseconds: UInt64 = 10_000_000_000

    private var unified: UnifiedHierarchy?
    private var legacy: LegacyHierarchies?
    private var tree: ControlGroupTree
    /// The agent's own group as of the last look, and of this one.
    private var own = ControlGroupPaths(all: [UInt8(ascii: "/")])
    private var ownFound = ControlGroupPaths(all: [UInt8(ascii: "/")])
    private var filter: EntryFilter
    private var reader = FileReader()
    private let ownPath: FilePath
    private let entryCountMax: Int
    private var refreshedAt: UInt64?
    private var lastSerial: UInt64 = 0

    var groups: [Group] = []
    private(set) var suppressedCount = 0

    init(host: Host, settings: EntrySettings) throws(CollectError) {
        if let hierarchy = UnifiedHierarchy(sysfs: host.sysfs) {
            tree = ControlGroupTree(root: hierarchy.root)
            unified = consume hierarchy
        } else if let hierarchies = LegacyHierarchies(sysfs: host.sysfs, facts: host.facts) {
            tree = ControlGroupTree(root: hierarchies.root)
            legacy = consume hierarchies
        } else {
            throw .open(errno: ErrnoValue.noSuchFile.code)
        }
        filter = EntryFilter(settings)
        entryCountMax = settings.entryCountMax
        ownPath = FilePath("\(host.procfs)/self/cgroup")
    }

    var version: UInt32 {
        switch unified {
        case .some: 2
        case nil: 1
        }
    }

    mutating func read(_ group: Group) -> ControlGroupReading {
        if let reading = unified?.read(group.paths.name.span) { return reading }
        return legacy?.read(group.paths) ?? ControlGroupReading()
    }

    /// Looks for groups that came or went, now and then; returns whether the list is another now.
    mutating func refresh(at time: Instant) -> Bool {
        let now = time.nanoseconds
        if let refreshedAt, now >= refreshedAt, now - refreshedAt < Self.periodNanoseconds { return false }
        refreshedAt = now
        findOwn()
        let isTreeOther = !filter.admitsAll && tree.refresh()
        guard groups.isEmpty || ownFound != own || isTreeOther else { return false }
        own = ownFound
        var found = [(paths: own, id: Self.id(own))]
        var ids: Set = [found[0].id]
        suppressedCount = 0
        if !filter.admitsAll {
            suppressedCount = tree.suppressedCount
            for path in tree.paths where filter.admits(path.span) {
                let paths = ControlGroupPaths(all: path)
                let id = Self.id(paths)
                if ids.insert(id).inserted { found.append((paths, id)) }
            }
        }
        suppressedCount += max(0, found.count - entryCountMax)
        return update(found.prefix(entryCountMax))
    }

    private static func id(_ paths: ControlGroupPaths) -> [UInt8] {
        let name = paths.name
        return [UInt8](identifier: name.span)
    }

    private mutating func findOwn() {
        ownFound.reset()
        guard reader.read(ownPath) else { return }
        Self.find(&ownFound, in: reader, &unified, &legacy)
    }

    private static func find(
        _ paths: inout ControlGroupPaths, in reader: borrowing FileReader, _ unified: inout UnifiedHierarchy?,
        _ legacy: inout LegacyHierarchies?
    ) {
        legacy?.find(&paths, parsing: reader.text)
        let path = ControlGroupPath.unifiedPath(parsing: reader.text)
        if unified?.has(path) == true { paths.replaceAll(with: path) }
    }

    private mutating func update(_ found: ArraySlice<(paths: ControlGroupPaths, id: [UInt8])>) -> Bool {
        let isSame = groups.map(\.id) == found.map(\.id)
        let known = Dictionary(groups.map { ($0.id, $0) }) { first, _ in first }
        groups = found.map { paths, id in
            if var group = known[id] {
                group.paths = paths
                return group
            }
            lastSerial += 1
            return Group(paths: paths, id: id, serial: lastSerial, outOfMemoryKills: nil)
        }
        return !isSame
    }
}
