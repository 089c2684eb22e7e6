/// The filesystems among the mounts: one entry per device, however often it is mounted.
struct MountedFilesystems {
    struct Filesystem {
        /// Its mounts, the one to show first.
        fileprivate var mounts: [(place: Int, mount: MountTable.Mount)]

        /// Where the shown mount stands in the file.
        var place: Int { mounts[0].place }
        var mount: MountTable.Mount { mounts[0].mount }
    }

    private(set) var filesystems: [Filesystem] = []

    /// `filter` and `typeFilter` are what the host's owner wants to see.
    init(_ table: MountTable, filter: inout EntryFilter, typeFilter: inout EntryFilter) {
        var places: [UInt64: Int] = [:]
        for (place, mount) in table.mounts.enumerated() {
            guard filter.admits(mount.id.span), typeFilter.admits(mount.type.span) else { continue }
            let device = UInt64(mount.major) << 32 | UInt64(mount.minor)
            if let known = places[device] {
                filesystems[known].mounts.append((place, mount))
            } else {
                places[device] = filesystems.count
                filesystems.append(Filesystem(mounts: [(place, mount)]))
            }
        }
        for index in filesystems.indices { filesystems[index].mounts.sort { Self.isBetter($0, $1) } }
        restoreOrder()
    }

    /// The root of the filesystem, then the shortest mount point, then the first.
    private static func isBetter(
        _ left: (place: Int, mount: MountTable.Mount), _ right: (place: Int, mount: MountTable.Mount)
    ) -> Bool {
        if left.mount.isWhole != right.mount.isWhole { return left.mount.isWhole }
        let (leftCount, rightCount) = (left.mount.id.count, right.mount.id.count)
        return leftCount == rightCount ? left.place < right.place : leftCount < rightCount
    }

    /// Leaves out the mounts that turned out to be single files; a filesystem may then be shown by another mount.
    mutating func removeShownMounts(of indices: [Int]) {
        for index in indices { filesystems[index].mounts.removeFirst() }
        filesystems.removeAll { $0.mounts.isEmpty }
        restoreOrder()
    }

    private mutating func restoreOrder() { filesystems.sort { $0.place < $1.place } }
}
