/// A tree of control groups, and the files of one group after the other.
///
/// Opened each time: kept open, the files of some hundred groups would take all descriptors that a process may have.
struct ControlGroupFiles: ~Copyable {
    private var path: FilePath
    private let rootByteCount: Int
    private var groupByteCount = 0
    private var reader = FileReader()

    /// Nil: there is no such tree.
    init?(root: String) {
        path = FilePath(root)
        rootByteCount = path.byteCount
        groupByteCount = rootByteCount
        guard path.exists else { return nil }
    }

    /// What was read last.
    var text: Span<UInt8> {
        @_lifetime(borrow self) get { reader.text }
    }

    /// Turns to a group by its path, which begins with a slash.
    mutating func turn(to group: Span<UInt8>) {
        path.replace(after: rootByteCount, with: group)
        groupByteCount = path.byteCount
    }

    /// Whether there is a group of that path.
    mutating func has(_ group: Span<UInt8>) -> Bool {
        // What the kernel tells of a group above the tree that is seen from here, as in containers: "/..", "/../other".
        var cursor = ByteCursor(group)
        guard !cursor.skip("/.."), cursor.skip("/") else { return false }
        turn(to: group)
        path.replace(after: groupByteCount, with: "/.")
        return path.exists
    }

    mutating func read(_ leaf: StaticString) -> Bool {
        path.replace(after: groupByteCount, with: leaf)
        return reader.read(path)
    }

    /// Reads a file and parses it; false: there is no such file, and nothing was parsed.
    mutating func read(_ leaf: StaticString, into value: inout some KernelText & ~Copyable) -> Bool {
        guard read(leaf) else { return false }
        reader.parse(into: &value)
        return true
    }

    /// The only number of a file; nil: no such file, or "max", which is no limit.
    mutating func number(_ leaf: StaticString) -> UInt64? {
        path.replace(after: groupByteCount, with: leaf)
        return reader.unsigned(path)
    }
}
