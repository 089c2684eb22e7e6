import TestSupport
import Testing
import WebSocketProtocol

@Suite("Base 64 for addresses")
struct Base64URLTests {
    @Test(arguments: [
        ([], ""), ([0x66], "Zg"), ([0x66, 0x6F], "Zm8"), ([0x66, 0x6F, 0x6F], "Zm9v"), ([0xFB, 0xFF, 0xBF], "-_-_"),
        ([0x14, 0xFB, 0x9C, 0x03, 0xD9, 0x7E], "FPucA9l-"), ([0xFF], "_w"),
    ])
    func encodingIsThatOfTheStandard(bytes: [UInt8], text: String) {
        #expect(Base64URL.encode(bytes) == text)
        #expect(Base64URL.decode(text) == bytes)
    }

    @Test(arguments: ["Z", "Zm9vY", "Zg==", "Zm8=", "+/+/", "Zh", "Zm9", "Z g", "Zg\n", "é", "_x"])
    func whatIsNoEncodingIsRefused(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test(arguments: 0..<100)
    func bytesComeBack(byteCount: Int) {
        var generator = SeededGenerator(round: UInt64(byteCount))
        let bytes = generator.bytes(byteCount)
        #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
    }
}
