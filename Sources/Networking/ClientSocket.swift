internal import Glibc
internal import Telemetry

/// A client's connection to a server, plain or by TLS, that never waits: its owner polls ``descriptor`` for
/// ``interest`` and then calls ``proceed(_:)``.
///
/// A write to a server that is gone raises no SIGPIPE.
package final class ClientSocket {
    /// What may wait for a server that does not read: it is given up then.
    package static let unsentByteCountMax = 1_024 * 1_024

    private enum Phase { case connecting, handshake, open }

    private let name: String
    private let host: String
    private let tls: TLSClientContext?
    private var addresses: [ServerAddress] = []
    private var socket: FileDescriptor
    private var phase: Phase
    private var session: TLSSession?
    /// What the socket did not take yet; ciphertext waits in the session.
    private var unsent: [UInt8] = []
    private var isBlocked = false
    private var buffer = [UInt8](repeating: 0, count: EventLoop.readByteCount)

    /// Looks the name up, which may take its time, and begins to connect to the first of its addresses; the others come
    /// next if that fails.
    package init(host: String, port: UInt16, tls: TLSClientContext? = nil) throws(SystemError) {
        self.host = host
        self.tls = tls
        name = "\(host.contains(":") ? "[\(host)]" : host):\(port)"
        addresses = try ServerAddress.all(of: host, port: port)
        socket = try Self.beginNext(&addresses, "connect to \(name)")
        phase = .connecting
    }

    /// Takes over a connected socket, such as one end of a socketpair(2).
    package init(adopting descriptor: Int32) throws(SystemError) {
        (host, name, tls) = ("", "the agent", nil)
        socket = try FileDescriptor(descriptor, "take over a socket")
        socket.setNonBlocking()
        phase = .open
    }

    package var descriptor: Int32 { socket.rawValue }

    /// What to poll for: POLLIN, POLLOUT.
    package var interest: Int16 {
        if phase == .connecting { return Int16(POLLOUT) }
        return Int16(isBlocked ? POLLIN | POLLOUT : POLLIN)
    }

    /// Sends now what the socket takes, and the rest with the next calls.
    package func send(_ bytes: [UInt8]) throws(SystemError) {
        unsent += bytes
        try flush()
        guard unsent.count + (session?.ciphertextByteCount ?? 0) <= Self.unsentByteCountMax else {
            throw SystemError("send to \(name)", code: ENOBUFS, reason: "it does not read what it is sent")
        }
    }

    /// Goes on as far as it can without waiting. `receive` gets what came, a helping at a time. False: the server has
    /// closed the connection.
    package func proceed(_ receive: (Span<UInt8>) -> Void) throws(SystemError) -> Bool {
        if phase == .connecting { try finishConnecting() }
        guard phase != .connecting else { return true }
        isBlocked = false
        let isOpen = try read(receive)
        try flush()
        return isOpen
    }

    // MARK: Connecting

    private static func beginNext(
        _ addresses: inout [ServerAddress], _ action: String
    ) throws(SystemError) -> FileDescriptor {
        var failure = SystemError(action, code: EADDRNOTAVAIL)
        while !addresses.isEmpty {
            do throws(SystemError) { return try addresses.removeFirst().beginConnecting(action) } catch {
                failure = error
            }
        }
        throw failure
    }

    private func finishConnecting() throws(SystemError) {
        var (code, length) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        var peer = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&peer, 1, 0) > 0 else { return }
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else {
            let action = "connect to \(name)"
            guard !addresses.isEmpty else { throw SystemError(action, code: code) }
            socket = try Self.beginNext(&addresses, action)
            return
        }
        // A message that waits for the acknowledgement of the last one goes up to 40 ms late.
        socket.setOption(Int32(IPPROTO_TCP), TCP_NODELAY, to: 1)
        guard let tls else {
            phase = .open
            return
        }
        guard let session = tls.makeSession(with: host) else { throw SystemError("speak TLS", code: ENOMEM) }
        self.session = session
        phase = .handshake
        _ = session.shakeHands()
    }

    // MARK: Receiving

    private func read(_ receive: (Span<UInt8>) -> Void) throws(SystemError) -> Bool {
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else {
            if errno == EAGAIN || errno == EINTR { return true }
            throw SystemError("receive from \(name)", code: errno)
        }
        guard count > 0 else {
            if phase == .handshake { throw tlsFault("it closed the connection") }
            return false
        }
        guard let session else {
            let bytes = buffer
            receive(bytes.span.extracting(..<count))
            return true
        }
        unsafe buffer.withUnsafeBytes { bytes in unsafe session.feed(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        }
        if phase == .handshake, session.shakeHands() { phase = .open }
        while session.phase == .established {
            let plainCount = unsafe buffer.withUnsafeMutableBytes { room in unsafe session.read(into: room) }
            guard plainCount > 0 else { break }
            let bytes = buffer
            receive(bytes.span.extracting(..<plainCount))
        }
        switch session.phase {
        case .handshake, .established: return true
        case .ended: return false
        case .refused: throw tlsFault(session.verificationFault ?? "it is no TLS server, or none that is safe")
        case .failed: throw tlsFault("it broke the rules of the protocol")
        }
    }

    private func tlsFault(_ reason: String) -> SystemError {
        SystemError("speak TLS with \(name)", code: EPROTO, reason: reason)
    }

    // MARK: Sending

    private func flush() throws(SystemError) {
        var failure: Int32 = 0
        func transmit(_ bytes: UnsafeRawBufferPointer) -> Int {
            while true {
                let count = unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
                if count >= 0 { return count }
                if errno == EINTR { continue }
                if errno == EAGAIN { isBlocked = true } else { failure = errno }
                return 0
            }
        }
        if let session {
            if phase == .open, !unsent.isEmpty {
                unsafe unsent.withUnsafeBytes { bytes in unsafe session.seal(bytes) }
                unsent = []
            }
            while !isBlocked, failure == 0, session.ciphertextByteCount > 0 {
                unsafe session.withCiphertext { bytes in unsafe transmit(bytes) }
            }
        } else if phase == .open {
            while !isBlocked, failure == 0, !unsent.isEmpty {
                unsent.removeFirst(unsafe unsent.withUnsafeBytes { bytes in unsafe transmit(bytes) })
            }
        }
        if failure != 0 { throw SystemError("send to \(name)", code: failure) }
    }
}

/// One address of a server.
private struct ServerAddress {
    private var family: Int32
    private var storage: sockaddr_storage
    private var length: socklen_t

    static func all(of host: String, port: UInt16) throws(SystemError) -> [Self] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = AI_NUMERICSERV
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &found)
        guard status == 0 else {
            throw SystemError(
                "resolve \(host)", code: EADDRNOTAVAIL, reason: unsafe String(cString: gai_strerror(status)))
        }
        defer { unsafe freeaddrinfo(found) }
        var addresses: [Self] = []
        var next = unsafe found
        while let info = unsafe next {
            var storage = sockaddr_storage()
            unsafe withUnsafeMutableBytes(of: &storage) { bytes in
                unsafe bytes.copyMemory(
                    from: UnsafeRawBufferPointer(
                        start: info.pointee.ai_addr, count: min(bytes.count, Int(info.pointee.ai_addrlen))))
            }
            unsafe addresses.append(
                Self(family: info.pointee.ai_family, storage: storage, length: info.pointee.ai_addrlen))
            unsafe next = info.pointee.ai_next
        }
        return addresses
    }

    /// A socket whose connection is under way.
    func beginConnecting(_ action: String) throws(SystemError) -> FileDescriptor {
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = try FileDescriptor(Glibc.socket(family, flags, 0), action)
        let result = unsafe withUnsafePointer(to: storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(descriptor.rawValue, address, length)
            }
        }
        guard result == 0 || errno == EINPROGRESS else { throw SystemError(action, code: errno) }
        return descriptor
    }
}
