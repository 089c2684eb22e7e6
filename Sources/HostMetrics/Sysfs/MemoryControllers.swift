internal import Glibc

/// The folders of /sys/devices/system/edac/mc: memory controllers, and what memory is behind each.
package struct MemoryControllers: ~Copyable {
    /// A controller, or a part of its memory.
    package struct Node: Sendable {
        /// "mc0" or "mc0/dimm1".
        package var id: [UInt8]
        /// The same as a number.
        package var identity: UInt64
        package var kind: Kind
        /// The controller's kind or the slot's label.
        package var label: [UInt8]
        package var sizeBytes: Double
    }

    package struct Errors: Sendable {
        package var correctable: UInt64
        package var uncorrectable: UInt64
    }

    /// Kinds of folders, each with files of its own.
    package enum Kind: Int, Sendable {
        case controller, csrow, dimm, rank

        var folderPrefix: StaticString {
            switch self {
            case .controller: "mc"
            case .csrow: "csrow"
            case .dimm: "dimm"
            case .rank: "rank"
            }
        }
        var correctable: StaticString { self == .dimm || self == .rank ? "/dimm_ce_count" : "/ce_count" }
        var uncorrectable: StaticString { self == .dimm || self == .rank ? "/dimm_ue_count" : "/ue_count" }
        var size: StaticString { self == .dimm || self == .rank ? "/size" : "/size_mb" }
        var label: StaticString {
            switch self {
            case .controller: "/mc_name"
            case .csrow: "/ch0_dimm_label"
            case .dimm, .rank: "/dimm_label"
            }
        }
    }

    /// The kernel has room for 31 (EDAC_MC_LABEL_LEN).
    private static let labelByteCountMax = 64

    private let folder: String
    private var path: FilePath
    private let folderByteCount: Int
    private var reader = FileReader(byteCapacity: 256)
    private var watch: FolderWatch
    /// As of the last listing; nil: there was none that succeeded.
    private var fingerprint: Int?
    /// Each controller is followed by what is behind it.
    package private(set) var nodes: [Node] = []
    /// Folders beyond ``Limits/memoryNodeCountMax``.
    package private(set) var excessCount = 0
    private var parseErrorCount = 0

    package init(sysfs: String) throws(CollectError) {
        folder = "\(sysfs)/devices/system/edac/mc"
        path = FilePath("\(folder)/")
        folderByteCount = path.byteCount
        watch = FolderWatch(folder)
        try list()
        // The folder is there as soon as the driver's core is.
        if nodes.isEmpty { throw .open(errno: ENOENT) }
    }

    /// Looks for controllers and their memory anew. Allocates only when there are others than before.
    package mutating func list() throws(CollectError) {
        let before = fingerprint
        do throws(CollectError) {
            fingerprint = try watch.deepFingerprint(entryCountMax: .max)
            if fingerprint != before { try listAll() }
        } catch {
            fingerprint = nil
            nodes.removeAll(keepingCapacity: true)
            excessCount = 0
            throw error
        }
        for place in nodes.indices { renewDetails(of: place) }
    }

    private mutating func listAll() throws(CollectError) {
        nodes.removeAll(keepingCapacity: true)
        excessCount = 0
        for controller in try Self.folders(of: [.controller], in: folder) {
            let identity = controller.number << 40
            add(.controller, id: controller.name, identity)
            let path = "\(folder)/\(String(decoding: controller.name, as: UTF8.self))"
            for part in (try? Self.folders(of: [.csrow, .dimm, .rank], in: path)) ?? [] {
                let id = controller.name + [UInt8(ascii: "/")] + part.name
                add(part.kind, id: id, identity | UInt64(part.kind.rawValue) << 32 | part.number & 0xFFFF_FFFF)
            }
        }
    }

    private mutating func add(_ kind: Kind, id: [UInt8], _ identity: UInt64) {
        guard nodes.count < Limits.memoryNodeCountMax else {
            excessCount += 1
            return
        }
        nodes.append(Node(id: id, identity: identity, kind: kind, label: [], sizeBytes: .nan))
    }

    private mutating func renewDetails(of place: Int) {
        let sizeBytes = number(nodes[place].kind.size, of: place).map { Double($0) * 1_048_576 }
        nodes[place].sizeBytes = sizeBytes ?? .nan
        open(nodes[place].kind.label, of: place)
        // What cannot be read leaves no text behind.
        _ = reader.read(path)
        let known = nodes[place].label
        guard !reader.line.extracting(first: Self.labelByteCountMax).equals(known.span) else { return }
        let label = label()
        nodes[place].label = label
    }

    private func label() -> [UInt8] {
        let line = reader.line.extracting(first: Self.labelByteCountMax)
        return line.indices.map { line[$0] }
    }

    /// What a node counted; nil: it cannot be read.
    package mutating func errors(of place: Int) -> Errors? {
        guard let correctable = number(nodes[place].kind.correctable, of: place),
            let uncorrectable = number(nodes[place].kind.uncorrectable, of: place)
        else { return nil }
        return Errors(correctable: correctable, uncorrectable: uncorrectable)
    }

    /// The number in a file of a node's folder; nil: none.
    package mutating func number(_ leaf: StaticString, of place: Int) -> UInt64? {
        open(leaf, of: place)
        guard reader.read(path) else { return nil }
        let number = reader.line.unsignedValue
        if number == nil { parseErrorCount += 1 }
        return number
    }

    /// Files without a number since this was asked last.
    package mutating func takeParseErrorCount() -> Int {
        defer { parseErrorCount = 0 }
        return parseErrorCount
    }

    private mutating func open(_ leaf: StaticString, of place: Int) {
        let id = nodes[place].id
        path.replace(after: folderByteCount, with: id.span)
        path.replace(after: path.byteCount, with: leaf)
    }

    /// The folders whose names are a kind's prefix and a number, by kind and number.
    private static func folders(of kinds: [Kind], in path: String) throws(CollectError) -> [Folder] {
        var listing = try DirectoryListing(path: path)
        var folders: [Folder] = []
        listing.forEach { name in
            for kind in kinds {
                var cursor = ByteCursor(name)
                guard cursor.skip(kind.folderPrefix), let number = cursor.shortUnsigned() else { continue }
                folders.append(Folder(name: name.indices.map { name[$0] }, kind: kind, number: number))
            }
        }
        return folders.sorted { ($0.kind.rawValue, $0.number) < ($1.kind.rawValue, $1.number) }
    }

    private struct Folder {
        var name: [UInt8]
        var kind: Kind
        var number: UInt64
    }
}
