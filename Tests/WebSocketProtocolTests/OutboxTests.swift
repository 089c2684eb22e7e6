import TestSupport
import Testing
import WebSocketProtocol

@Suite("Outbox")
struct OutboxTests {
    @Test func framesStandInOrder() {
        var outbox = Outbox()
        #expect(outbox.isEmpty)
        #expect(outbox.unsentBytes == [])
        outbox.append(text: "Hello")
        outbox.append(.ping, [])
        outbox.append(raw: [0xAA])
        outbox.append(.binary, Array(repeating: 7, count: 256))
        outbox.appendClose(.goingAway, "bye")
        let expected =
            bytes("81 05 48656c6c6f 89 00 aa 82 7e 0100") + Array(repeating: 7, count: 256) + bytes("88 05 03e9 627965")
        #expect(outbox.unsentBytes == expected)
        #expect(outbox.byteCount == expected.count)
        #expect(outbox.messageCount == 4)
        let unsent = outbox.unsent
        #expect(unsent.count == expected.count)
    }

    @Test func messageCountsUntilItsLastByteIsSent() {
        var outbox = Outbox()
        outbox.append(text: "abc")
        outbox.append(raw: [1, 2, 3])
        outbox.append(text: "")
        let counts = (0..<10).map { _ in
            outbox.consume(1)
            return outbox.messageCount
        }
        #expect(counts == [2, 2, 2, 2, 1, 1, 1, 1, 1, 0])
        #expect(outbox.isEmpty)
    }

    @Test(arguments: [
        ("", ""), ("é", "é"), (String(repeating: "a", count: 123), String(repeating: "a", count: 123)),
        (String(repeating: "a", count: 124), String(repeating: "a", count: 123)),
        // A character that does not fit is left out whole: the reason must stay UTF-8.
        (String(repeating: "a", count: 122) + "é", String(repeating: "a", count: 122)),
        (String(repeating: "a", count: 121) + "é", String(repeating: "a", count: 121) + "é"),
        (String(repeating: "a", count: 120) + "😀x", String(repeating: "a", count: 120)),
        (String(repeating: "€", count: 50), String(repeating: "€", count: 41)),
    ])
    func reasonOfACloseIsCutBetweenCharacters(reason: String, sent: String) {
        var outbox = Outbox()
        outbox.appendClose(.policyViolation, reason)
        #expect(outbox.unsentBytes == [0x88, UInt8(2 + sent.utf8.count), 0x03, 0xF0] + Array(sent.utf8))
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func outboxAgreesWithAListOfBytes(round: UInt64) {
        var generator = SeededGenerator(round: round)
        var outbox = Outbox()
        var unsent: [UInt8] = []
        // Where messages end, counted from the first unsent byte.
        var ends: [Int] = []
        for _ in 0..<150 {
            let longest = [10, 200, 3_000, 20_000].randomElement(using: &generator) ?? 10
            let payload = generator.bytes(.random(in: 0..<longest, using: &generator))
            switch Int.random(in: 0..<6, using: &generator) {
            case 0, 1:
                outbox.append(.binary, payload)
                var frame = ClientFrame.binary(payload)
                frame.mask = []
                unsent += frame.bytes
                ends.append(unsent.count)
            case 2:
                outbox.append(raw: payload)
                unsent += payload
            case 3:
                outbox.consume(unsent.count)
                unsent = []
                ends = []
            default:
                let count = Int.random(in: 0...min(unsent.count, longest), using: &generator)
                outbox.consume(count)
                unsent.removeFirst(count)
                ends = ends.map { $0 - count }.filter { $0 > 0 }
            }
            #expect(outbox.isEmpty == unsent.isEmpty)
            #expect(outbox.byteCount == unsent.count)
            #expect(outbox.messageCount == ends.count)
            #expect(outbox.unsentBytes == unsent)
        }
    }

    /// It is the same array for all; only what is short is copied.
    @Test(arguments: [0, 1, 4_096, 4_097, 100_000])
    func bodyComesLast(byteCount: Int) {
        let body = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0) }
        var outbox = Outbox()
        outbox.append(raw: [1, 2, 3])
        outbox.finish(with: body)
        #expect(outbox.unsent.count == (byteCount > 4_096 ? 3 : 3 + byteCount))
        #expect(outbox.body == (byteCount > 4_096 ? body : []))
        var sent: [UInt8] = []
        while !outbox.isEmpty {
            let count = min(1_000, outbox.byteCount)
            let unsent = outbox.unsentBytes
            sent += unsent.prefix(count)
            outbox.consume(count)
            #expect(outbox.unsentBytes == Array(unsent.dropFirst(count)))
        }
        #expect(sent == [1, 2, 3] + body)
        #expect(outbox.body == [] && outbox.unsentBody.isEmpty)
    }
}
