import Telemetry
import Testing

@testable import TelemetrySchema

/// Text of the kernel as protobuf and viewers can take it.
@Suite struct TextArenaTests {
    static let cases: [([UInt8], String)] = [
        (Array("eth0".utf8), "eth0"),
        ([], ""),
        (Array("a\tb\u{7F}c\u{0}d\u{85}e".utf8), "abcde"),
        (Array("é€😀".utf8), "é€😀"),
        ([0x61, 0xFF, 0x62], "a\u{FFFD}b"),
        ([0xC3], "\u{FFFD}"),
        ([0xC0, 0x80], "\u{FFFD}\u{FFFD}"),
        ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),
        ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
        ([0xE2, 0x82, 0x41], "\u{FFFD}\u{FFFD}A"),
    ]

    @Test(arguments: cases)
    func badBytesAreReplacedAndControlCharactersGo(bytes: [UInt8], text: String) {
        var arena = TextArena(byteCapacity: 64)
        let appended = arena.append(bytes.span)
        #expect(unsafe String(cString: appended.pointer) == text)
    }

    @Test func textsStandBesideEachOther() {
        var arena = TextArena(byteCapacity: 16)
        let (first, second) = (arena.append("lo"), arena.append("eth0"))
        #expect(unsafe String(cString: first.pointer) == "lo")
        #expect(unsafe String(cString: second.pointer) == "eth0")
    }

    @Test(arguments: [(7, "abcdefg"), (6, "abcdef"), (1, "a"), (0, "")])
    func textBeyondTheRoomIsCutBetweenCharacters(room: Int, text: String) {
        var arena = TextArena(byteCapacity: room + 1)
        let cut = arena.append("abcdefg")
        #expect(unsafe String(cString: cut.pointer) == text)
        let none = arena.append("more")
        #expect(unsafe String(cString: none.pointer).isEmpty)
        var narrow = TextArena(byteCapacity: 4)
        let whole = narrow.append("ab€")
        #expect(unsafe String(cString: whole.pointer) == "ab")
    }
}
