internal import Glibc

/// What a number token turned out to be. An invalid token never ends the parse: the caller counts it and goes on.
package enum Token<Value> {
    case value(Value)
    /// The line ended first.
    case missing
    /// Not a number by the strict rules, or out of range; the cursor stands behind it.
    case invalid
}

extension Token: Equatable where Value: Equatable {}
extension Token: Sendable where Value: Sendable {}

/// Reads kernel text left to right, in place.
///
/// Numbers are strict, whatever the locale: an unsigned token is 1 to 20 ASCII digits and at most 2⁶⁴ − 1, a decimal is
/// `digits[.digits]`, and both must be followed by a blank, a newline or the end. Only ``skipLine()`` and
/// ``skipNewline()`` leave a line.
///
/// Non-escaping: it cannot outlive the buffer it reads, and the compiler checks that.
package struct ByteCursor: ~Escapable {
    private let bytes: Span<UInt8>
    package private(set) var offset = 0

    @_lifetime(copy bytes)
    @inline(__always)
    package init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    package var isAtEnd: Bool { @inline(__always) get { offset >= bytes.count } }

    /// Moves to an offset, at most the end.
    @inline(__always)
    package mutating func move(to offset: Int) { self.offset = min(offset, bytes.count) }

    /// Whether nothing but the newline or the end follows.
    package var isAtLineEnd: Bool {
        @inline(__always) get { offset >= bytes.count || bytes[offset] == UInt8(ascii: "\n") }
    }

    /// The byte that comes next; 0 at the end.
    package var next: UInt8 { @inline(__always) get { offset < bytes.count ? bytes[offset] : 0 } }

    /// White space that does not end a line.
    @inline(__always)
    package static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || (byte >= 0x09 && byte <= 0x0D && byte != 0x0A)
    }

    @inline(__always)
    package mutating func skipBlanks() {
        while offset < bytes.count, Self.isBlank(bytes[offset]) { offset += 1 }
    }

    /// Moves behind the next newline, or to the end.
    @inline(__always)
    package mutating func skipLine() { offset = min(endOfLine() + 1, bytes.count) }

    /// Where the newline of this line is, or the end.
    package func endOfLine() -> Int {
        let rest = bytes.count - offset
        guard rest > 0 else { return bytes.count }
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress, let found = unsafe memchr(base + offset, 0x0A, rest) else {
                return buffer.count
            }
            return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    /// Moves past `key` if it comes next.
    @inline(__always)
    package mutating func skip(_ key: StaticString) -> Bool {
        let length = key.utf8CodeUnitCount
        guard bytes.count - offset >= length else { return false }
        let isEqual = unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return length == 0 }
            return unsafe memcmp(base + offset, key.utf8Start, length) == 0
        }
        if isEqual { offset += length }
        return isEqual
    }

    /// Moves past `key[range]` if it comes next.
    @inline(__always)
    package mutating func skip(_ key: Span<UInt8>) -> Bool {
        let length = key.count
        guard bytes.count - offset >= length else { return false }
        let isEqual = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe key.withUnsafeBufferPointer { other in
                guard let base = buffer.baseAddress, let wanted = other.baseAddress else { return length == 0 }
                return unsafe memcmp(base + offset, wanted, length) == 0
            }
        }
        if isEqual { offset += length }
        return isEqual
    }

    /// Moves past one byte if it is `byte`.
    @inline(__always)
    package mutating func skip(byte: UInt8) -> Bool {
        guard offset < bytes.count, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    /// The next unsigned number of this line.
    @inline(__always)
    package mutating func unsigned() -> Token<UInt64> {
        skipBlanks()
        let start = offset
        var index = offset
        var value: UInt64 = 0
        while index < bytes.count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            value = value &* 10 &+ UInt64(digit)
            index += 1
        }
        offset = index
        let digits = index - start
        // 19 digits cannot overflow, which leaves the common case without a check per digit.
        guard isTokenEnd, digits >= 1, digits <= 19 else { return unusualUnsigned(from: start) }
        return .value(value)
    }

    /// The number of at most 16 digits, and so below 2⁵⁴, that begins right here; nil if there is none.
    @inline(__always)
    package mutating func shortUnsigned() -> UInt64? {
        var value: UInt64 = 0
        let digits = skipDigits(into: &value)
        return digits >= 1 && digits <= 16 && isTokenEnd ? value : nil
    }

    @inline(never)
    private mutating func unusualUnsigned(from start: Int) -> Token<UInt64> {
        let digits = offset - start
        if digits == 0, isAtLineEnd { return .missing }
        guard isTokenEnd, digits == 20 else { return skipInvalidToken() }
        var value: UInt64 = 0
        for index in start..<offset {
            let (scaled, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = scaled.addingReportingOverflow(UInt64(bytes[index] - UInt8(ascii: "0")))
            guard !overflowed, !carried else { return .invalid }
            value = sum
        }
        return .value(value)
    }

    /// The next hexadecimal number of this line: 1 to 16 digits, small or capital, without a prefix.
    package mutating func hexadecimal() -> Token<UInt64> {
        skipBlanks()
        let start = offset
        var value: UInt64 = 0
        while offset < bytes.count, let digit = Self.hexadecimalDigit(bytes[offset]) {
            value = value << 4 | digit
            offset += 1
        }
        let digits = offset - start
        if digits == 0, isAtLineEnd { return .missing }
        guard isTokenEnd, digits >= 1, digits <= 16 else { return skipInvalidToken() }
        return .value(value)
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// The next decimal of this line, rounded correctly.
    package mutating func decimal() -> Token<Double> {
        skipBlanks()
        let start = offset
        var value: UInt64 = 0
        var digits = skipDigits(into: &value)
        guard digits > 0 else { return isAtLineEnd ? .missing : skipInvalidToken() }
        var fractionDigits = 0
        if skip(byte: UInt8(ascii: ".")) {
            fractionDigits = skipDigits(into: &value)
            guard fractionDigits > 0 else { return skipInvalidToken() }
            digits += fractionDigits
        }
        guard isTokenEnd else { return skipInvalidToken() }
        // Both operands are exact and a division rounds once (Clinger's fast path).
        if digits <= 19, value < 1 << 53 { return .value(Double(value) / powerOfTen(fractionDigits)) }
        let text = String(decoding: (start..<offset).map { bytes[$0] }, as: UTF8.self)
        guard let slow = Double(text), slow.isFinite else { return .invalid }
        return .value(slow)
    }

    /// The bytes up to the next blank or the end of the line; empty where the line ends.
    @_lifetime(copy self)
    package mutating func token() -> Span<UInt8> {
        skipBlanks()
        let start = offset
        skipToken()
        return bytes.extracting(start..<offset)
    }

    /// The rest of the line without its newline; the cursor moves to the next line.
    @_lifetime(copy self)
    package mutating func line() -> Span<UInt8> {
        let start = offset
        let end = endOfLine()
        offset = min(end + 1, bytes.count)
        return bytes.extracting(start..<end)
    }

    /// Moves behind the bytes up to the next blank or the end of the line.
    package mutating func skipToken() {
        while !isTokenEnd { offset += 1 }
    }

    private var isTokenEnd: Bool {
        @inline(__always) get {
            guard offset < bytes.count else { return true }
            let byte = bytes[offset]
            return byte == 0x20 || (byte >= 0x09 && byte <= 0x0D)
        }
    }

    private mutating func skipInvalidToken<Value>() -> Token<Value> {
        skipToken()
        return .invalid
    }

    @inline(__always)
    private mutating func skipDigits(into value: inout UInt64) -> Int {
        let start = offset
        while offset < bytes.count {
            let digit = bytes[offset] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            value = value &* 10 &+ UInt64(digit)
            offset += 1
        }
        return offset - start
    }

    private func powerOfTen(_ exponent: Int) -> Double {
        var power = 1.0
        for _ in 0..<exponent { power *= 10 }
        return power
    }
}

extension Span<UInt8> {
    /// Without the blanks, newlines and NULs around it.
    package var trimmed: Self {
        @_lifetime(copy self) get {
            func isTrimmed(_ byte: UInt8) -> Bool { byte == 0 || byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }
            var start = 0
            var end = count
            while start < end, isTrimmed(self[start]) { start += 1 }
            while end > start, isTrimmed(self[end - 1]) { end -= 1 }
            return extracting(start..<end)
        }
    }

    /// Whether these are the bytes of `text`.
    package func equals(_ text: StaticString) -> Bool {
        var cursor = ByteCursor(self)
        return count == text.utf8CodeUnitCount && cursor.skip(text)
    }

    package func equals(_ other: Span<UInt8>) -> Bool {
        var cursor = ByteCursor(self)
        return count == other.count && cursor.skip(other)
    }

    /// The whole as one unsigned number.
    package var unsignedValue: UInt64? {
        guard count > 0, !ByteCursor.isBlank(self[0]) else { return nil }
        var cursor = ByteCursor(self)
        guard case .value(let value) = cursor.unsigned(), cursor.isAtEnd else { return nil }
        return value
    }
}
