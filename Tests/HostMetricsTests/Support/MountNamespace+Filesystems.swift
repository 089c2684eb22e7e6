import Glibc
import Testing

/// Filesystems that come, go and hang where nobody else sees them.
extension MountNamespace {
    static let canMountFilesystems = unsafe isPossible && access("/dev/fuse", W_OK) == 0

    /// Shows what is mounted here, not what is mounted elsewhere, as the mounts of process 1.
    func showOwnMounts() throws {
        try mount("/proc/thread-self/mountinfo", on: "/proc/1/mountinfo", type: "", flags: 0x1000)
    }

    func mount(_ source: String, on target: String, type: String, flags: UInt = 0, options: String = "") throws {
        let result = unsafe Glibc.mount(source, target, type, flags, options)
        try #require(result == 0, "mount \(target): errno \(errno)")
    }

    func unmount(_ target: String) { _ = unsafe umount2(target, 2) }

    /// A filesystem whose process never answers, not even to the greeting: what is asked of it hangs until the
    /// descriptor that this returns is closed.
    func mountSilent(on target: String) throws -> Int32 {
        let descriptor = unsafe open("/dev/fuse", O_RDWR | O_CLOEXEC)
        try #require(descriptor >= 0)
        try mount(
            "silent", on: target, type: "fuse.silent",
            options: "fd=\(descriptor),rootmode=40000,user_id=0,group_id=0")
        return descriptor
    }
}
