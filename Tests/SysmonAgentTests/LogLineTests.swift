import Foundation
import Telemetry
import Testing

@testable import SysmonAgent

@Suite struct LogLineTests {
    /// `date -u -d @1763668569.123` says 2025-11-20 19:56:09.123.
    private let time = Timestamp(unixNanoseconds: 1_763_668_569_123_999_999)

    @Test func logfmt() {
        #expect(LogLine(.info, "stopping").text(.logfmt, time: nil) == "level=info msg=\"stopping\"\n")
        #expect(
            LogLine(.warning, "no answer", name: "/md").text(.logfmt, time: time)
                == "time=2025-11-20T19:56:09.123Z level=warning msg=\"no answer\" name=/md\n")
    }

    @Test func json() {
        #expect(
            LogLine(.error, "say \"no\"", name: "/md").text(.json, time: time)
                == #"{"time":"2025-11-20T19:56:09.123Z","level":"error","msg":"say \"no\"","name":"/md"}"# + "\n")
    }

    @Test func timesAreThoseOfTheCalendar() {
        // `date -u -d '2024-02-29 23:59:59' +%s`, and the begin of all times.
        for (seconds, text) in [(1_709_251_199, "2024-02-29T23:59:59.000Z"), (0, "1970-01-01T00:00:00.000Z")] {
            let time = Timestamp(unixNanoseconds: UInt64(seconds) * 1_000_000_000)
            #expect(LogLine(.info, "x").text(.logfmt, time: time).hasPrefix("time=\(text) "))
        }
    }

    /// sd-daemon(3).
    @Test(arguments: [(LogLine.Level.error, 3), (.warning, 4), (.info, 6), (.debug, 7)])
    func prioritiesAreThoseOfSyslog(level: LogLine.Level, priority: Int) {
        #expect(
            LogLine(level, "x").text(.logfmt, time: nil, hasPriority: true) == "<\(priority)>level=\(level) msg=\"x\"\n"
        )
        #expect(LogLine(level, "x").text(.json, time: nil, hasPriority: true).hasPrefix("<\(priority)>{\"level\""))
    }

    @Test func leftOutLinesAreCounted() {
        var line = LogLine(.info, "x")
        line.leftOutCount = 12
        #expect(line.text(.logfmt, time: nil) == "level=info msg=\"x\" left_out=12\n")
        #expect(line.text(.json, time: nil) == "{\"level\":\"info\",\"msg\":\"x\",\"left_out\":12}\n")
    }

    @Test func whatDoesNotShowIsEscaped() {
        let hostile = "a\n<0>b\r\u{1b}[2J\u{0}\u{7f}\u{85}\u{9b}\u{2028}\u{202e}\u{feff}\u{e0001}\t\\\"é €"
        let escaped =
            #"a\n<0>b\r\u001b[2J\u0000\u007f\u0085\u009b\u2028\u202e\ufeff\udb40\udc01\t\\\"é €"#
        #expect(LogLine(.info, hostile).text(.logfmt, time: nil) == "level=info msg=\"\(escaped)\"\n")
        #expect(LogLine(.info, hostile).text(.json, time: nil) == "{\"level\":\"info\",\"msg\":\"\(escaped)\"}\n")
    }

    @Test(arguments: [("", "\"\""), ("a b", "\"a b\""), ("a=b", "\"a=b\""), ("é", "\"é\""), ("/cpu", "/cpu")])
    func namesAreQuotedWhereTheyNeedIt(name: String, text: String) {
        #expect(LogLine(.info, "x", name: name).text(.logfmt, time: nil) == "level=info msg=\"x\" name=\(text)\n")
    }

    @Test func jsonGivesBackWhatWasSaid() throws {
        let said = "a\n\u{1b}\u{e0001}\"\\ \u{fffd}\u{1f600}"
        let line = LogLine(.info, said, name: said).text(.json, time: time)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["msg"] as? String == said && object["name"] as? String == said)
    }

    @Test func bytesThatAreNoTextAreReplaced() {
        let text = String(decoding: [0x61, 0xFF, 0xC3, 0x28] as [UInt8], as: UTF8.self)
        #expect(LogLine(.info, text).text(.logfmt, time: nil) == "level=info msg=\"a\u{fffd}\u{fffd}(\"\n")
    }

    @Test func aMessageIsCutBeyondItsLimit() {
        let ellipsisCount = "…".utf8.count
        for (character, byteCount) in [("x", 1), ("é", 2), ("\u{0}", 6)] {
            let fitting = (LogLine.messageByteLimit - ellipsisCount) / byteCount
            let whole = LogLine(.info, String(repeating: character, count: fitting)).text(.json, time: nil)
            let cut = LogLine(.info, String(repeating: character, count: fitting + 1)).text(.json, time: nil)
            #expect(!whole.contains("…"))
            #expect(cut == whole.dropLast(3) + "…\"}\n")
        }
    }

    @Test(arguments: LogLine.Format.allCases)
    func aLineFitsIntoAPipeAtOnce(format: LogLine.Format) {
        let endless = String(repeating: "\u{1b}", count: 10_000)
        var line = LogLine(.warning, endless, name: endless)
        line.leftOutCount = .max
        let text = line.text(format, time: Timestamp(unixNanoseconds: .max), hasPriority: true)
        #expect(text.utf8.count <= LogLine.byteLimit && text.utf8.count > 3_700)
        #expect(text.hasSuffix("\n") && text.filter(\.isNewline).count == 1)
    }
}
