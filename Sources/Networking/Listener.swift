internal import Glibc

/// A socket that takes connections.
final class Listener {
    let descriptor: FileDescriptor
    /// The port that is really bound.
    let port: UInt16
    /// What its connections speak TLS with; nil: they are plain.
    let tls: TLSContext?

    /// Hundreds of clients that connect at once must not wait for the repeat of a lost SYN, which takes a second.
    private static let backlog: Int32 = 4_096

    private init(_ descriptor: consuming FileDescriptor, port: UInt16, tls: TLSContext?) {
        self.descriptor = descriptor
        self.port = port
        self.tls = tls
    }

    /// Binds every address of `host`, a name or a literal, to one port; 0 picks a free one.
    static func bind(host: String, port: UInt16, tls: TLSContext?) throws(SystemError) -> [Listener] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &found)
        guard status == 0 else {
            throw SystemError("resolve \(host)", code: errno, reason: unsafe String(cString: gai_strerror(status)))
        }
        defer { unsafe freeaddrinfo(found) }
        var listeners: [Listener] = []
        var failure: SystemError?
        var next = unsafe found
        while let address = unsafe next {
            do throws(SystemError) {
                unsafe listeners.append(
                    try Listener(address: address.pointee, port: listeners.first?.port, host: host, tls: tls))
            } catch {
                // A name may stand for addresses that this machine lacks, or twice for the same one.
                guard error.isAddressUnknown || !listeners.isEmpty && error.isAddressInUse else { throw error }
                failure = failure ?? error
            }
            unsafe next = address.pointee.ai_next
        }
        if listeners.isEmpty, let failure { throw failure }
        return listeners
    }

    /// `samePort` is the one that an earlier address of the host was given.
    private convenience init(
        address info: addrinfo, port samePort: UInt16?, host: String, tls: TLSContext?
    ) throws(SystemError) {
        var storage = sockaddr_storage()
        unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            unsafe bytes.copyMemory(
                from: UnsafeRawBufferPointer(start: info.ai_addr, count: min(bytes.count, Int(info.ai_addrlen))))
        }
        // The port stands at the same place in both families, in network order.
        func portBytes(_ storage: inout sockaddr_storage, set port: UInt16?) -> UInt16 {
            unsafe withUnsafeMutableBytes(of: &storage) { bytes in
                if let port {
                    unsafe bytes[2] = UInt8(truncatingIfNeeded: port >> 8)
                    unsafe bytes[3] = UInt8(truncatingIfNeeded: port)
                }
                return unsafe UInt16(bytes[2]) << 8 | UInt16(bytes[3])
            }
        }
        let asked = portBytes(&storage, set: samePort)
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let action = "listen on \(host) port \(asked)"
        let descriptor = try FileDescriptor(socket(unsafe info.ai_family, flags, 0), action)
        descriptor.setOption(SOL_SOCKET, SO_REUSEADDR, to: 1)
        if unsafe info.ai_family == AF_INET6 { descriptor.setOption(Int32(IPPROTO_IPV6), IPV6_V6ONLY, to: 1) }
        var length = unsafe info.ai_addrlen
        let result = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard unsafe Glibc.bind(descriptor.rawValue, address, length) == 0,
                    listen(descriptor.rawValue, Self.backlog) == 0
                else { return errno }
                return unsafe getsockname(descriptor.rawValue, address, &length) == 0 ? 0 : errno
            }
        }
        guard result == 0 else { throw SystemError(action, code: result) }
        self.init(descriptor, port: portBytes(&storage, set: nil), tls: tls)
    }

    /// Takes over a socket that listens already.
    convenience init(_ socket: PassedSocket, tls: TLSContext?) throws(SystemError) {
        let descriptor = try FileDescriptor(socket.descriptor, "use descriptor \(socket.descriptor)")
        descriptor.setNonBlocking()
        self.init(descriptor, port: socket.port, tls: tls)
    }

    enum Accepted: ~Copyable {
        case connection(FileDescriptor, address: String)
        case none
        /// The process or the system has no descriptor left.
        case outOfDescriptors
    }

    func accept() -> Accepted {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        while true {
            let result = unsafe withUnsafeMutablePointer(to: &storage) { storage in
                unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    unsafe Glibc.accept(descriptor.rawValue, address, &length)
                }
            }
            if let connection = try? FileDescriptor(result, "accept") {
                connection.setNonBlocking()
                _ = fcntl(connection.rawValue, F_SETFD, FD_CLOEXEC)
                // A message that waits for the acknowledgement of the last one comes up to 40 ms late.
                connection.setOption(Int32(IPPROTO_TCP), TCP_NODELAY, to: 1)
                return .connection(connection, address: Self.text(of: storage, length))
            }
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .outOfDescriptors
            default: return .none
            }
        }
    }

    /// The numeric address without the port.
    static func text(of storage: sockaddr_storage, _ length: socklen_t) -> String {
        var storage = storage
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = unsafe withUnsafePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe getnameinfo(address, length, &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
            }
        }
        guard status == 0 else { return "?" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
