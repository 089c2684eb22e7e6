internal import Glibc

/// A listening socket that the agent was started with, as systemd does it for a `.socket` unit.
package struct PassedSocket: Equatable, Sendable {
    package let descriptor: Int32
    /// The numeric address that it is bound to.
    package let host: String
    package let port: UInt16

    /// Looks at what `descriptor` is; anything but a TCP socket that listens is refused.
    package init(descriptor: Int32) throws(SystemError) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let action = "use descriptor \(descriptor) of LISTEN_FDS"
        let status = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe getsockname(descriptor, address, &length)
            }
        }
        guard status == 0 else { throw SystemError(action, code: errno) }
        guard [AF_INET, AF_INET6].contains(Int32(storage.ss_family)),
            Self.option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue),
            Self.option(SO_ACCEPTCONN, of: descriptor) == 1
        else {
            throw SystemError(
                action, code: EINVAL,
                reason: "it is no listening TCP socket; write ListenStream=ADDRESS:PORT into the .socket unit")
        }
        self.descriptor = descriptor
        host = Listener.text(of: storage, length)
        // At the same place in both families, in network order.
        port = unsafe withUnsafeBytes(of: &storage) { bytes in unsafe UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }
    }

    private static func option(_ name: Int32, of descriptor: Int32) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : -1
    }
}
