/// An address of IPv4 or IPv6, and how it is written.
package struct IPAddress: Equatable, Sendable {
    package var bytes: [16 of UInt8] = .init(repeating: 0)
    package var isIPv6: Bool

    package var byteCount: Int { isIPv6 ? 16 : 4 }
    package var bitCount: Int { byteCount * 8 }

    /// nil: another number of bytes.
    package init?(_ bytes: Span<UInt8>, isIPv6: Bool) {
        self.isIPv6 = isIPv6
        guard bytes.count == byteCount else { return nil }
        for index in bytes.indices { self.bytes[index] = bytes[index] }
    }

    /// A mask: `prefixLength` ones, then zeros.
    package init(maskOf prefixLength: Int, isIPv6: Bool) {
        self.isIPv6 = isIPv6
        for index in 0..<byteCount {
            let ones = min(8, max(0, prefixLength - index * 8))
            bytes[index] = ~UInt8(truncatingIfNeeded: 0xFF >> ones)
        }
    }

    package static func == (left: Self, right: Self) -> Bool {
        guard left.isIPv6 == right.isIPv6 else { return false }
        for index in 0..<left.byteCount where left.bytes[index] != right.bytes[index] { return false }
        return true
    }

    /// Dotted for IPv4; RFC 5952, section 4, for IPv6.
    package func append(to text: inout [UInt8]) {
        if isIPv6 { return appendGroups(to: &text) }
        for index in 0..<4 {
            if index > 0 { text.append(UInt8(ascii: ".")) }
            text.append(number: Int(bytes[index]))
        }
    }

    private func group(_ index: Int) -> Int { Int(bytes[index * 2]) << 8 | Int(bytes[index * 2 + 1]) }

    private func appendGroups(to text: inout [UInt8]) {
        let zeros = longestZeros()
        var index = 0
        while index < 8 {
            if index == zeros.lowerBound, !zeros.isEmpty {
                text.append("::")
                index = zeros.upperBound
                continue
            }
            if index > 0, index != zeros.upperBound || zeros.isEmpty { text.append(UInt8(ascii: ":")) }
            text.append(number: group(index), radix: 16)
            index += 1
        }
    }

    /// The first of the longest runs of two zero groups or more; they are left out.
    private func longestZeros() -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for index in 0...8 {
            if index < 8, group(index) == 0 { continue }
            if index - start > max(1, longest.count) { longest = start..<index }
            start = index + 1
        }
        return longest
    }
}

extension [UInt8] {
    /// Appends a number without leading zeros, in small letters.
    package mutating func append(number: Int, radix: Int = 10) {
        append(contentsOf: String(number, radix: radix).utf8)
    }

    /// Appends a hardware address: two digits for each byte, colons between them.
    package mutating func append(hardwareAddress: [UInt8]) {
        for (index, byte) in hardwareAddress.enumerated() {
            if index > 0 { append(UInt8(ascii: ":")) }
            if byte < 16 { append(UInt8(ascii: "0")) }
            append(number: Int(byte), radix: 16)
        }
    }
}
