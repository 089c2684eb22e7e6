import FoxgloveProtocol
import Testing

/// Text of strangers in statuses and logs.
@Suite struct QuotedTests {
    static let cases: [(String, String)] = [
        ("/cpu", "\"/cpu\""),
        ("", "\"\""),
        ("a\nb\u{1B}[31m", "\"a?b?[31m\""),
        ("\u{202E}txt\u{2028}\u{200B}\u{E000}", "\"?txt???\""),
        ("é€😀", "\"é€😀\""),
        (String(repeating: "x", count: 64), "\"" + String(repeating: "x", count: 64) + "\""),
        (String(repeating: "x", count: 65), "\"" + String(repeating: "x", count: 64) + "…\""),
    ]

    @Test(arguments: cases)
    func strangersTextIsShortVisibleAndOnOneLine(text: String, shown: String) { #expect(quoted(text) == shown) }
}
