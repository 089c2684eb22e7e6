import Networking
import Testing

/// What has to be there before a connection gets a session.
@Suite struct FirstRecordTests {
    private let record: [UInt8] = [22, 3, 1, 1, 4] + Array(repeating: 7, count: 260)

    private func taken(_ bytes: [UInt8]) -> (record: FirstRecord, count: Int) {
        var record = FirstRecord()
        let count = record.take(bytes.span)
        return (record, count)
    }

    @Test func aWholeRecordIsCompleteWhateverFollows() {
        for rest in [[], [22, 3, 1], Array(repeating: 9, count: 50_000)] as [[UInt8]] {
            let (first, count) = taken(record + rest)
            #expect(first.state == .complete && first.bytes == record && count == record.count)
        }
    }

    @Test func bytesMayComeOneByOne() {
        var first = FirstRecord()
        for (index, byte) in record.enumerated() {
            #expect(first.state == .incomplete)
            #expect(first.byteCount == (index < 5 ? 0 : record.count), "as soon as it is known")
            #expect(first.take([byte].span) == 1)
        }
        #expect(first.state == .complete && first.bytes == record)
    }

    @Test(arguments: [(0, false), (1, true), (16_384, true), (16_385, false), (65_535, false)])
    func theSizeIsBounded(count: Int, isTaken: Bool) {
        let header = [22, 3, 3, UInt8(count >> 8), UInt8(count & 0xFF)]
        #expect(taken(header).record.state == (isTaken ? .incomplete : .foreign))
        let (first, _) = taken(header + Array(repeating: 1, count: 100_000))
        #expect(first.state == (isTaken ? .complete : .foreign))
        #expect(first.bytes.count == (isTaken ? 5 + count : 5))
    }

    @Test(arguments: [[0], [20], [21], [23, 3, 3], [22, 2], [22, 4], [0x80, 0x2E, 1], [255]] as [[UInt8]])
    func whatBeginsNoHandshakeIsForeign(bytes: [UInt8]) { #expect(taken(bytes).record.state == .foreign) }

    @Test(arguments: ["G", "GET / HTTP/1.1\r\n", "post"])
    func plainHTTPIsKnownByItsFirstByte(text: String) {
        let (first, count) = taken(Array(text.utf8))
        #expect(first.state == .plainHTTP && count <= 5)
    }
}
