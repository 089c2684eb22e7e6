import FoxgloveClient
import Testing

@Suite struct ServerURLTests {
    static let good: [(String, String, UInt16, String, String?, Bool)] = [
        ("ws://127.0.0.1:8765", "127.0.0.1", 8_765, "/", nil, false),
        ("WSS://Box.example/a?b=c&token=T-_0&d#f", "Box.example", 443, "/a?b=c&d", "T-_0", true),
        ("ws://[::1]:65535?token=x", "::1", 65_535, "/", "x", false),
        ("ws://a:1/t/TOKEN", "a", 1, "/t/TOKEN", nil, false),
        ("ws://a", "a", 80, "/", nil, false),
    ]

    @Test(arguments: good)
    func addressesAreRead(
        text: String, host: String, port: UInt16, target: String, token: String?, isSecure: Bool
    ) throws {
        let url = try ServerURL(parsing: text)
        #expect(url.host == host && url.port == port && url.target == target)
        #expect(url.token == token && url.isSecure == isSecure)
        #expect(!url.text.contains("TOKEN"))
    }

    @Test(arguments: [
        "", "127.0.0.1:8765", "http://a", "ws://", "ws://:1", "ws://a:", "ws://a:0", "ws://a:65536", "ws://a:+1",
        "ws://[::1", "ws://::1:80", "ws://u@a", "ws://a/\r\nX: y", "ws://a b", "ws://ä",
    ])
    func whatIsNoneIsRefused(text: String) {
        #expect(throws: ServerURL.Fault.self) { try ServerURL(parsing: text) }
    }

    @Test func thereIsABound() throws {
        let prefix = "ws://a/"
        let longest = prefix + String(repeating: "x", count: ServerURL.byteCountMax - prefix.utf8.count)
        #expect(try ServerURL(parsing: longest).host == "a")
        #expect(throws: ServerURL.Fault.self) { try ServerURL(parsing: longest + "x") }
    }
}
