import TestSupport
import Testing
import WebSocketProtocol

@Suite("SHA-1 and base 64")
struct DigestTests {
    @Test(arguments: [
        // RFC 3174, section 7.3.
        ("abc", 1, "A9993E36 4706816A BA3E2571 7850C26C 9CD0D89D"),
        ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "84983E44 1C3BD26E BAAE4AA1 F95129E5 E54670F1"),
        ("a", 1_000_000, "34AA973C D4C4DAA4 F61EEB2B DBAD2731 6534016F"),
        (
            "0123456701234567012345670123456701234567012345670123456701234567", 10,
            "DEA356A2 CDDD90C7 A7ECEDC5 EBB56393 4F460452"
        ),
        // Around the places where padding takes another block; from sha1sum.
        ("", 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("a", 1, "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ("a", 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"), ("a", 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
        ("a", 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"), ("a", 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
        ("a", 119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"), ("a", 120, "f34c1488385346a55709ba056ddd08280dd4c6d6"),
        ("a", 128, "ad5b3fdbcb526778c2839d2f151ea753995e26a0"),
    ])
    func digestIsThatOfTheStandard(text: String, count: Int, digest: String) {
        #expect(SHA1.digest(of: Array(String(repeating: text, count: count).utf8)) == bytes(digest))
    }

    @Test(arguments: [
        // RFC 4648, section 10, and section 9 of RFC 3548.
        ("", ""), ("66", "Zg=="), ("666f", "Zm8="), ("666f6f", "Zm9v"), ("666f6f62", "Zm9vYg=="),
        ("666f6f6261", "Zm9vYmE="), ("666f6f626172", "Zm9vYmFy"), ("14fb9c03d97e", "FPucA9l+"),
        ("14fb9c03d9", "FPucA9k="),
        ("14fb9c03", "FPucAw=="), ("fbffbf", "+/+/"), ("00", "AA=="), ("ff", "/w=="),
    ])
    func base64IsThatOfTheStandard(data: String, text: String) {
        #expect(Base64.encode(bytes(data)) == text)
        #expect(Base64.isEncoding(text, ofByteCount: bytes(data).count))
    }

    @Test(arguments: [
        "", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZ===",
        "dGhlIHNhbXBsZSBub25jZQ==x", "dGhlIHNhbXBsZSBub25jZQ=A", "dGhlIHNhbXBsZSBub25=ZQ==", "dGhlIHNhbXBsZSBub25j",
        "dGhlIHNhbXBsZSBub25jZQAA", "dGhlIHNhbXBsZSBub25jZWU=", "dGhlIHNhbXBsZSBub25jZ-==", "dGhlIHNhbXBsZSBub25jZ_==",
        " dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jé==", "========================",
    ])
    func whatDoesNotHoldSixteenBytesIsNoKey(text: String) {
        #expect(!Base64.isEncoding(text, ofByteCount: 16))
    }

    @Test(arguments: 0..<100)
    func whatIsEncodedIsAnEncodingOfItsLength(byteCount: Int) {
        var generator = SeededGenerator(round: UInt64(byteCount))
        let text = Base64.encode(generator.bytes(byteCount))
        #expect(text.utf8.count % 4 == 0)
        for other in 0..<100 { #expect(Base64.isEncoding(text, ofByteCount: other) == (other == byteCount)) }
    }
}
