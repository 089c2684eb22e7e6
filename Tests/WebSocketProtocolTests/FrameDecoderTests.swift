import TestSupport
import Testing
import WebSocketProtocol

private func violation(_ code: UInt16) -> [Received] { [Received(.violation(CloseCode(rawValue: code)))] }

private let hello = Array("Hello".utf8)

@Suite("Frame decoder")
struct FrameDecoderTests {
    /// RFC 6455, section 5.7; the unmasked examples with a mask of zeros.
    @Test(arguments: [
        ("81 85 37fa213d 7f9f4d5158", [Received(.text, hello)]),
        ("01 83 00000000 48656c 80 82 00000000 6c6f", [Received(.text, hello)]),
        ("89 85 00000000 48656c6c6f", [Received(.ping, hello)]),
        ("8a 85 37fa213d 7f9f4d5158", [Received(.pong, hello)]),
    ])
    func examplesOfTheStandardAreRead(text: String, expected: [Received]) {
        var decoder = FrameDecoder(limits: FrameDecoder.generous)
        #expect(decoder.events(bytes(text)) == expected)
    }

    @Test(arguments: [("82 fe 0100", 256), ("82 ff 0000000000010000", 65_536)])
    func longExamplesOfTheStandardAreRead(header: String, count: Int) {
        let payload = Array(repeating: UInt8(7), count: count)
        var decoder = FrameDecoder(limits: FrameDecoder.generous)
        #expect(decoder.events(bytes(header) + [0, 0, 0, 0] + payload) == [Received(.binary, payload)])
    }

    @Test(arguments: 0..<16 as Range<UInt8>)
    func reservedOpcodesAreViolations(opcode: UInt8) {
        let expected: [UInt8: Received] = [
            1: Received(.text), 2: Received(.binary), 8: Received(.close(nil)), 9: Received(.ping), 10: Received(.pong),
        ]
        let events = FrameDecoder.events(ClientFrame(opcode: opcode))
        #expect(events == expected[opcode].map { [$0] } ?? violation(1002))
    }

    @Test(arguments: [1, 2, 8, 9, 10] as [UInt8], 1..<8 as Range<UInt8>)
    func reservedBitsAreViolations(opcode: UInt8, reserved: UInt8) {
        #expect(FrameDecoder.events(ClientFrame(opcode: opcode, reserved: reserved)) == violation(1002))
    }

    @Test(arguments: [1, 2, 8, 9, 10] as [UInt8])
    func unmaskedFramesAreViolations(opcode: UInt8) {
        #expect(FrameDecoder.events(ClientFrame(opcode: opcode, payload: [1, 2], mask: [])) == violation(1002))
        #expect(FrameDecoder.events(ClientFrame(opcode: opcode, mask: [])) == violation(1002))
    }

    @Test func brokenRuleIsTold() {
        // Nothing after the first two bytes needs to come.
        for frame in [
            ClientFrame(opcode: 3), ClientFrame(opcode: 1, reserved: 4), ClientFrame(opcode: 1, mask: []),
            ClientFrame(opcode: 0), ClientFrame(opcode: 9, isFinal: false), ClientFrame(opcode: 9, length: 126),
        ] {
            var decoder = FrameDecoder(limits: FrameDecoder.generous)
            #expect(decoder.events(frame.bytes.prefix(2)) == violation(1002))
        }
    }

    @Test(arguments: [
        (125, 0, true), (125, 2, false), (0, 2, false), (126, 2, true), (65_535, 2, true), (0, 8, false),
        (125, 8, false),
        (126, 8, false), (65_535, 8, false), (65_536, 8, true),
    ])
    func lengthMustBeInItsShortestForm(byteCount: Int, lengthByteCount: Int, isValid: Bool) {
        let payload = Array(repeating: UInt8(1), count: byteCount)
        let frame = ClientFrame(opcode: 2, payload: payload, lengthByteCount: lengthByteCount)
        #expect(FrameDecoder.events(frame) == (isValid ? [Received(.binary, payload)] : violation(1002)))
    }

    @Test(
        arguments: [
            (UInt64(1) << 63, 1002), (.max, 1002), (UInt64(1) << 63 - 1, 1009), (UInt64(1) << 32, 1009),
            (1_048_577, 1009),
        ] as [(UInt64, UInt16)])
    func hugeLengthIsToldBeforeAnyPayload(length: UInt64, code: UInt16) {
        #expect(FrameDecoder.events(ClientFrame(opcode: 2, length: length)) == violation(code))
    }

    @Test(arguments: [8, 9, 10] as [UInt8])
    func controlFramesAreWholeAndShort(opcode: UInt8) {
        #expect(FrameDecoder.events(ClientFrame(opcode: opcode, isFinal: false)) == violation(1002))
        let payload = [3, 0xE8] + Array(repeating: UInt8(ascii: "x"), count: 123)
        let events = FrameDecoder.events(ClientFrame(opcode: opcode, payload: payload))
        #expect(events.map(\.payload) == [payload])
        #expect(FrameDecoder.events(ClientFrame(opcode: opcode, payload: payload + [0x78])) == violation(1002))
        #expect(FrameDecoder.events(ClientFrame(opcode: opcode, length: 65_536)) == violation(1002))
    }

    @Test func controlFramesMayStandBetweenFragments() {
        let events = FrameDecoder.events(
            .text("Hel", isFinal: false), .ping([1]), .continuation(Array("l".utf8), isFinal: false), .pong([2, 3]),
            .ping(), .continuation(Array("o".utf8)), .close(1000, Array("bye".utf8)))
        #expect(
            events == [
                Received(.ping, [1]), Received(.pong, [2, 3]), Received(.ping), Received(.text, hello),
                Received(.close(.normal), [3, 0xE8] + Array("bye".utf8)),
            ])
    }

    @Test(
        arguments: [
            [.continuation([])], [.text("a"), .continuation([1])], [.text("a", isFinal: false), .text("b")],
            [.binary([1], isFinal: false), .binary([2])], [.text("a", isFinal: false), .ping(), .binary([1])],
            [.binary([], isFinal: false), .continuation([]), .continuation([])],
        ] as [[ClientFrame]])
    func messagesDoNotMix(frames: [ClientFrame]) {
        var decoder = FrameDecoder(limits: FrameDecoder.generous)
        #expect(decoder.events(frames.flatMap(\.bytes)).last == violation(1002).first)
    }

    @Test func messagesFollowEachOther() {
        let events = FrameDecoder.events(
            .text(""), .binary([1, 2]), .text("a", isFinal: false), .continuation([]), .binary([]), .text("é"))
        #expect(
            events == [
                Received(.text), Received(.binary, [1, 2]), Received(.text, [0x61]), Received(.binary),
                Received(.text, [0xC3, 0xA9]),
            ])
    }

    // MARK: Limits

    @Test func messageOfTheLimitIsWhole() {
        let limit = 1_024 * 1_024
        let payload = Array(repeating: UInt8(0x5A), count: limit)
        #expect(FrameDecoder.events(.binary(payload)) == [Received(.binary, payload)])
        let half = Array(payload[..<(limit / 2)])
        #expect(
            FrameDecoder.events(
                .binary(half, isFinal: false), .continuation(half, isFinal: false), .ping([1]), .continuation([]))
                == [Received(.ping, [1]), Received(.binary, payload)])
        #expect(FrameDecoder.events(.binary(half, isFinal: false), .continuation(half + [1])) == violation(1009))
        #expect(
            FrameDecoder.events(
                .binary(half, isFinal: false), .continuation(half, isFinal: false), .continuation([1], isFinal: false))
                == violation(1009))
    }

    @Test func limitIsThatOfOneMessage() {
        let limits = FrameDecoder.Limits(messageByteCount: 4, fragmentCount: 2)
        let frames: [ClientFrame] = [
            .binary([1, 2], isFinal: false), .continuation([3, 4]), .binary([5, 6, 7, 8]), .binary([], isFinal: false),
            .continuation([9]), .binary([1, 2, 3, 4, 5]),
        ]
        var decoder = FrameDecoder(limits: limits)
        let events = decoder.events(frames.flatMap(\.bytes))
        #expect(
            events == [Received(.binary, [1, 2, 3, 4]), Received(.binary, [5, 6, 7, 8]), Received(.binary, [9])]
                + violation(1009))
    }

    @Test func fragmentsAreCounted() {
        func events(_ count: Int) -> [Received] {
            var decoder = FrameDecoder(limits: FrameDecoder.generous)
            let middle = (0..<count - 2).flatMap { _ in
                ClientFrame.continuation([7], isFinal: false).bytes + ClientFrame.ping().bytes
            }
            let bytes = ClientFrame.binary([7], isFinal: false).bytes + middle + ClientFrame.continuation([7]).bytes
            return decoder.events(bytes).filter { $0.event != .ping }
        }
        #expect(events(1_024) == [Received(.binary, Array(repeating: 7, count: 1_024))])
        #expect(events(1_025) == violation(1009))
    }

    @Test func memoryGrowsWithWhatHasCome() {
        var decoder = FrameDecoder(limits: FrameDecoder.generous)
        let frame = ClientFrame.binary(Array(repeating: 1, count: 1_024 * 1_024)).bytes
        #expect(decoder.events(frame.prefix(1_000)) == [])
        #expect(decoder.byteCapacity < 4_096)
        var offset = 1_000
        var event = decoder.next(frame.span, &offset)
        #expect(event == .binary)
        #expect(decoder.byteCapacity >= 1_024 * 1_024)
        #expect(decoder.byteCapacity <= 2 * 1_024 * 1_024 + 4_096)
        // A large message is not kept beyond the next call.
        event = decoder.next(frame.span, &offset)
        #expect(event == nil)
        #expect(decoder.byteCapacity <= 64 * 1_024)
    }

    // MARK: Text

    /// RFC 3629, sections 3, 4 and 10.
    private static let validTexts = [
        "", "00", "7f", "c280", "dfbf", "e0a080", "ed9fbf", "ee8080", "efbfbf", "f0908080", "f48fbfbf",
        "41e289a2ce912e", "ed959ceab5adec96b4", "e697a5e69cace8aa9e", "efbbbff0a38eb4", "cebae1bdb9cf83cebcceb5",
    ]
    private static let invalidTexts = [
        "c328", "80", "bf", "c3", "c0af", "c080", "c1bf", "e08080", "e09fbf", "e0a0", "eda080", "edbfbf",
        "eda0bdedb880",
        "f0808080", "f08fbfbf", "f0908f", "f4908080", "f5808080", "f888808080", "fe", "ff", "4180", "c3a9c3", "e2c3a9",
    ]

    @Test(arguments: validTexts)
    func textIsUTF8HoweverItIsCut(text: String) {
        let payload = bytes(text)
        for cut in 0...payload.count {
            let frames: [ClientFrame] = [
                ClientFrame(opcode: 1, payload: Array(payload[..<cut]), isFinal: false),
                .continuation(Array(payload[cut...])),
            ]
            var decoder = FrameDecoder(limits: FrameDecoder.generous)
            #expect(decoder.events(frames.flatMap(\.bytes)) == [Received(.text, payload)])
        }
        #expect(FrameDecoder.events(.close(1000, payload)) == [Received(.close(.normal), [3, 0xE8] + payload)])
    }

    @Test(arguments: invalidTexts)
    func whatIsNoUTF8IsNoText(text: String) {
        let payload = bytes(text)
        for cut in 0...payload.count {
            let first = ClientFrame(opcode: 1, payload: Array(payload[..<cut]), isFinal: false)
            #expect(FrameDecoder.events(first, .continuation(Array(payload[cut...]))) == violation(1007))
        }
        #expect(FrameDecoder.events(ClientFrame(opcode: 1, payload: payload)) == violation(1007))
        #expect(FrameDecoder.events(.close(1000, payload)) == violation(1007))
        // Other payloads are just bytes.
        #expect(FrameDecoder.events(.binary(payload), .ping(payload)).map(\.payload) == [payload, payload])
    }

    // MARK: Close

    @Test(
        arguments: [
            (0, false), (1, false), (999, false), (1000, true), (1001, true), (1002, true), (1003, true), (1004, false),
            (1005, false), (1006, false), (1007, true), (1008, true), (1009, true), (1010, true), (1011, true),
            (1012, true),
            (1013, true), (1014, true), (1015, false), (1016, false), (1100, false), (2999, false), (3000, true),
            (3999, true),
            (4000, true), (4999, true), (5000, false), (65_535, false),
        ] as [(UInt16, Bool)])
    func closeNeedsACodeThatMayBeSent(code: UInt16, isValid: Bool) {
        let frame = ClientFrame.close(code)
        let expected = [Received(.close(CloseCode(rawValue: code)), frame.payload)]
        #expect(FrameDecoder.events(frame) == (isValid ? expected : violation(1002)))
    }

    @Test func closeHasNoCodeOrAWholeOne() {
        #expect(FrameDecoder.events(ClientFrame(opcode: 8)) == [Received(.close(nil))])
        #expect(FrameDecoder.events(ClientFrame(opcode: 8, payload: [3])) == violation(1002))
    }

    // MARK: Random streams

    @Test(arguments: 0..<30 as Range<UInt64>)
    func streamIsReadTheSameHoweverItIsCut(round: UInt64) {
        var generator = SeededGenerator(round: round)
        let (stream, expected) = generator.stream()
        var whole = FrameDecoder(limits: FrameDecoder.generous)
        #expect(whole.events(stream) == expected)
        var cut = FrameDecoder(limits: FrameDecoder.generous)
        #expect(generator.pieces(of: stream).flatMap { cut.events($0) } == expected)
        var single = FrameDecoder(limits: FrameDecoder.generous)
        #expect(stream.flatMap { single.events([$0]) } == expected)
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func brokenStreamIsReadTheSameHoweverItIsCut(round: UInt64) {
        var generator = SeededGenerator(round: round)
        var stream = generator.stream().0
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            stream[.random(in: stream.indices, using: &generator)] = UInt8(truncatingIfNeeded: generator.next())
        }
        let limits = FrameDecoder.Limits(messageByteCount: 2_000, fragmentCount: 4)
        var whole = FrameDecoder(limits: limits)
        let expected = whole.events(stream)
        var cut = FrameDecoder(limits: limits)
        var events: [Received] = []
        for piece in generator.pieces(of: stream) {
            events += cut.events(piece)
            if case .violation = events.last?.event { break }
        }
        #expect(events == expected)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func randomBytesNeverTrap(round: UInt64) {
        var generator = SeededGenerator(round: round)
        let limits = FrameDecoder.Limits(messageByteCount: 100, fragmentCount: 3)
        for _ in 0..<500 {
            var stream = generator.bytes(.random(in: 0..<64, using: &generator))
            // Most first bytes break a rule at once.
            if stream.count > 1, generator.isOne(in: 2) {
                stream[0] = [0x81, 0x82, 0x88, 0x89, 0x01].randomElement(using: &generator) ?? 0x81
                stream[1] |= 0x80
            }
            var decoder = FrameDecoder(limits: limits)
            for event in decoder.events(stream) { #expect(event.payload.count <= 125) }
            #expect(decoder.byteCapacity <= 256)
        }
    }
}

extension SeededGenerator {
    /// Frames that keep the rules, and what is to be read from them.
    fileprivate mutating func stream() -> ([UInt8], [Received]) {
        var stream: [UInt8] = []
        var events: [Received] = []
        for _ in 0..<Int.random(in: 1..<12, using: &self) {
            let isText = isOne(in: 2)
            let longest = [1, 130, 3_000, 70_000].randomElement(using: &self) ?? 1
            let payload =
                isText
                ? Array(String(repeating: "aé€😀", count: longest / 20).utf8)
                : bytes(.random(in: 0..<longest, using: &self))
            var rest = payload[...]
            var opcode: UInt8 = isText ? 1 : 2
            while isOne(in: 2) {
                let fragment = rest.prefix(.random(in: 0...rest.count, using: &self))
                rest = rest.dropFirst(fragment.count)
                stream += frame(opcode, Array(fragment), isFinal: false)
                opcode = 0
                if isOne(in: 2) { control(&stream, &events) }
            }
            stream += frame(opcode, Array(rest), isFinal: true)
            events.append(Received(isText ? .text : .binary, payload))
            if isOne(in: 3) { control(&stream, &events) }
        }
        return (stream, events)
    }

    private mutating func control(_ stream: inout [UInt8], _ events: inout [Received]) {
        let payload = bytes(.random(in: 0...125, using: &self))
        let isPing = isOne(in: 2)
        stream += frame(isPing ? 9 : 10, payload, isFinal: true)
        events.append(Received(isPing ? .ping : .pong, payload))
    }

    private mutating func frame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool) -> [UInt8] {
        ClientFrame(opcode: opcode, payload: payload, isFinal: isFinal, mask: bytes(4)).bytes
    }
}
