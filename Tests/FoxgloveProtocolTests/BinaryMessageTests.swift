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
            (
                "02 0a000000 0c000000 04000000 6a736f6e 7b7d",
                .serviceCall(serviceID: 10, callID: 12, encoding: "json", payloadOffset: 17)
            ),
            (
                "03 00 0000803f 01 15cd5b0700000000 07000000 736f6d652d6964",
                .playbackControl(
                    PlaybackRequest(
                        command: .play, speed: 1, seekTime: Timestamp(unixNanoseconds: 123_456_789),
                        requestID: "some-id"))
            ),
            (
                "03 01 0000803f 00 0000000000000000 07000000 736f6d652d6964",
                .playbackControl(PlaybackRequest(command: .pause, speed: 1, seekTime: nil, requestID: "some-id"))
            ),
            // The shortest there are, and bytes after the request id.
            ("01 ffffffff", .publish(channelID: 4_294_967_295, payloadOffset: 5)),
            (
                "02 01000000 02000000 00000000",
                .serviceCall(serviceID: 1, callID: 2, encoding: "", payloadOffset: 13)
            ),
            (
                "03 00 0000c03f 00 0000000000000000 00000000",
                .playbackControl(PlaybackRequest(command: .play, speed: 1.5, seekTime: nil, requestID: ""))
            ),
            (
                "03 00 00000000 02 ffffffffffffffff 01000000 61 ffff",
                .playbackControl(
                    PlaybackRequest(
                        command: .play, speed: 0, seekTime: Timestamp(unixNanoseconds: .max), requestID: "a"))
            ),
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

    @Test(arguments: [
        ("03 02 0000803f 00 0000000000000000 00000000", "Invalid playback command 2"),
        ("03 07 0000803f 00 0000000000000000 00000000", "Invalid playback command 7"),
        // NaN, infinity, less than nothing.
        ("03 00 0000c07f 00 0000000000000000 00000000", "Invalid playback speed"),
        ("03 00 0000807f 00 0000000000000000 00000000", "Invalid playback speed"),
        ("03 00 000080bf 00 0000000000000000 00000000", "Invalid playback speed"),
        ("03 00 0000803f 00 0000000000000000 01000000 ff", "a text is not UTF-8"),
        ("02 01000000 02000000 01000000 ff", "a text is not UTF-8"),
    ])
    func whatMakesNoSenseIsNamed(text: String, reason: String) {
        #expect(throws: InvalidMessage(reason)) { try ClientBinaryMessage(parsing: bytes(text)) }
    }

    @Test(
        arguments: [
            // The vectors of protocol.md, section 2.6.
            (.time(Timestamp(unixNanoseconds: 1_234_567_890)), "02 d202964900000000"),
            (
                .serviceResponse(serviceID: 10, callID: 12, encoding: "json", payload: [0x7B, 0x7D]),
                "03 0a000000 0c000000 04000000 6a736f6e 7b7d"
            ),
            (.asset(requestID: 10, Array("data".utf8)), "04 0a000000 00 00000000 64617461"),
            (.assetFailure(requestID: 10, reason: "oh no"), "04 0a000000 01 05000000 6f68206e6f"),
            (
                .playbackState(
                    PlaybackState(
                        status: .paused, time: Timestamp(unixNanoseconds: 12_345), speed: 1.5, didSeek: true),
                    requestID: "r1"), "05 01 3930000000000000 0000c03f 01 02000000 7231"
            ),
            (
                .playbackState(
                    PlaybackState(
                        status: .playing, time: Timestamp(unixNanoseconds: 12_345), speed: 1, didSeek: false),
                    requestID: ""), "05 00 3930000000000000 0000803f 00 00000000"
            ),
        ] as [(ServerBinaryMessage, String)])
    func messageIsWritten(message: ServerBinaryMessage, expected: String) {
        #expect(message.bytes == bytes(expected))
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
            switch try? ClientBinaryMessage(parsing: message) {
            case .publish(_, let offset), .serviceCall(_, _, _, let offset): #expect(offset <= message.count)
            case .playbackControl(let request): #expect(request.speed.isFinite)
            case nil: break
            }
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
