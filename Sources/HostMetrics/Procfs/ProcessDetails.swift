/// What is used of /proc/PID/io (proc_pid_io(5)).
package struct ProcessIO: Equatable, Sendable {
    package var readBytes: UInt64
    package var writeBytes: UInt64

    /// Nil: a line is missing, or no number.
    package init?(parsing text: Span<UInt8>) {
        var read: UInt64?
        var write: UInt64?
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            if cursor.skip("read_bytes:"), case .value(let value) = cursor.unsigned() { read = read ?? value }
            if cursor.skip("write_bytes:"), case .value(let value) = cursor.unsigned() { write = write ?? value }
            cursor.skipLine()
        }
        guard let read, let write else { return nil }
        readBytes = read
        writeBytes = write
    }
}

/// What is used of /proc/PID/status (proc_pid_status(5)).
package enum ProcessStatus {
    /// The effective user, second number of `Uid`; nil: not told.
    package static func effectiveUser(parsing text: Span<UInt8>) -> UInt32? {
        var cursor = ByteCursor(text)
        while !cursor.isAtEnd {
            if cursor.skip("Uid:"), case .value = cursor.unsigned(), case .value(let user) = cursor.unsigned() {
                return UInt32(exactly: user)
            }
            cursor.skipLine()
        }
        return nil
    }
}

/// The names of users, from /etc/passwd (passwd(5)). Directories on the network are not asked: that may take minutes.
package struct UserNames: Sendable {
    private var names: [UInt32: [UInt8]] = [:]

    package init() {}

    package init(parsing text: Span<UInt8>) {
        var cursor = ByteCursor(text)
        var lineCount = 0
        while !cursor.isAtEnd, lineCount < Limits.userCountMax {
            lineCount += 1
            let line = cursor.line()
            guard let (name, id) = Self.user(parsing: line), names[id] == nil else { continue }
            names[id] = name
        }
    }

    package subscript(id: UInt32) -> [UInt8]? { names[id] }

    /// `name:password:id:`, and more.
    private static func user(parsing line: Span<UInt8>) -> ([UInt8], UInt32)? {
        var colons: [Int] = []
        for index in line.indices where line[index] == UInt8(ascii: ":") {
            colons.append(index)
            if colons.count == 3 { break }
        }
        guard colons.count == 3, colons[0] > 0,
            let id = line.extracting(colons[1] + 1..<colons[2]).unsignedValue, let id = UInt32(exactly: id)
        else { return nil }
        return ((0..<colons[0]).map { line[$0] }, id)
    }
}
