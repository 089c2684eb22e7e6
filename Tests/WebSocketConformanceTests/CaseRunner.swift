import Foundation

extension Case {
    private static let handshake = Array(
        """
        GET / HTTP/1.1\r
        Host: localhost\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        Sec-WebSocket-Protocol: echo\r
        \r\n
        """.utf8)

    /// Plays the case against a server; returns what is wrong, or nil.
    ///
    /// All is sent before anything is read: a server may not wait for a client to take its echo.
    func failure(port: UInt16, seconds: Int = 10) -> String? {
        guard let socket = TestSocket(port: port, seconds: seconds) else { return "no connection" }
        guard socket.send(Self.handshake), let head = socket.receiveHead() else { return "no answer to the handshake" }
        guard head.hasPrefix("HTTP/1.1 101 ") else { return "the handshake is answered with \(head)" }
        for write in cutIntoWrites() where !socket.send(write) { return "the server takes no more" }
        let expected = received.flatMap { $0.bytes(mask: []) }
        let (stream, hasEnded) = socket.receiveToEnd(expecting: expected.count)
        guard isEqual(stream, expected) else { return difference(stream, expected) }
        return hasEnded ? nil : "the stream did not end within \(seconds) s"
    }

    private func cutIntoWrites() -> [ArraySlice<UInt8>] {
        let frames = sent.enumerated().map { index, frame in
            // Another mask for each frame, as a client must choose them.
            frame.bytes(mask: (0..<4).map { UInt8(truncatingIfNeeded: 0x37 + 61 * index + 89 * $0) })
        }
        if case .frameByFrame = writes { return frames.map { $0[...] } }
        var bytes: [UInt8] = []
        for frame in frames { bytes += frame }
        guard case .octets(let count) = writes else { return [bytes[...]] }
        return stride(from: 0, to: bytes.count, by: count).map { bytes[$0..<min(bytes.count, $0 + count)] }
    }
}

/// In one go: element by element a debug build takes seconds for megabytes.
private func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    unsafe left.count == right.count && memcmp(left, right, left.count) == 0
}

private func difference(_ stream: [UInt8], _ expected: [UInt8]) -> String {
    let place = zip(stream, expected).prefix { $0 == $1 }.count
    func text(_ bytes: [UInt8]) -> String {
        guard place < bytes.count else { return "the end" }
        return bytes[place...].prefix(16).map { String(UInt32($0) | 0x100, radix: 16).dropFirst() }.joined()
    }
    return "after \(place) bytes \(text(stream)) instead of \(text(expected))"
}

/// A blocking client's socket whose writes leave at once.
private final class TestSocket {
    private let descriptor: Int32

    init?(port: UInt16, seconds: Int) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var (timeout, one) = (timeval(tv_sec: seconds, tv_usec: 0), Int32(1))
        let timeoutByteCount = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, timeoutByteCount)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, timeoutByteCount)
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { return nil }
    }

    deinit { close(descriptor) }

    func send(_ bytes: some ContiguousBytes) -> Bool {
        unsafe bytes.withUnsafeBytes { buffer in
            var sent = 0
            while sent < buffer.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[sent...])
                let count = unsafe Foundation.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }
    }

    /// The answer to the handshake; no frame may come before one was sent.
    func receiveHead() -> String? {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual([13, 10, 13, 10]) {
            var buffer = [UInt8](repeating: 0, count: 1_024)
            guard let count = receive(into: &buffer, at: 0), count > 0 else { return nil }
            head += buffer[..<count]
        }
        return String(decoding: head, as: UTF8.self)
    }

    /// What comes until the server has closed its side, or until more has come than is expected.
    func receiveToEnd(expecting byteCount: Int) -> (stream: [UInt8], hasEnded: Bool) {
        var stream = [UInt8](repeating: 0, count: byteCount + 1)
        var filled = 0
        while filled < stream.count {
            guard let count = receive(into: &stream, at: filled) else { return (Array(stream[..<filled]), false) }
            filled += count
            if count == 0 { return (Array(stream[..<filled]), true) }
        }
        return (stream, false)
    }

    /// Nil: an error, or nothing came in time.
    private func receive(into buffer: inout [UInt8], at offset: Int) -> Int? {
        let count = unsafe buffer.withUnsafeMutableBytes { buffer in
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[offset...])
            return unsafe recv(descriptor, rest.baseAddress, rest.count, 0)
        }
        return count >= 0 ? count : nil
    }
}
