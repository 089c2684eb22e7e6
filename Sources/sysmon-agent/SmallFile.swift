import Glibc

/// A file that a person wrote, read whole into memory.
struct SmallFile {
    /// Why it could not be read.
    struct Fault: Error {
        var path: String
        var code: Int32

        var text: String {
            "\(path): \(unsafe String(cString: strerror(code))); give a file that the agent may read"
        }
    }

    let bytes: [UInt8]
    let status: stat

    /// Reads a byte more than `byteLimit` at most, so that whoever parses it sees that it is too long.
    init(path: String, byteLimit: Int) throws(Fault) {
        // Should it be a pipe, nobody is waited for.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Fault(path: path, code: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Fault(path: path, code: errno) }
        self.status = status
        var bytes = [UInt8](repeating: 0, count: byteLimit + 1)
        var count = 0
        while count < bytes.count {
            let taken = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe read(descriptor, buffer.baseAddress.map { unsafe $0 + count }, buffer.count - count)
            }
            guard taken >= 0 else { throw Fault(path: path, code: errno) }
            guard taken > 0 else { break }
            count += taken
        }
        self.bytes = Array(bytes[..<count])
    }
}
