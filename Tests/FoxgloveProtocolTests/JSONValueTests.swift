import FoxgloveProtocol
import TestSupport
import Testing

@Suite("JSON")
struct JSONValueTests {
    @Test(
        arguments: [
            ("null", .null), ("true", .bool(true)), ("false", .bool(false)), (" \t\r\n1 \t\r\n", .number(1)),
            ("0", .number(0)), ("-0", .number(-0.0)), ("12.5", .number(12.5)), ("-1.5e3", .number(-1500)),
            ("2E+2", .number(200)), ("25e-2", .number(0.25)), ("4294967295", .number(4_294_967_295)),
            ("0.1", .number(0.1)), ("9007199254740993", .number(9_007_199_254_740_992)),
            ("\"\"", .string("")), ("\"a/b\"", .string("a/b")), ("\"é€😀\"", .string("é€😀")),
            (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")),
            (#""\u0041\u00e9\u20AC\ud83d\ude00\u0000""#, .string("Aé€😀\0")),
            ("[]", .array([])), ("[ ]", .array([])), ("{}", .object([:])), ("{ }", .object([:])),
            ("[1,[true,null]]", .array([.number(1), .array([.bool(true), .null])])),
            (#" { "a" : { "b" : [ ] } , "" : "x" } "#, .object(["a": .object(["b": .array([])]), "": .string("x")])),
            (#"{"a":1,"a":2}"#, .object(["a": .number(2)])),
        ] as [(String, JSONValue)])
    func textIsRead(text: String, expected: JSONValue) throws {
        #expect(try JSONValue(parsing: Array(text.utf8)) == expected)
    }

    @Test(arguments: [
        "", " ", "{nope", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1]]", "{", "}", "{\"a\"}", "{\"a\":}",
        "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}", "1 2", "[}", "{]", "nul", "nulls", "True",
        "NaN",
        "Infinity", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0e", "1.e1", "--1", "1-1", "1.5.5", "0x10",
        "1_000",
        "\"", "\"a", "'a'", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u+123\"", "\"a\tb\"", "\"a\nb\"",
        "\"\u{0}\"",
        "\"\u{1F}\"", "/*a*/1", "1//", "\u{A0}1", "\u{C}1", "\u{FEFF}{}",
        // Halves of surrogate pairs.
        #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, #""\ud800x""#, #""\ud800\ud800""#, #""\ude00\ud83d""#,
    ])
    func whatIsNoJSONIsRefused(text: String) {
        #expect(throws: JSONValue.Malformation.notJSON) { try JSONValue(parsing: Array(text.utf8)) }
    }

    @Test(
        arguments: [
            [0xC3, 0x28], [0x80], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0xFF],
        ] as [[UInt8]])
    func whatIsNoUTF8IsRefused(bytes: [UInt8]) {
        #expect(throws: JSONValue.Malformation.notJSON) { try JSONValue(parsing: [0x22] + bytes + [0x22]) }
        #expect(throws: JSONValue.Malformation.notJSON) { try JSONValue(parsing: bytes) }
    }

    private func utf16(_ text: String) -> [UInt8] {
        text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    }

    @Test func otherEncodingsAreNotGuessed() {
        let text = #"{"op":"subscribe"}"#
        let encodings: [[UInt8]] = [
            utf16(text), Array(utf16(text).reversed()), text.utf8.flatMap { [$0, 0, 0, 0] },
        ]
        for bytes in encodings {
            #expect(throws: JSONValue.Malformation.notJSON) { try JSONValue(parsing: bytes) }
        }
    }

    @Test(arguments: [("1e999", Double.infinity), ("-1e999", -Double.infinity), ("1e-999", 0), ("0e999", 0)])
    func numbersBeyondADoubleKeepTheirSign(text: String, expected: Double) throws {
        #expect(try JSONValue(parsing: Array(text.utf8)) == .number(expected))
    }

    @Test(arguments: ["[", "{\"a\":"])
    func depthIsLimited(open: String) throws {
        let close = open == "[" ? "]" : "}"
        func nested(_ depth: Int) -> [UInt8] {
            let text = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            return Array(text.utf8)
        }
        #expect(JSONValue.depthLimit == 32)
        #expect(throws: Never.self) { try JSONValue(parsing: nested(32)) }
        #expect(throws: JSONValue.Malformation.tooDeep) { try JSONValue(parsing: nested(33)) }
        #expect(throws: JSONValue.Malformation.tooDeep) { try JSONValue(parsing: nested(50_000)) }
    }

    @Test func onlyOpenBracketsAreDepth() throws {
        let flat = "[" + String(repeating: "[],", count: 100) + "\"" + String(repeating: "[{\\\"", count: 100) + "\"]"
        #expect(throws: Never.self) { try JSONValue(parsing: Array(flat.utf8)) }
        #expect(throws: JSONValue.Malformation.tooDeep) {
            try JSONValue(parsing: Array(String(repeating: "[", count: 50_000).utf8))
        }
        // Bytes that hold brackets and quotes only in an encoding that was never promised.
        let hidden = "[\"\u{2200}\"," + String(repeating: "[", count: 100)
        #expect(throws: JSONValue.Malformation.notJSON) {
            try JSONValue(parsing: utf16(hidden))
        }
    }

    @Test(arguments: ["1", "[]", "{}", "\"\"", "null", "-1e999"])
    func aMebibyteOfSmallValuesIsRead(element: String) throws {
        let count = 1_024 * 1_024 / (element.utf8.count + 1)
        let text = "[" + Array(repeating: element, count: count).joined(separator: ",") + "]"
        guard case .array(let elements) = try JSONValue(parsing: Array(text.utf8)) else {
            Issue.record("not an array")
            return
        }
        #expect(elements.count == count)
    }

    @Test func aMebibyteOfDigitsIsOneNumber() throws {
        #expect(try JSONValue(parsing: Array(repeating: UInt8(ascii: "9"), count: 1_024 * 1_024)) == .number(.infinity))
    }

    @Test(
        arguments: [
            (0, 0), (1, 1), (4_294_967_295, 4_294_967_295), (4_294_967_296, nil), (-1, nil), (0.5, nil),
            (.infinity, nil),
            (1e300, nil), (-0.0, 0),
        ] as [(Double, UInt32?)])
    func onlyIntegersOf32BitsAreIDs(number: Double, expected: UInt32?) {
        #expect(JSONValue.number(number).unsigned == expected)
    }

    @Test(arguments: [JSONValue.null, .bool(true), .string("1"), .array([.number(1)]), .object([:])])
    func onlyNumbersAreIDs(value: JSONValue) {
        #expect(value.unsigned == nil)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func whatIsWrittenIsReadBack(round: UInt64) throws {
        var generator = SeededGenerator(round: round)
        for _ in 0..<50 {
            let value = generator.value(depth: 5)
            let text = generator.text(of: value)
            #expect(try JSONValue(parsing: Array(text.utf8)) == value, "\(text)")
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func randomBytesNeverTrap(round: UInt64) {
        var generator = SeededGenerator(round: round)
        let alphabet = Array(#"[]{}:,"\u0dD89e+-.truefalsn "#.utf8) + [0, 0x80, 0xC3, 0xFF]
        for _ in 0..<500 {
            var text = generator.bytes(.random(in: 0..<40, using: &generator))
            _ = try? JSONValue(parsing: text)
            text = text.map { alphabet[Int($0) % alphabet.count] }
            _ = try? JSONValue(parsing: text)
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func everyBeginningOfAnObjectIsRefused(round: UInt64) {
        var generator = SeededGenerator(round: round)
        let text = Array(generator.text(of: .object(["a": generator.value(depth: 4)])).utf8)
        for count in 0..<text.count where text[count...].contains(UInt8(ascii: "}")) {
            #expect(throws: JSONValue.Malformation.notJSON) { try JSONValue(parsing: Array(text[..<count])) }
        }
    }
}

extension SeededGenerator {
    fileprivate mutating func value(depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &self) {
        case 0: .null
        case 1: .bool(isOne(in: 2))
        case 2: .number(Double(Int32(truncatingIfNeeded: next())))
        case 3: .number(Double.random(in: -1e12...1e12, using: &self))
        case 4: .string(string())
        case 5: .array((0..<Int.random(in: 0..<4, using: &self)).map { _ in value(depth: depth - 1) })
        default:
            .object(
                Dictionary(
                    (0..<Int.random(in: 0..<4, using: &self)).map { _ in (string(), value(depth: depth - 1)) },
                    uniquingKeysWith: { first, _ in first }))
        }
    }

    private mutating func string() -> String {
        let scalars: [Unicode.Scalar] = ["a", "\"", "\\", "/", "\n", "\0", "\u{7F}", "é", "€", "😀", "\u{FFFF}", "]"]
        var string = ""
        for _ in 0..<Int.random(in: 0..<6, using: &self) {
            string.unicodeScalars.append(scalars.randomElement(using: &self) ?? "a")
        }
        return string
    }

    /// JSON with blanks and escapes as it happens.
    fileprivate mutating func text(of value: JSONValue) -> String {
        let core =
            switch value {
            case .null: "null"
            case .bool(let bool): "\(bool)"
            case .number(let number): "\(number)"
            case .string(let string): quoted(string)
            case .array(let elements): "[" + elements.map { text(of: $0) }.joined(separator: ",") + blank() + "]"
            case .object(let members):
                "{" + members.map { blank() + quoted($0) + blank() + ":" + text(of: $1) }.joined(separator: ",") + "}"
            }
        return blank() + core + blank()
    }

    private mutating func blank() -> String { ["", "", " ", "\t", "\r\n"].randomElement(using: &self) ?? "" }

    private mutating func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            if scalar.value < 0x20 || scalar == "\"" || scalar == "\\" || isOne(in: 3) {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16, uppercase: isOne(in: 2))
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
