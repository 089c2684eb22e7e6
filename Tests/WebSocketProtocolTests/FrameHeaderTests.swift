import Testing
import WebSocketProtocol

@Suite("Frame header")
struct FrameHeaderTests {
    @Test(
        arguments: [
            // RFC 6455, section 5.7.
            (.text, 5, "81 05"), (.ping, 5, "89 05"), (.pong, 5, "8a 05"), (.binary, 256, "82 7e 0100"),
            (.binary, 65_536, "82 7f 0000000000010000"),
            // Where one form ends and the next begins.
            (.binary, 0, "82 00"), (.binary, 125, "82 7d"), (.binary, 126, "82 7e 007e"),
            (.binary, 65_535, "82 7e ffff"),
            (.text, 0x0102_0304_0506_0708, "81 7f 0102030405060708"), (.close, 2, "88 02"), (.continuation, 1, "80 01"),
        ] as [(FrameHeader.Opcode, Int, String)])
    func headerIsThatOfTheStandard(opcode: FrameHeader.Opcode, payloadByteCount: Int, expected: String) {
        let header = FrameHeader(opcode, payloadByteCount: payloadByteCount)
        var written = Array(repeating: UInt8(0xAA), count: 12)
        var span = written.mutableSpan
        header.write(to: &span)
        #expect(header.byteCount == bytes(expected).count)
        #expect(written == bytes(expected) + Array(repeating: 0xAA, count: 12 - header.byteCount))
    }

    @Test(arguments: 0..<16 as Range<UInt8>)
    func sixOpcodesAreKnownAndThreeOfThemControl(rawValue: UInt8) {
        let opcode = FrameHeader.Opcode(rawValue: rawValue)
        #expect((opcode != nil) == [0, 1, 2, 8, 9, 10].contains(rawValue))
        if let opcode { #expect(opcode.isControl == (rawValue >= 8)) }
    }

    @Test func onlyRegisteredAndPrivateCloseCodesAreSent() {
        // RFC 6455, section 7.4, and the registry of IANA: 1004 to 1006 and 1015 are never sent.
        let registered: Set<UInt16> = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]
        for code in 0...UInt16.max {
            let isValid = registered.contains(code) || (3000..<5000).contains(code)
            #expect(CloseCode(rawValue: code).isValidOnWire == isValid, "\(code)")
        }
    }
}
