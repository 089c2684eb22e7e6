/// The decimal digits of a number, without an allocation.
package struct DecimalText: Sendable {
    private var digits: [10 of UInt8] = .init(repeating: 0)
    private var start = 10

    package init(_ number: UInt32) {
        var rest = number
        repeat {
            start -= 1
            digits[start] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        } while rest > 0
    }

    package var bytes: Span<UInt8> {
        @_lifetime(borrow self) get { digits.span.extracting(start..<10) }
    }
}

extension [UInt8] {
    package mutating func append(decimal number: UInt32) {
        let text = DecimalText(number)
        for index in text.bytes.indices { append(text.bytes[index]) }
    }
}

extension EntryFilter {
    /// For entries whose id is a number.
    package mutating func admits(number: UInt32) -> Bool {
        guard !admitsAll else { return true }
        let text = DecimalText(number)
        return admits(text.bytes)
    }
}
