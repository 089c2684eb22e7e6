internal import Glibc
import WebSocketProtocol

/// A client's socket.
final class Connection {
    let descriptor: FileDescriptor
    /// More may be there than was read at once.
    var isReadable = false
    /// The peer has sent its last byte, or is gone; what came before it may still wait to be read.
    var hasEnded = false
    var isShutDown = false
    var isBroken = false
    var transport: Transport
    /// What came before there was a session.
    var firstRecord = FirstRecord()
    /// What the handler knows of ``tlsByteCount``.
    var toldByteCount = 0
    /// The socket has not been said to take more than it took; kept for TLS only, a handler knows it of its own bytes.
    var isBlocked = false

    init(_ descriptor: consuming FileDescriptor, tls: TLSContext?) {
        self.descriptor = descriptor
        transport = tls.map { .silent($0) } ?? .plain
    }

    /// Bytes read into `buffer`; 0 at the end of the stream or after an error, nil if there is nothing now.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        while true {
            let count = unsafe recv(descriptor.rawValue, buffer.baseAddress, buffer.count, 0)
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return nil
            default: return 0
            }
        }
    }

    /// Sends as much as the socket takes, in one system call; returns the number of bytes.
    func write(_ outgoing: Outgoing, vectors: inout [iovec]) -> Int {
        unsafe vectors.removeAll(keepingCapacity: true)
        return unsafe outgoing.first.withUnsafeBufferPointer { first in
            unsafe outgoing.body.withUnsafeBytes { body in
                if !first.isEmpty {
                    let base = unsafe UnsafeMutableRawPointer(mutating: first.baseAddress)
                    unsafe vectors.append(iovec(iov_base: base, iov_len: first.count))
                }
                for index in outgoing.ranges.indices {
                    let range = outgoing.ranges[index]
                    let stretch = unsafe UnsafeRawBufferPointer(rebasing: body[range])
                    let base = unsafe UnsafeMutableRawPointer(mutating: stretch.baseAddress)
                    unsafe vectors.append(iovec(iov_base: base, iov_len: stretch.count))
                }
                while true {
                    // A single stretch, which is the rule, costs the kernel less by send than by writev.
                    let count =
                        unsafe vectors.count == 1
                        ? send(descriptor.rawValue, vectors[0].iov_base, vectors[0].iov_len, Int32(MSG_NOSIGNAL))
                        : writev(descriptor.rawValue, vectors, Int32(vectors.count))
                    if count >= 0 { return count }
                    if errno == EINTR { continue }
                    if errno != EAGAIN { isBroken = true }
                    return 0
                }
            }
        }
    }

    /// Ends the sending side; of no effect while ciphertext waits, so to be called until it has one.
    func shutDown() {
        guard !isShutDown else { return }
        if case .tls(let session) = transport {
            session.close()
            guard flush() else { return }
        }
        isShutDown = true
        _ = Glibc.shutdown(descriptor.rawValue, Int32(SHUT_WR))
    }
}
