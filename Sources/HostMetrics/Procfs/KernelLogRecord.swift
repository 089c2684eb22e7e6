/// One record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg):
///
///     PRIORITY,SEQUENCE,MICROSECONDS,FLAGS[,more];TEXT
///      KEY=VALUE
///
/// with a line for each key. Bytes that are not printable ASCII, and the backslash, are written `\xNN` in all of it.
package struct KernelLogRecord: KernelText {
    /// Of syslog(3): 0, the system is unusable, to 7, for debugging.
    package private(set) var severity: UInt8 = 7
    /// Of syslog(3): 0 is the kernel itself; a program that writes to /dev/kmsg cannot claim to be it.
    package private(set) var facility: UInt64 = 0
    /// Counts all records since boot; a gap means that some were overwritten before they could be read.
    package private(set) var sequence: UInt64 = 0
    /// Since boot, by the kernel's own clock, which stands still while the machine is suspended.
    package private(set) var microseconds: UInt64 = 0
    /// The line, its escapes undone.
    package private(set) var text: [UInt8] = []
    /// The value of that key: "pci"; empty where there is none.
    package private(set) var subsystem: [UInt8] = []
    /// Whether what was parsed last is a record; all else is only valid then.
    package private(set) var isValid = false

    package init() {}

    package mutating func parse(_ bytes: Span<UInt8>) {
        text.removeAll(keepingCapacity: true)
        subsystem.removeAll(keepingCapacity: true)
        guard let start = parseHead(bytes) else {
            isValid = false
            return
        }
        isValid = true
        var cursor = ByteCursor(bytes)
        cursor.move(to: start)
        Self.unescape(cursor.line(), into: &text)
        while !cursor.isAtEnd {
            _ = cursor.skip(byte: UInt8(ascii: " "))
            if cursor.skip("SUBSYSTEM="), subsystem.isEmpty {
                Self.unescape(cursor.line(), into: &subsystem)
            } else {
                cursor.skipLine()
            }
        }
    }

    /// Returns where the text begins; nil: this is no record.
    private mutating func parseHead(_ bytes: Span<UInt8>) -> Int? {
        var place = 0
        guard let priority = Self.number(bytes, &place), let sequence = Self.number(bytes, &place),
            let microseconds = Self.number(bytes, &place)
        else { return nil }
        severity = UInt8(priority & 7)
        facility = priority >> 3
        self.sequence = sequence
        self.microseconds = microseconds
        // Newer kernels have more fields behind the flags.
        let flags = place
        while place < bytes.count, bytes[place] != UInt8(ascii: ";") { place += 1 }
        guard place > flags, place < bytes.count else { return nil }
        return place + 1
    }

    /// Appends `text` with each `\xNN` as the byte it stands for. White space of all kinds becomes a blank, so that the
    /// lines of one record do not grow together when control characters are taken out.
    private static func unescape(_ text: Span<UInt8>, into bytes: inout [UInt8]) {
        var index = 0
        while index < text.count {
            var byte = text[index]
            index += 1
            if byte == UInt8(ascii: "\\"), index + 2 < text.count, text[index] == UInt8(ascii: "x"),
                let high = hexDigit(text[index + 1]), let low = hexDigit(text[index + 2])
            {
                byte = high << 4 | low
                index += 3
            }
            bytes.append(byte >= 0x09 && byte <= 0x0D ? 0x20 : byte)
        }
    }

    /// The number that ends at the next comma, which is passed.
    private static func number(_ bytes: Span<UInt8>, _ rest: inout Int) -> UInt64? {
        var end = rest
        while end < bytes.count, bytes[end] != UInt8(ascii: ",") { end += 1 }
        guard end < bytes.count, let value = bytes.extracting(rest..<end).unsignedValue else { return nil }
        rest = end + 1
        return value
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
