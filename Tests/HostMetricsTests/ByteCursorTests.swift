import HostMetrics
import Testing

struct ByteCursorTests {
    private func unsigned(_ text: String) -> Token<UInt64> {
        let bytes = Array(text.utf8)
        var cursor = ByteCursor(bytes.span)
        return cursor.unsigned()
    }

    private func decimal(_ text: String) -> Token<Double> {
        let bytes = Array(text.utf8)
        var cursor = ByteCursor(bytes.span)
        return cursor.decimal()
    }

    @Test(arguments: [
        ("0", 0), ("7 kB", 7), ("  12\t", 12), ("00042\n", 42), ("9999999999999999999", 9_999_999_999_999_999_999),
        ("18446744073709551615", UInt64.max), ("00000000000000000001", 1), ("5\r\n", 5),
    ])
    func unsignedTokensAreRead(text: String, value: UInt64) { #expect(unsigned(text) == .value(value)) }

    @Test(arguments: [
        "-1", "+1", "18446744073709551616", "99999999999999999999", "000000000000000000001", "1x", "0x10", "1e3", "1.5",
        "nan", "inf", "x1", "1,000", "١",
    ])
    func otherTokensAreInvalid(text: String) {
        #expect(unsigned(text) == .invalid)
        #expect(unsigned(text + " 5") == .invalid)
    }

    @Test(arguments: ["", "   ", "\n1", " \t\n"])
    func nothingIsMissingNotInvalid(text: String) {
        #expect(unsigned(text) == .missing)
        #expect(decimal(text) == .missing)
    }

    @Test(arguments: [
        ("0.42", 0.42), ("86400.11 657023.46", 86400.11), ("35661059.42", 35661059.42), ("7", 7), ("0.1", 0.1),
        ("2044112033.11", 2044112033.11), ("9007199254740993", 9_007_199_254_740_992),
        ("0.30000000000000004", 0.30000000000000004),
        ("123456789012345678901234567890.5", 123456789012345678901234567890.5),
        ("1.7976931348623157", 1.7976931348623157),
    ])
    func decimalsAreRoundedCorrectly(text: String, value: Double) { #expect(decimal(text) == .value(value)) }

    @Test(arguments: ["nan", "inf", "-0.5", "+1", ".5", "1.", "1e3", "0x1p3", "1.5x", "1.2.3", "1,5"])
    func otherDecimalsAreInvalid(text: String) { #expect(decimal(text) == .invalid) }

    @Test func anInvalidTokenEndsAtTheNextBlank() {
        let bytes = Array("-5 12x 7\n8".utf8)
        var cursor = ByteCursor(bytes.span)
        let tokens = [cursor.unsigned(), cursor.unsigned(), cursor.unsigned(), cursor.unsigned()]
        #expect(tokens == [.invalid, .invalid, .value(7), .missing])
        cursor.skipLine()
        let last = cursor.unsigned()
        #expect(last == .value(8))
    }

    @Test func randomNumbersComeBack() {
        var random = SeededGenerator.announced()
        for _ in 0..<2_000 {
            let value = UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64.random(in: 0..<64, using: &random)
            #expect(unsigned(" \(value)\n") == .value(value))
            let hundredths = value >> 12
            let text = "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
            #expect(decimal(text) == .value(Double(text) ?? .nan))
        }
    }
}
