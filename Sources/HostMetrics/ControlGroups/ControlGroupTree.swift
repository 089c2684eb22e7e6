/// Looks through a tree of control groups, to a bounded depth and number. Allocates only to tell of what it found.
struct ControlGroupTree: ~Copyable {
    private var path: FilePath
    private var listing = DirectoryListing()
    /// The groups still to be looked into of each folder on the way down; each ends with a NUL.
    private var names: [UInt8] = []
    /// Paths from the root in the order in which they were found; each ends with a NUL.
    private var found: [UInt8] = []
    private var foundBefore: [UInt8] = []
    private var count = 0
    private let rootByteCount: Int
    /// Groups that were seen but not looked into.
    private(set) var suppressedCount = 0

    init(root: String) {
        path = FilePath(root)
        rootByteCount = path.byteCount
    }

    /// Paths from the root, which is `/`, in order.
    var paths: [[UInt8]] {
        found.split(separator: 0).map { Array($0) }.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Whether there are others than at the last call.
    mutating func refresh() -> Bool {
        swap(&found, &foundBefore)
        found.removeAll(keepingCapacity: true)
        found.append("/")
        found.append(0)
        count = 1
        let suppressedBefore = suppressedCount
        suppressedCount = 0
        path.replace(after: rootByteCount, with: "")
        visit(depth: 1)
        return found != foundBefore || suppressedCount != suppressedBefore
    }

    /// Looks into the folder that the path leads to.
    private mutating func visit(depth: Int) {
        guard (try? listing.open(path)) != nil else { return }
        let folderByteCount = path.byteCount
        let start = names.count
        listing.forEachFolder { name in
            for index in name.indices { names.append(name[index]) }
            names.append(0)
        }
        listing.close()
        let end = names.count
        var place = start
        while place < end {
            path.replace(after: folderByteCount, with: "/")
            while names[place] != 0 {
                path.append(names[place])
                place += 1
            }
            place += 1
            guard count < Limits.controlGroupCountMax, depth <= Limits.controlGroupDepthMax else {
                suppressedCount += 1
                continue
            }
            count += 1
            for index in rootByteCount..<path.byteCount { found.append(path[index]) }
            found.append(0)
            visit(depth: depth + 1)
        }
        names.removeLast(end - start)
    }
}
