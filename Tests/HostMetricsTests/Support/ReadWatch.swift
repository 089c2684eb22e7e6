import Glibc

/// Tells which files of a tree were read: inotify(7).
final class ReadWatch {
    private let descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    /// Paths below the root, by watch.
    private var folders: [Int32: String] = [:]
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    deinit { close(descriptor) }

    /// `folder`: below `root`, without a symbolic link in it.
    func add(_ folder: String, below root: String) {
        let watch = unsafe inotify_add_watch(descriptor, "\(root)/\(folder)", UInt32(IN_ACCESS))
        if watch >= 0 { folders[watch] = folder }
    }

    /// The files of which bytes were read since this was asked last.
    func filesRead() -> Set<String> {
        var files: Set<String> = []
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return files }
            unsafe buffer.withUnsafeBytes { bytes in
                var offset = 0
                // struct inotify_event: wd, mask, cookie, len; then the name, filled up with zeros.
                while offset + 16 <= count {
                    let watch = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)
                    let length = Int(unsafe bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
                    if length > 0, let folder = folders[watch] {
                        let name = unsafe bytes[offset + 16..<offset + 16 + length].prefix { $0 != 0 }
                        files.insert("\(folder)/\(unsafe String(decoding: name, as: UTF8.self))")
                    }
                    offset += 16 + length
                }
            }
        }
    }
}
