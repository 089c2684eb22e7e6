import Foundation
import Glibc
import Testing

let canMakeNamespaces = unsafe getuid() == 0 && access("/usr/sbin/ip", X_OK) == 0

/// A network namespace for the thread that a test runs on.
struct NetworkNamespace {
    private let home: Int32

    private static let cloneNewNet: Int32 = 0x4000_0000

    init() throws {
        home = unsafe open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        try #require(home >= 0)
        let result = try Self.call("unshare", Self.cloneNewNet)
        try #require(result == 0)
    }

    func leave() {
        let result = try? Self.callSetns(home, Self.cloneNewNet)
        #expect(result == 0)
        close(home)
    }

    func ip(_ arguments: String...) throws { try Self.run("/usr/sbin/ip", arguments) }

    /// What `ip -json` prints, in the namespace of this thread.
    static func json(_ arguments: String) throws -> [[String: Any]] {
        let folder = try TemporaryDirectory()
        try run("/bin/sh", ["-c", "exec /usr/sbin/ip -json \(arguments) > \(folder.path)/output"])
        let data = try Data(contentsOf: folder.url.appendingPathComponent("output"))
        return try #require(JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    }

    private static func run(_ path: String, _ arguments: [String]) throws {
        var process: pid_t = 0
        var pointers = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        let result = unsafe posix_spawn(&process, path, nil, nil, &pointers, environ)
        unsafe pointers.forEach { unsafe free($0) }
        try #require(result == 0)
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        try #require(status == 0, "\(path) \(arguments.joined(separator: " "))")
    }

    // Glibc's module leaves out what needs _GNU_SOURCE.
    private static func call(_ name: String, _ flags: Int32) throws -> Int32 {
        typealias Function = @convention(c) (Int32) -> Int32
        guard let symbol = unsafe dlsym(nil, name) else { throw WireError(description: name) }
        return unsafe unsafeBitCast(symbol, to: Function.self)(flags)
    }

    private static func callSetns(_ descriptor: Int32, _ flags: Int32) throws -> Int32 {
        typealias Function = @convention(c) (Int32, Int32) -> Int32
        guard let symbol = unsafe dlsym(nil, "setns") else { throw WireError(description: "setns") }
        return unsafe unsafeBitCast(symbol, to: Function.self)(descriptor, flags)
    }
}
