import HostMetrics
import Testing

struct DirectoryListingTests {
    private let root: TemporaryDirectory

    init() throws { root = try TemporaryDirectory() }

    private func names(_ listing: inout DirectoryListing) -> [String] {
        var names: [String] = []
        listing.forEach { name in names.append(String(decoding: name.indices.map { name[$0] }, as: UTF8.self)) }
        return names.sorted()
    }

    @Test func whatFillsTheBufferManyTimesIsListedWholly() throws {
        let long = String(repeating: "x", count: 255)
        let wanted = (100..<300).map { "entry-\($0)" } + [long]
        for name in wanted { try root.write("", to: "folder/" + name) }
        // Barely enough for the longest name.
        var listing = try DirectoryListing(path: root.path + "/folder", byteCapacity: 280)
        for _ in 0..<2 { #expect(names(&listing) == wanted) }
    }

    @Test func onlyFoldersAreFolders() throws {
        try root.write("", to: "file")
        try root.write("", to: "folder/file")
        var listing = try DirectoryListing(path: root.path)
        var count = 0
        listing.forEachFolder { name in
            if name.equals("folder") { count += 1 } else { Issue.record("not a folder") }
        }
        #expect(count == 1)
    }

    @Test func fingerprintsTellNamesApartInWhateverOrder() throws {
        for name in ["a/1", "a/2", "b/2", "b/1", "c/12", "d/1"] { try root.write("", to: name) }
        var listing = DirectoryListing()
        var prints: [Int] = []
        for name in ["a", "b", "c", "d"] {
            try listing.open(FilePath("\(root.path)/\(name)"))
            prints.append(listing.fingerprint())
        }
        #expect(prints[0] == prints[1] && Set(prints).count == 3)
    }

    @Test func noFolderHasNoNames() throws {
        try root.write("", to: "file")
        var listing = try DirectoryListing(path: root.path)
        for path in ["/nowhere", "/file"] {
            #expect(throws: CollectError.self) { try listing.open(FilePath(root.path + path)) }
            #expect(names(&listing).isEmpty)
        }
    }
}

struct SortInPlaceTests {
    @Test func numbersComeInOrder() {
        var random = SystemRandomNumberGenerator()
        for count in [0, 1, 2, 3, 10, 1_000] {
            var numbers = (0..<count).map { _ in UInt32.random(in: 0...500, using: &random) }
            let wanted = numbers.sorted()
            numbers.sortInPlace()
            #expect(numbers == wanted)
        }
    }
}
