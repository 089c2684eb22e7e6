/// Looks through a tree of control groups, to a bounded depth and number.
struct ControlGroupTree {
    /// Paths from the root, which is `/`, in order.
    private(set) var paths: [[UInt8]] = []
    /// Groups that were seen but not looked into.
    private(set) var suppressedCount = 0

    init(root: String) {
        paths = [[UInt8(ascii: "/")]]
        visit(root, below: [], depth: 1)
        paths.sort { $0.lexicographicallyPrecedes($1) }
    }

    private mutating func visit(_ folder: String, below path: [UInt8], depth: Int) {
        guard var listing = try? DirectoryListing(path: folder) else { return }
        var names: [[UInt8]] = []
        listing.forEachFolder { name in names.append(name.indices.map { name[$0] }) }
        for name in names {
            guard paths.count < Limits.controlGroupCountMax, depth <= Limits.controlGroupDepthMax else {
                suppressedCount += 1
                continue
            }
            let child = path + [UInt8(ascii: "/")] + name
            paths.append(child)
            // A name that is no UTF-8 is shown, but what is below it is not found.
            visit("\(folder)/\(String(decoding: name, as: UTF8.self))", below: child, depth: depth + 1)
        }
    }
}
