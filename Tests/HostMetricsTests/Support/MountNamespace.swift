import Foundation
import Glibc
import Synchronization

/// A thread with mounts of its own, which end with it: where a fixture can stand in the place of /sys.
struct MountNamespace {
    /// Whether this process may make one, which takes root's rights, and whether there is a sysfs to cover.
    static let isPossible: Bool = {
        do {
            try run { _ in }
            return unsafe access("/sys/class", F_OK) == 0 && access("/sys/devices", F_OK) == 0
        } catch { return false }
    }()

    /// Runs `body` on such a thread and waits for it. Threads that are started there see the same mounts.
    static func run(_ body: @escaping @Sendable (MountNamespace) throws -> Void) throws {
        let outcome = Outcome()
        let thread = Thread {
            let ended = Result {
                let namespace = try MountNamespace()
                try body(namespace)
            }
            outcome.end(ended)
        }
        thread.start()
        try outcome.wait()?.get()
    }

    private final class Outcome: Sendable {
        private let result = Mutex<Result<Void, any Error>?>(nil)
        private let done = DispatchSemaphore(value: 0)

        func end(_ result: Result<Void, any Error>) {
            self.result.withLock { $0 = result }
            done.signal()
        }

        func wait() -> Result<Void, any Error>? {
            done.wait()
            return result.withLock { $0 }
        }
    }

    private static let cloneNewNamespace: Int32 = 0x0002_0000
    private static let bind: UInt = 0x1000
    private static let recursivePrivate: UInt = 0x4000 | 0x4_0000

    private typealias Unshare = @convention(c) (Int32) -> Int32
    private typealias Mount =
        @convention(c) (
            UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?, UInt, UnsafeRawPointer?
        ) -> Int32

    /// What the library looks into for chips and for its configuration is covered; what it makes sure is sysfs, /sys
    /// itself, is not.
    private init() throws {
        // Glibc's module leaves out what needs _GNU_SOURCE.
        guard let unshare = unsafe dlsym(nil, "unshare") else { throw WireError(description: "unshare") }
        guard unsafe unsafeBitCast(unshare, to: Unshare.self)(Self.cloneNewNamespace) == 0 else {
            throw WireError(description: "unshare: errno \(errno)")
        }
        try Self.mount("none", "/", nil, Self.recursivePrivate)
        try Self.mount("tmpfs", "/etc", "tmpfs", 0)
    }

    /// Shows a fixture's devices to all that is started here.
    func show(_ sysfs: URL) throws {
        for part in ["class", "devices"] {
            try Self.mount(sysfs.appendingPathComponent(part).path, "/sys/\(part)", nil, Self.bind)
        }
    }

    /// Puts the fixture itself in the place of /sys, which then is no sysfs.
    func showOnOtherFileSystem(_ sysfs: URL) throws { try Self.mount(sysfs.path, "/sys", nil, Self.bind) }

    /// Makes this the configuration of libsensors.
    func configure(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: "/etc/sensors3.conf")) }

    private static func mount(_ source: String, _ target: String, _ type: String?, _ flags: UInt) throws {
        guard let mount = unsafe dlsym(nil, "mount") else { throw WireError(description: "mount") }
        let call = unsafe unsafeBitCast(mount, to: Mount.self)
        guard unsafe call(source, target, type, flags, nil) == 0 else {
            throw WireError(description: "mount \(target): errno \(errno)")
        }
    }
}
