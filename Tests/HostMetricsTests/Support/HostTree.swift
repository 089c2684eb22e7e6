import Foundation
import Glibc

/// A host's files, which can be spoilt and mended while they are open, quickly.
final class HostTree {
    /// What `Fixtures/hosts` and ``ExtraSources`` have of a host.
    struct Content {
        /// One or two texts of each file: those of two moments.
        var texts: [String: [[UInt8]]] = [:]
        /// Destinations of symbolic links.
        var links: [String: String] = [:]

        init(_ name: String) throws {
            for snapshot in ["t0", "t1"] {
                try add(FixtureHost.folder.appendingPathComponent(name).appendingPathComponent(snapshot))
            }
            let hasGroups = texts["sys/fs/cgroup/cgroup.controllers"] != nil
            let groups = hasGroups || name.count % 2 == 0 ? ExtraSources.unifiedGroups : ExtraSources.legacyGroups
            for (path, text) in ExtraSources.files.merging(groups, uniquingKeysWith: { first, _ in first })
            where texts[path] == nil {
                texts[path] = [Array(text.utf8)]
            }
        }

        private mutating func add(_ folder: URL) throws {
            let manager = FileManager.default
            guard let paths = manager.enumerator(atPath: folder.path) else { return }
            for case let path as String in paths where path != "statfs.json" {
                let file = folder.appendingPathComponent(path)
                let attributes = try manager.attributesOfItem(atPath: file.path)
                switch attributes[.type] as? FileAttributeType {
                case .typeRegular?:
                    let isEmpty = attributes[.size] as? UInt64 == 0
                    texts[path, default: []].append(isEmpty ? [] : Array(try Data(contentsOf: file)))
                case .typeSymbolicLink?: links[path] = try manager.destinationOfSymbolicLink(atPath: file.path)
                default: break
                }
            }
        }
    }

    private enum State { case good, bad, missing, folder }

    /// The kernel's log: what is written goes behind what is there.
    private static let log = "dev/kmsg"

    let root: TemporaryDirectory
    /// In order, so that a seed chooses the same ones again.
    let paths: [String]
    private let content: Content
    private let watch = ReadWatch()
    private var states: [String: State] = [:]
    /// A folder that is not there for a while.
    private var gone: String?

    init(_ content: Content) throws {
        self.content = content
        root = try TemporaryDirectory(isLarge: true)
        paths = content.texts.keys.sorted()
        var folders: Set<String> = []
        for path in paths + content.links.keys {
            var folder = path[...]
            while let slash = folder.lastIndex(of: "/") {
                folder = folder[..<slash]
                guard folders.insert(String(folder)).inserted else { break }
            }
        }
        for folder in folders.sorted() {
            try FileManager.default.createDirectory(atPath: absolute(folder), withIntermediateDirectories: true)
        }
        for (path, destination) in content.links where content.texts[path] == nil {
            try? FileManager.default.createSymbolicLink(atPath: absolute(path), withDestinationPath: destination)
        }
        for path in paths { write(path == Self.log ? [] : text(of: path, 0), to: path) }
        for folder in folders.sorted() { watch.add(folder, below: root.path) }
    }

    private func absolute(_ path: String) -> String { "\(root.path)/\(path)" }

    /// The file's good text at one of two moments.
    func text(of path: String, _ moment: Int) -> [UInt8] {
        let texts = content.texts[path] ?? []
        return texts.isEmpty ? [] : texts[moment % texts.count]
    }

    var spoilt: [String] { paths.filter { states[$0, default: .good] != .good } }

    /// The files of which bytes were read since this was asked last.
    func filesRead() -> Set<String> { watch.filesRead() }

    func spoil(_ path: String, with text: [UInt8]) {
        states[path] = .bad
        write(text, to: path)
    }

    /// A descriptor that is open on the file reads nothing from now on.
    func remove(_ path: String, replacingByFolder: Bool) {
        guard path != Self.log else { return }
        write([], to: path)
        _ = unsafe unlink(absolute(path))
        states[path] = .missing
        if replacingByFolder, unsafe mkdir(absolute(path), 0o700) == 0 { states[path] = .folder }
    }

    func mend(_ path: String, moment: Int) {
        if states[path] == .folder { _ = unsafe rmdir(absolute(path)) }
        states[path] = nil
        if path != Self.log { write(text(of: path, moment), to: path) }
    }

    /// Takes the folder of a file away, as when a device goes; or brings it back.
    func takeAway(folderOf path: String) {
        guard gone == nil, let slash = path.lastIndex(of: "/") else { return }
        let folder = String(path[..<slash])
        // One of few files, not /proc itself.
        guard folder.count(where: { $0 == "/" }) >= 3 || folder == "proc/717" else { return }
        if unsafe rename(absolute(folder), absolute("gone")) == 0 { gone = folder }
    }

    func bringBack() {
        guard let folder = gone else { return }
        gone = nil
        _ = unsafe rename(absolute("gone"), absolute(folder))
    }

    /// In place, so that a descriptor that is open on the file sees the new bytes, as it does in /proc.
    private func write(_ text: [UInt8], to path: String) {
        if states[path] == .folder { _ = unsafe rmdir(absolute(path)) }
        let how = path == Self.log ? O_APPEND : O_TRUNC
        let descriptor = unsafe open(absolute(path), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0o600)
        // Its folder is gone.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        _ = unsafe text.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
