internal import CLinux
internal import Glibc

/// What statfs(2) tells of a mounted filesystem.
package struct FileSystemStatistics: Equatable, Sendable {
    package var blockBytes: UInt64
    package var blockCount: UInt64
    /// Free for root, and for others.
    package var freeBlockCount: UInt64
    package var availableBlockCount: UInt64
    /// Inodes; 0: not counted.
    package var fileCount: UInt64
    package var freeFileCount: UInt64
    /// Whether the mount point is a folder; single files are mounted too, in containers.
    package var isDirectory: Bool

    package init(
        blockBytes: UInt64, blockCount: UInt64, freeBlockCount: UInt64, availableBlockCount: UInt64, fileCount: UInt64,
        freeFileCount: UInt64, isDirectory: Bool
    ) {
        self.blockBytes = blockBytes
        self.blockCount = blockCount
        self.freeBlockCount = freeBlockCount
        self.availableBlockCount = availableBlockCount
        self.fileCount = fileCount
        self.freeFileCount = freeFileCount
        self.isDirectory = isDirectory
    }

    /// Asks the kernel, which asks the filesystem: where that is a server or a process that is gone, this never
    /// returns. `path` has no NUL.
    package static func ofFileSystem(at path: [UInt8]) -> Result<FileSystemStatistics, ErrnoValue> {
        // On the stack, unless the path is very long.
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: path.count + 1) { name in
            for index in path.indices { unsafe name[index] = CChar(bitPattern: path[index]) }
            unsafe name[path.count] = 0
            guard let name = unsafe UnsafePointer(name.baseAddress) else { return .failure(ErrnoValue(code: EINVAL)) }
            var answer = statfs()
            var status = stat()
            while unsafe statfs(name, &answer) != 0 {
                guard errno == EINTR else { return .failure(ErrnoValue(code: errno)) }
            }
            // After statfs: a filesystem that did not answer that is not asked twice.
            let isFile = unsafe stat(name, &status) == 0 && status.st_mode & S_IFMT != S_IFDIR
            let unit = answer.f_frsize > 0 ? answer.f_frsize : answer.f_bsize
            return .success(
                FileSystemStatistics(
                    blockBytes: UInt64(max(0, unit)), blockCount: UInt64(answer.f_blocks),
                    freeBlockCount: UInt64(answer.f_bfree), availableBlockCount: UInt64(answer.f_bavail),
                    fileCount: UInt64(answer.f_files), freeFileCount: UInt64(answer.f_ffree), isDirectory: !isFile))
        }
    }
}
