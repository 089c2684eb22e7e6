import TestSupport
import Testing

@testable import FoxgloveServer

/// Token files, at each of their bounds and one past it; and what a look-up costs.
@Suite struct TokenListTests {
    private static let digest = String(repeating: "0123456789abcdef", count: 4)

    private func parse(_ text: String, _ limits: TokenList.Limits = TokenList.Limits()) throws -> TokenList {
        try TokenList(parsing: Array(text.utf8), limits: limits)
    }

    private func mistake(_ text: String, _ limits: TokenList.Limits = TokenList.Limits()) -> String? {
        do {
            _ = try parse(text, limits)
            return nil
        } catch {
            return (error as? TokenList.Mistake)?.text
        }
    }

    @Test(arguments: ["", "\n", "\n\n", "# all\n#viewer:a:b\n", " \t\r\n \t# x\r\n"])
    func aFileMayHoldNobody(text: String) throws {
        #expect(try parse(text) == TokenList())
        #expect(TokenList().isEmpty)
    }

    @Test func linesAreEntries() throws {
        let list = try parse(
            "# who\r\n\r\n  operator:ann:\(Self.digest.uppercased())  \r\nviewer:b-_.@2:san=spiffe://x/y:Z\n"
                + "viewer:ann:san=h.example")
        #expect(list.count == 3)
        let bytes = (0..<32).map { [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF][$0 % 8] as UInt8 }
        #expect(list.entry(withDigest: bytes) == TokenList.Entry(role: .operator, name: "ann"))
        #expect(list.entry(withSubjects: ["spiffe://x/y:Z"]) == TokenList.Entry(role: .viewer, name: "b-_.@2"))
        #expect(list.entry(withSubjects: ["h", "H.example", "spiffe://x/y:z"]) == nil)
    }

    static let mistakes: [(String, String)] = [
        ("x", "line 1: write role:name:sha256hex or role:name:san=subject"),
        ("viewer:a", "line 1: write role:name:sha256hex or role:name:san=subject"),
        ("\n\nadmin:a:\(digest)", #"line 3: the role "admin" is unknown; write viewer or operator"#),
        ("Viewer:a:\(digest)", #"line 1: the role "Viewer" is unknown; write viewer or operator"#),
        ("viewer::\(digest)", #"line 1: the name "" must be 1 to 64 letters, digits, or -_.@"#),
        ("viewer:a b:\(digest)", #"line 1: the name "a b" must be 1 to 64 letters, digits, or -_.@"#),
        ("viewer:é:\(digest)", "line 1: there is a character that is not printable ASCII; remove it"),
        ("viewer:a:\(digest)\u{0}", "line 1: there is a character that is not printable ASCII; remove it"),
        ("viewer:a:\(digest)\nviewer:b:\(digest)", "line 2: this token is listed before; remove one of the lines"),
        (
            "viewer:a:san=x\noperator:b:san=x",
            #"line 2: the subject "x" is listed before; remove one of the lines"#
        ),
    ]

    @Test(arguments: mistakes)
    func aMistakeNamesItsLineAndTheWayOut(text: String, expected: String) {
        #expect(mistake(text) == expected)
    }

    @Test(arguments: [
        String(digest.dropLast()), digest + "0", String(digest.dropLast()) + "g", "my-secret-token", "", "SAN=x",
    ])
    func whatIsNoDigestIsRefusedAndNotShown(text: String) {
        let shown = mistake("viewer:a:\(text)")
        #expect(shown?.hasPrefix("line 1: the third field must be the SHA-256 of a token") == true)
        #expect(shown?.contains("secret") == false)
    }

    @Test(arguments: [(64, true), (65, false)])
    func namesAreBounded(length: Int, isAllowed: Bool) {
        #expect((mistake("viewer:\(String(repeating: "n", count: length)):\(Self.digest)") == nil) == isAllowed)
    }

    @Test(arguments: [(0, false), (1, true), (253, true), (254, false)])
    func subjectsAreBounded(length: Int, isAllowed: Bool) {
        #expect((mistake("viewer:a:san=\(String(repeating: "s", count: length))") == nil) == isAllowed)
    }

    @Test(arguments: [(1_024, true), (1_025, false)])
    func linesAreBounded(count: Int, isAllowed: Bool) {
        let lines = Array(repeating: "#", count: count).joined(separator: "\n")
        for text in [lines, lines + "\n"] {
            #expect(mistake(text) == (isAllowed ? nil : "the file has more than 1024 lines; remove entries"))
        }
    }

    @Test(arguments: [(65_536, true), (65_537, false)])
    func bytesAreBounded(count: Int, isAllowed: Bool) {
        let text = "#" + String(repeating: "x", count: count - 1)
        #expect(mistake(text) == (isAllowed ? nil : "the file is larger than 65536 bytes; remove entries"))
    }

    @Test(arguments: 0..<20)
    func noiseIsRefusedOrUnderstoodButNeverTraps(round: UInt64) {
        var random = SeededGenerator(round: round)
        let pieces = ["viewer", "operator", ":", "\n", "#", "san=", " ", "\r", Self.digest, "a", "é", "\u{0}"]
        for _ in 0..<500 {
            let text = (0..<random.next() % 30).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            _ = mistake(text)
            _ = try? TokenList(parsing: random.bytes(Int(random.next() % 100)))
        }
    }

    // MARK: Cost

    /// Not by the clock: the count of compared bytes is the same for every token, wherever it differs from the right
    /// one, and for the right one too.
    @Test func everyLookUpComparesEveryByteOfEveryEntry() throws {
        let entryCount = 8
        var random = SeededGenerator(round: 1)
        let digests = (0..<entryCount).map { _ in random.bytes(32) }
        let hex = digests.map { $0.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        let list = try parse(hex.enumerated().map { "viewer:n\($0):\($1)" }.joined(separator: "\n"))
        func comparisons(_ digest: [UInt8]) -> (count: Int, found: String?) {
            var count = 0
            let entry = list.entry(withDigest: digest) {
                count += 1
                return $0 ^ $1
            }
            return (count, entry?.name)
        }
        for (index, digest) in digests.enumerated() {
            let right = comparisons(digest)
            #expect(right.count == entryCount * 32 && right.found == "n\(index)")
        }
        for attempt in 0..<10_000 {
            let prefix = attempt % 32
            var digest = digests[attempt % entryCount]
            digest[prefix] ^= UInt8(1 + attempt % 255)
            for index in (prefix + 1)..<max(prefix + 1, 32) { digest[index] = UInt8(truncatingIfNeeded: random.next()) }
            let wrong = comparisons(digest)
            #expect(wrong.count == entryCount * 32 && wrong.found == nil)
        }
        #expect(comparisons([]).found == nil && comparisons(Array(digests[0].dropLast())).found == nil)
    }
}
