internal import CLinux
internal import Glibc

/// A directory, listed again and again through one kept buffer and without allocation.
package struct DirectoryListing: ~Copyable {
    /// -1: none is open.
    private var descriptor: Int32 = -1
    private var buffer: [UInt8]

    /// What comes before the name of an entry: inode, offset, length of the whole, type (getdents(2)).
    private static let headByteCount = 19

    /// Of no directory, until one is opened.
    package init(byteCapacity: Int = 4_096) { buffer = Array(repeating: 0, count: byteCapacity) }

    package init(path: String, byteCapacity: Int = 4_096) throws(CollectError) {
        self.init(byteCapacity: byteCapacity)
        try open(FilePath(path))
    }

    deinit { if descriptor >= 0 { _ = Glibc.close(descriptor) } }

    /// Turns to another directory; when that fails there is none.
    package mutating func open(_ path: borrowing FilePath) throws(CollectError) {
        close()
        descriptor = unsafe path.withCString { unsafe Glibc.open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        if descriptor < 0 { throw .open(errno: errno) }
    }

    package mutating func close() {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }

    /// Calls `body` with each name but `.` and `..`, in the kernel's order.
    package mutating func forEach(_ body: (Span<UInt8>) -> Void) { forEachEntry { name, _ in body(name) } }

    /// Calls `body` with the name of each folder but `.` and `..`. Links are none; what the filesystem gives no type
    /// to may be one.
    package mutating func forEachFolder(_ body: (Span<UInt8>) -> Void) {
        forEachEntry { name, type in
            if type == Int(DT_DIR) || type == Int(DT_UNKNOWN) { body(name) }
        }
    }

    /// Tells one set of names from another, in whatever order they come. Holds for this process only.
    package mutating func fingerprint() -> Int {
        var sum = 0
        forEach { name in
            var hasher = Hasher()
            hasher.combine(name)
            sum &+= hasher.finalize()
        }
        return sum
    }

    private mutating func forEachEntry(_ body: (_ name: Span<UInt8>, _ type: Int) -> Void) {
        // No stream of the C library: that would bring a buffer of 32 KiB each time one is opened.
        guard descriptor >= 0, lseek(descriptor, 0, SEEK_SET) == 0 else { return }
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe getdents64(descriptor, bytes.baseAddress, bytes.count)
            }
            guard count > 0 else { return }
            var entries = buffer.span.extracting(first: count)
            while entries.count > Self.headByteCount {
                let byteCount = unsafe entries.bytes.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt16.self)
                let end = max(Self.headByteCount, min(Int(byteCount), entries.count))
                var nameEnd = Self.headByteCount
                while nameEnd < end, entries[nameEnd] != 0 { nameEnd += 1 }
                let name = entries.extracting(Self.headByteCount..<nameEnd)
                if !name.equals("."), !name.equals("..") { body(name, Int(entries[Self.headByteCount - 1])) }
                entries = entries.extracting(droppingFirst: end)
            }
        }
    }
}
