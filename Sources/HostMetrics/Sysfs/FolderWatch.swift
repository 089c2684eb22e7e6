/// Tells whether a folder, or one of those in it, has other entries than before, without allocation.
struct FolderWatch: ~Copyable {
    private var path: FilePath
    private let folderByteCount: Int
    private var folder = DirectoryListing()
    private var part = DirectoryListing()

    init(_ folder: String) {
        path = FilePath("\(folder)/")
        folderByteCount = path.byteCount
    }

    /// Of the entries' names. The folder is opened each time: one that was made again is another.
    mutating func fingerprint() throws(CollectError) -> Int {
        path.replace(after: folderByteCount, with: ".")
        try folder.open(path)
        defer { folder.close() }
        return folder.fingerprint()
    }

    /// Of them and of what is in those that are folders, or links to folders, as far as there are so many.
    mutating func deepFingerprint(entryCountMax: Int) throws(CollectError) -> Int {
        path.replace(after: folderByteCount, with: ".")
        try folder.open(path)
        defer { folder.close() }
        var sum = 0
        var count = 0
        folder.forEach { name in
            count += 1
            guard count <= entryCountMax else { return }
            var hasher = Hasher()
            hasher.combine(name)
            path.replace(after: folderByteCount, with: name)
            if (try? part.open(path)) != nil { hasher.combine(part.fingerprint()) }
            sum &+= hasher.finalize()
        }
        part.close()
        return sum
    }
}
