import FoxgloveProtocol
import SysmonAgent
import TestSupport
import Testing

/// JSON5 as spec.json5.org tells it, with the places of what is in it.
struct JSON5Tests {
    private static func json(_ text: String) throws(JSON5Reader.Mistake) -> String {
        try JSON5Reader.value(of: Array(text.utf8)).json.text
    }

    @Test(
        arguments: [
            ("{}", "{}"), ("[]", "[]"), (" \t\n\u{FEFF}\u{A0}\u{2028}null // end", "null"),
            ("/* a * / b **/true", "true"),
            ("{a: 1, $b_2: 2, 'c d': 3, \"e\": 4, ü: 5,}", #"{"$b_2":2,"a":1,"c d":3,"e":4,"ü":5}"#),
            ("[1, 2,]", "[1,2]"), ("{null: null, true: true}", #"{"null":null,"true":true}"#),
            (#"'a"b\'c'"#, #""a\"b'c""#), (#""a'b\"c""#, #""a'b\"c""#),
            (#"'\b\f\n\r\t\v\0\x41\u00e9\ud83d\ude00\/\q'"#, #""\b\f\n\r\t\u000b\u0000Aé😀/q""#),
            ("'one \\\ntwo \\\r\nthree'", #""one two three""#),
            ("[0, -0.5, +1, .5, 5., 1e3, 1E-2, 0x10, -0xFf, +.5e+1]", "[0,-0.5,1,0.5,5,1000,0.01,16,-255,5]"),
            ("'\u{2028}'", "\"\u{2028}\""),
        ])
    func whatTheSpecificationAllowsIsRead(text: String, expected: String) throws {
        #expect(try Self.json(text) == expected)
    }

    @Test func numbersWithoutBoundsAreLeftToWhoeverChecksThem() throws {
        let value = try JSON5Reader.value(of: Array("[Infinity, -Infinity, +Infinity, 1e999]".utf8)).json
        #expect(value == .array([.number(.infinity), .number(-.infinity), .number(.infinity), .number(.infinity)]))
        guard case .number(let number) = try JSON5Reader.value(of: Array("-NaN".utf8)).json else {
            Issue.record("no number")
            return
        }
        #expect(number.isNaN)
    }

    @Test(
        arguments: [
            ("", 1, 1, "a value is missing"), ("{a: }", 1, 5, #""}" stands where a value belongs"#),
            ("{\n  a 1}", 2, 5, #""1" stands where a colon belongs, behind "a""#),
            ("{a: 1 b: 2}", 1, 7, #""b" stands where a comma or "}" belongs"#),
            ("{a: 1", 1, 1, "this bracket is not closed"), ("[1,,2]", 1, 4, #""," stands where a value belongs"#),
            ("{,}", 1, 2, #""," stands where a name belongs"#), ("[,]", 1, 2, #""," stands where a value belongs"#),
            ("{a: yes}", 1, 5, #""yes" is no value; put text in quotes"#),
            ("{/cpu: 1}", 1, 2, #""/" stands where a comment begins with // or /*"#),
            ("\r\n\r{a: 'x\ny'}", 3, 5, "this text is not closed on its line"),
            ("/* a", 1, 1, "this comment is not closed"), ("1 2", 1, 3, #""2" stands after the value"#),
            ("010", 1, 1, "this is no number"), ("1_000", 1, 1, "this is no number"),
            ("0x", 1, 1, "this is no number"),
            (".", 1, 1, "this is no number"), ("[1e]", 1, 2, "this is no number"), ("[-]", 1, 2, "this is no number"),
            (#"'\1'"#, 1, 3, #"there is no escape \1"#), (#"'\01'"#, 1, 3, #"\0 may not stand before a digit"#),
            (#"'\ud800'"#, 1, 3, "this escape is half a character"),
            (#"'\x4'"#, 1, 5, #""'" stands where 2 hexadecimal digits belong"#),
            ("'\\", 1, 3, "the text ends too early"),
        ])
    func whatIsWrongIsNamedWithItsPlace(text: String, line: Int, column: Int, expected: String) {
        let mistake = JSON5Reader.Mistake(place: TextPlace(line: line, column: column), text: expected)
        #expect(throws: mistake) { try JSON5Reader.value(of: Array(text.utf8)) }
    }

    @Test func everyNameAndValueHasItsPlace() throws {
        let value = try JSON5Reader.value(of: Array("{ // note\r\n\ta: ['é', 2,\n  /* */ \"b\"],\rb: {}}".utf8))
        let place = { (line: Int, column: Int) in TextPlace(line: line, column: column) }
        #expect(
            value
                == PlacedValue(
                    .object([
                        .init(
                            name: "a", place: place(2, 2),
                            value: PlacedValue(
                                .array([
                                    PlacedValue(.scalar(.string("é")), at: place(2, 6)),
                                    PlacedValue(.scalar(.number(2)), at: place(2, 11)),
                                    PlacedValue(.scalar(.string("b")), at: place(3, 9)),
                                ]), at: place(2, 5))),
                        .init(name: "b", place: place(4, 1), value: PlacedValue(.object([]), at: place(4, 4))),
                    ]), at: place(1, 1)))
    }

    @Test func namesThatStandTwiceAreFound() throws {
        let value = try JSON5Reader.value(of: Array("{a: [{b: 1, 'b': 2}],\n a: 3, c: 4}".utf8))
        let found = value.repeatedMembers.map {
            "\($0.again.name) \($0.again.place?.line ?? 0) \($0.first.place?.line ?? 0)"
        }
        #expect(found == ["b 1 1", "a 2 1"])
    }

    /// Whatever JSON holds is read alike, and whatever else comes is refused at a place within the text.
    @Test func randomTextsAreReadLikeJSONOrRefusedAtAPlace() throws {
        var random = SeededGenerator(round: 5)
        let pieces = [
            "{", "}", "[", "]", ",", ":", "\"a\"", "'b'", "c", "1", "-0.5", "0x1f", "Infinity", "true", "null", " ",
            "\n",
            "\r\n", "//", "/*", "*/", "\\", "\"", "'", "\u{2028}", "é", ".", "e", "+",
        ]
        var jsonCount = 0
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            let strict = try? JSONValue(parsing: Array(text.utf8))
            do throws(JSON5Reader.Mistake) {
                let value = try JSON5Reader.value(of: Array(text.utf8))
                if let strict {
                    jsonCount += 1
                    #expect(value.json == strict, "\(text)")
                }
            } catch {
                #expect(strict == nil, "\(text): \(error.text)")
                let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline && $0 != "\u{2028}" }
                #expect(1...lines.count ~= error.place.line, "\(text)")
                guard lines.indices.contains(error.place.line - 1) else { continue }
                let length = lines[error.place.line - 1].unicodeScalars.count
                #expect(1...(length + 2) ~= error.place.column, "\(text): \(error)")
            }
        }
        #expect(jsonCount > 100)
    }

    @Test func boundsHoldAtAndPast() throws {
        let depth = JSON5Reader.depthLimit
        let nested = { (depth: Int) in
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try Self.json(nested(depth))
        #expect(
            throws: JSON5Reader.Mistake(place: .init(line: 1, column: depth + 1), text: "nested deeper than 32 levels")
        ) {
            try Self.json(nested(depth + 1))
        }
        let text = [UInt8](repeating: 0x20, count: JSON5Reader.byteLimit - 1) + [0x31]
        #expect(try JSON5Reader.value(of: text).json == .number(1))
        #expect(throws: JSON5Reader.Mistake.self) { try JSON5Reader.value(of: text + [0x20]) }
        #expect(throws: JSON5Reader.Mistake(place: .init(line: 1, column: 1), text: "the text is not UTF-8")) {
            try JSON5Reader.value(of: [0x22, 0xFF, 0x22])
        }
    }
}
