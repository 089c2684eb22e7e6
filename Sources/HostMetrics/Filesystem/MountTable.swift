internal import TelemetrySchema

/// The mounts of /proc/PID/mountinfo (proc_pid_mountinfo(5)) that may hold a filesystem somebody wants to watch.
package struct MountTable: Sendable {
    package struct Mount: Equatable, Sendable {
        /// The mount point as it is published: without the root's prefix, valid UTF-8.
        package var id: [UInt8]
        /// The mount point for system calls: with the root's prefix, bytes as they are.
        package var path: [UInt8]
        /// Valid UTF-8, as `type`.
        package var device: [UInt8]
        package var type: [UInt8]
        package var major: UInt32
        package var minor: UInt32
        /// Whether this is the whole filesystem, not a folder or file of it.
        package var isWhole: Bool
        package var isReadOnly: Bool
    }

    /// In the order of the file; of several on one mount point the last, which lies on top.
    package private(set) var mounts: [Mount] = []
    /// Lines that are no mount.
    package private(set) var parseErrorCount = 0
    /// Lines that were not looked at.
    package private(set) var suppressedCount = 0

    /// PATH_MAX, which no path that the kernel tells exceeds; names of filesystems have some letters.
    private static let pathByteCountMax = 4_096
    private static let typeByteCountMax = 64

    /// Where each mount point is among `mounts`.
    private var places: [[UInt8]: Int] = [:]
    private var isHidden: [Bool] = []

    package init() {}

    /// `rootfs` is where the root of the mounts' names is found; it is taken off those that have it already.
    package init(parsing text: Span<UInt8>, rootfs: String) {
        var root = Array(rootfs.utf8)
        while root.last == UInt8(ascii: "/") { root.removeLast() }
        var cursor = ByteCursor(text)
        var lineCount = 0
        while !cursor.isAtEnd {
            let line = cursor.line()
            guard !line.isEmpty else { continue }
            lineCount += 1
            guard lineCount <= Limits.mountCountMax else {
                suppressedCount += 1
                continue
            }
            guard let mount = Self.mount(parsing: line, root: root) else {
                parseErrorCount += 1
                continue
            }
            add(mount)
        }
        mounts = mounts.indices.filter { !isHidden[$0] && !Self.isExcluded(mounts[$0]) }.map { mounts[$0] }
        places = [:]
        isHidden = []
    }

    private mutating func add(_ mount: Mount) {
        if let hidden = places.updateValue(mounts.count, forKey: mount.id) { isHidden[hidden] = true }
        mounts.append(mount)
        isHidden.append(false)
    }

    /// The fields: mount and parent id, `major:minor`, root, mount point, options, any number of optional fields, a
    /// hyphen, type, source, options of the filesystem. The source may be empty.
    private static func mount(parsing line: Span<UInt8>, root prefix: [UInt8]) -> Mount? {
        guard let separator = separator(in: line) else { return nil }
        let fields = words(line.extracting(first: separator))
        let rest = splitAtBlanks(line.extracting(droppingFirst: separator + 3))
        guard fields.count >= 6, rest.count >= 3, let (major, minor) = device(parsing: fields[2]) else { return nil }
        let superOptions = rest[2]
        let isReadOnly =
            has("ro", in: fields[5]) || has("ro", in: superOptions) || has("emergency_ro", in: superOptions)
        let point = strip(prefix, from: unescaped(fields[4]))
        let source = unescaped(rest[1])
        let type = rest[0]
        guard max(point.count, source.count) <= pathByteCountMax, type.count <= typeByteCountMax else { return nil }
        return Mount(
            id: [UInt8](identifier: point.span), path: point == [UInt8(ascii: "/")] ? rootPath(prefix) : prefix + point,
            device: [UInt8](validUTF8: source.span), type: [UInt8](validUTF8: type.span),
            major: major, minor: minor, isWhole: unescaped(fields[3]) == [UInt8(ascii: "/")], isReadOnly: isReadOnly)
    }

    private static func rootPath(_ prefix: [UInt8]) -> [UInt8] { prefix.isEmpty ? [UInt8(ascii: "/")] : prefix }

    /// Where ` - ` begins.
    private static func separator(in line: Span<UInt8>) -> Int? {
        var cursor = ByteCursor(line)
        for offset in line.indices where line[offset] == 0x20 {
            cursor.move(to: offset)
            if cursor.skip(" - ") { return offset }
        }
        return nil
    }

    /// The parts between single blanks. Only these separate: the kernel escapes blanks, tabs and newlines in names,
    /// but no other white space.
    private static func splitAtBlanks(_ text: Span<UInt8>) -> [[UInt8]] {
        var parts: [[UInt8]] = [[]]
        for index in text.indices {
            if text[index] == 0x20 { parts.append([]) } else { parts[parts.count - 1].append(text[index]) }
        }
        return parts
    }

    private static func words(_ text: Span<UInt8>) -> [[UInt8]] { splitAtBlanks(text).filter { !$0.isEmpty } }

    private static func device(parsing text: [UInt8]) -> (major: UInt32, minor: UInt32)? {
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")),
            let major = text.span.extracting(first: colon).unsignedValue,
            let minor = text.span.extracting(droppingFirst: colon + 1).unsignedValue,
            let major = UInt32(exactly: major), let minor = UInt32(exactly: minor)
        else { return nil }
        return (major, minor)
    }

    /// `\ooo` made the byte it stands for.
    private static func unescaped(_ text: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "\\"), let byte = octal(text, at: index + 1) {
                bytes.append(byte)
                index += 4
            } else {
                bytes.append(text[index])
                index += 1
            }
        }
        return bytes
    }

    private static func octal(_ text: [UInt8], at start: Int) -> UInt8? {
        guard start + 3 <= text.count else { return nil }
        var value = 0
        for index in start..<start + 3 {
            guard text[index] >= UInt8(ascii: "0"), text[index] <= UInt8(ascii: "7") else { return nil }
            value = value * 8 + Int(text[index] - UInt8(ascii: "0"))
        }
        return UInt8(truncatingIfNeeded: value)
    }

    /// Whether `option` is one of the comma-separated `options`.
    private static func has(_ option: String, in options: [UInt8]) -> Bool {
        options.split(separator: UInt8(ascii: ",")).contains { $0.elementsEqual(option.utf8) }
    }

    private static func strip(_ prefix: [UInt8], from point: [UInt8]) -> [UInt8] {
        guard !prefix.isEmpty, point.starts(with: prefix) else { return point }
        if point.count == prefix.count { return [UInt8(ascii: "/")] }
        return point[prefix.count] == UInt8(ascii: "/") ? Array(point[prefix.count...]) : point
    }
}

/// What nobody wants to see, or what must not be touched.
extension MountTable {
    /// Kernel interfaces, images that are always full, and automount points: asking one of those mounts something.
    private static let excludedTypes: Set = [
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
        "erofs", "fusectl", "fuse.gvfsd-fuse", "fuse.lxcfs", "fuse.portal", "hugetlbfs", "iso9660", "mqueue", "nsfs",
        "proc", "pstore", "ramfs", "rootfs", "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs", "tracefs",
    ]
    private static let excludedPoints = ["/dev", "/proc", "/sys"]
    private static let excludedBelow =
        excludedPoints + [
            "/run/credentials", "/snap", "/var/lib/docker", "/var/lib/containers/storage", "/var/lib/kubelet/pods",
        ]

    private static func isExcluded(_ mount: Mount) -> Bool {
        let type = String(decoding: mount.type, as: UTF8.self)
        let point = String(decoding: mount.id, as: UTF8.self)
        if excludedTypes.contains(type) || (type == "overlay" && point != "/") { return true }
        return excludedPoints.contains(point) || excludedBelow.contains { point.hasPrefix($0 + "/") }
    }
}

extension MountTable.Mount {
    /// Filesystems whose answer takes another machine, or another process.
    private static let networkTypes: Set = [
        "9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2",
        "orangefs", "pvfs2", "smb3", "smbfs",
    ]

    package var isNetwork: Bool {
        let name = String(decoding: type, as: UTF8.self)
        return Self.networkTypes.contains(name) || name == "fuse" || name.hasPrefix("fuse.")
    }
}
