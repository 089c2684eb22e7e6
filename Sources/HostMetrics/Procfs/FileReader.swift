internal import Glibc
package import TelemetrySchema

/// Reads small files that are not worth a descriptor of their own: opened, read and closed each time, through one kept
/// buffer and without allocation.
package struct FileReader: ~Copyable {
    private var buffer: [UInt8]
    private var count = 0
    private let flags: Int32

    private static let byteCountMax = 1 << 26

    /// `waits`: whether a file that blocks is waited for. The kernel's own never heed it; pipes do.
    package init(byteCapacity: Int = 4_096, waits: Bool = false) {
        buffer = Array(repeating: 0, count: byteCapacity)
        flags = O_RDONLY | O_CLOEXEC | (waits ? 0 : O_NONBLOCK)
    }

    /// What was read last.
    package var text: Span<UInt8> {
        @_lifetime(borrow self) get { buffer.span.extracting(first: count) }
    }

    /// The first line of what was read last, without the white space around it.
    package var line: Span<UInt8> {
        @_lifetime(borrow self) get {
            var cursor = ByteCursor(text)
            return cursor.line().trimmed
        }
    }

    /// Whether the file could be read and has text. `path` ends with a NUL.
    package mutating func read(_ path: borrowing FilePath) -> Bool {
        count = 0
        let descriptor = unsafe path.withCString { unsafe open($0, flags) }
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        while true {
            if count == buffer.count {
                guard buffer.count < Self.byteCountMax else { break }
                // Twice as long; what is in the new half does not matter.
                buffer += buffer
            }
            let result = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe Glibc.read(descriptor, bytes.baseAddress.map { unsafe $0 + count }, bytes.count - count)
            }
            if result < 0, errno == EINTR { continue }
            guard result > 0 else {
                if result < 0 { count = 0 }
                break
            }
            count += result
        }
        return count > 0
    }

    /// Appends ``line``, at most so many bytes of it.
    package func appendLine(to arena: inout TextArena, byteCountMax: Int = .max) -> Text {
        let line = line
        return arena.append(line.extracting(first: min(line.count, byteCountMax)))
    }

    /// Parses what was read last.
    package func parse(into value: inout some KernelText & ~Copyable) { value.parse(text) }

    /// The first line as an unsigned number; nil if there is no such file or number.
    package mutating func unsigned(_ path: borrowing FilePath) -> UInt64? {
        guard read(path) else { return nil }
        return line.unsignedValue
    }
}

/// A path as bytes, whose last part is exchanged without allocation.
package struct FilePath: ~Copyable {
    private var bytes: [UInt8]

    package init(_ text: String) {
        bytes = Array(text.utf8)
        bytes.reserveCapacity(bytes.count + 64)
        bytes.append(0)
    }

    package var byteCount: Int { bytes.count - 1 }

    /// Keeps the first `byteCount` bytes and puts `part` behind them.
    package mutating func replace(after byteCount: Int, with part: StaticString) {
        truncate(to: byteCount)
        bytes.append(part)
        bytes.append(0)
    }

    package mutating func replace(after byteCount: Int, with part: Span<UInt8>) {
        truncate(to: byteCount)
        for index in part.indices { bytes.append(part[index]) }
        bytes.append(0)
    }

    package mutating func replace(after byteCount: Int, with part: [UInt8]) {
        replace(after: byteCount, with: part.span)
    }

    package mutating func append(_ byte: UInt8) {
        bytes[bytes.count - 1] = byte
        bytes.append(0)
    }

    package subscript(index: Int) -> UInt8 { bytes[index] }

    private mutating func truncate(to byteCount: Int) { bytes.removeLast(bytes.count - byteCount) }

    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes { buffer in
            // Never empty: the NUL is always there.
            guard let base = unsafe buffer.assumingMemoryBound(to: CChar.self).baseAddress else {
                preconditionFailure()
            }
            return unsafe body(base)
        }
    }

    package var exists: Bool { unsafe withCString { unsafe access($0, F_OK) == 0 } }
}

extension [UInt8] {
    /// Appends a literal's bytes.
    package mutating func append(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { unsafe append(text.utf8Start[index]) }
    }
}
