import FoxgloveProtocol
import Telemetry
import TestSupport
import Testing

/// Bytes from their hexadecimal digits; blanks do not count.
private func bytes(_ text: String) -> [UInt8] {
    let digits = text.filter { $0 != " " }
    return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(digits.dropFirst($0).prefix(2), radix: 16) }
}

@Suite("Binary messages")
struct BinaryMessageTests {
    @Test(
        arguments: [
            // The vectors of protocol.md, section 2.6.
            ("01 1e000000 7b7d", .publish(channelID: 30, payloadOffset: 5)),
            ("02 0a000000 0c000000 04000000 6a736f6e 7b7d", .serviceCall(serviceID: 10, callID: 12)),
            ("03 00 0000803f 01 15cd5b0700000000 07000000 736f6d652d6964", .playbackControl),
            ("03 01 0000803f 00 0000000000000000 07000000 736f6d652d6964", .playbackControl),
            // The shortest there are, and bytes after the request id.
            ("01 ffffffff", .publish(channelID: 4_294_967_295, payloadOffset: 5)),
            ("02 01000000 02000000 00000000", .serviceCall(serviceID: 1, callID: 2)),
            ("03 00 0000803f 00 0000000000000000 00000000", .playbackControl),
            ("03 00 0000803f 00 0000000000000000 01000000 61 ffff", .playbackControl),
        ] as [(String, ClientBinaryMessage)])
    func messageIsRead(text: String, expected: ClientBinaryMessage) throws {
        #expect(try ClientBinaryMessage(parsing: bytes(text)) == expected)
    }

    @Test(arguments: [
        "01 1e000000", "02 0a000000 0c000000 04000000 6a736f6e", "03 00 0000803f 01 15cd5b0700000000 02000000 6964",
    ])
    func whatIsTooShortIsRefused(text: String) {
        let whole = bytes(text)
        for count in 1..<whole.count {
            #expect(throws: InvalidMessage("Buffer too short"), "\(count) bytes") {
                try ClientBinaryMessage(parsing: Array(whole[..<count]))
            }
        }
    }

    @Test(arguments: [
        "02 0a000000 0c000000 ffffffff 6a736f6e", "02 0a000000 0c000000 05000000 6a736f6e",
        "03 00 0000803f 00 0000000000000000 ffffffff", "03 00 0000803f 00 0000000000000000 01000000",
    ])
    func lyingLengthIsRefused(text: String) {
        #expect(throws: InvalidMessage("Buffer too short")) { try ClientBinaryMessage(parsing: bytes(text)) }
    }

    @Test(arguments: [0] + Array(4...255) as [UInt8])
    func unknownOpcodeIsNamed(opcode: UInt8) {
        #expect(throws: InvalidMessage("Unknown binary opcode \(opcode)")) {
            try ClientBinaryMessage(parsing: [opcode, 1, 2, 3, 4, 5])
        }
    }

    @Test func emptyMessageIsRefused() {
        #expect(throws: InvalidMessage.self) { try ClientBinaryMessage(parsing: []) }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func randomBytesNeverTrap(round: UInt64) {
        var generator = SeededGenerator(round: round)
        for _ in 0..<1_000 {
            var message = generator.bytes(.random(in: 1..<32, using: &generator))
            message[0] = UInt8.random(in: 0...4, using: &generator)
            guard case .publish(_, let offset) = try? ClientBinaryMessage(parsing: message) else { continue }
            #expect(offset <= message.count)
        }
    }

    @Test(
        arguments: [
            // "Message Data" of protocol.md, section 2.6, without its payload.
            (30, 1234, "01 1e000000 d204000000000000"),
            (0, 0, "01 00000000 0000000000000000"),
            (0x0403_0201, 0x0807_0605_0403_0201, "01 01020304 0102030405060708"),
            (.max, .max, "01 ffffffff ffffffffffffffff"),
        ] as [(UInt32, UInt64, String)])
    func messageDataHeaderIsThirteenBytes(subscriptionID: UInt32, logTime: UInt64, expected: String) {
        var written = Array(repeating: UInt8(0xAA), count: 15)
        var span = written.mutableSpan
        MessageDataHeader(subscriptionID: subscriptionID, logTime: Timestamp(unixNanoseconds: logTime)).write(to: &span)
        #expect(MessageDataHeader.byteCount == 13)
        #expect(written == bytes(expected) + [0xAA, 0xAA])
        let patched = MessageDataHeader.subscriptionOffset..<MessageDataHeader.subscriptionOffset + 4
        #expect(written[patched].reversed().reduce(0) { $0 << 8 | UInt32($1) } == subscriptionID)
    }
}
