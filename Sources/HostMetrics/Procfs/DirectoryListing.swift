internal import Glibc

/// A directory, kept open and listed again without allocation.
@safe
package struct DirectoryListing: ~Copyable {
    private let handle: OpaquePointer

    package init(path: String) throws(CollectError) {
        guard let handle = unsafe opendir(path) else { throw .open(errno: errno) }
        unsafe self.handle = handle
    }

    deinit { unsafe _ = closedir(handle) }

    /// Calls `body` with each name but `.` and `..`, in the kernel's order.
    package mutating func forEach(_ body: (Span<UInt8>) -> Void) {
        unsafe rewinddir(handle)
        while let entry = unsafe readdir(handle) {
            unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
                let length = unsafe name.firstIndex(of: 0) ?? name.count
                let bytes = unsafe name.bindMemory(to: UInt8.self).span.extracting(first: length)
                if bytes.equals(".") || bytes.equals("..") { return }
                body(bytes)
            }
        }
    }

    /// Calls `body` with the name of each folder but `.` and `..`. Links are none; what the filesystem gives no type
    /// to may be one.
    package mutating func forEachFolder(_ body: (Span<UInt8>) -> Void) {
        unsafe rewinddir(handle)
        while let entry = unsafe readdir(handle) {
            let type = unsafe Int(entry.pointee.d_type)
            guard type == Int(DT_DIR) || type == Int(DT_UNKNOWN) else { continue }
            unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
                let length = unsafe name.firstIndex(of: 0) ?? name.count
                let bytes = unsafe name.bindMemory(to: UInt8.self).span.extracting(first: length)
                if bytes.equals(".") || bytes.equals("..") { return }
                body(bytes)
            }
        }
    }
}
