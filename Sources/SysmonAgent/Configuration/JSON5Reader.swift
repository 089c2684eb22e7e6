internal import FoxgloveProtocol

/// Reads JSON5 text (spec.json5.org), but for escapes in names without quotes.
///
/// Our own, because FoundationEssentials' decoder does not tell the line and column of what it read.
package struct JSON5Reader {
    /// Why a text is not JSON5.
    package struct Mistake: Error, Equatable, Sendable {
        package var place: TextPlace
        package var text: String

        package init(place: TextPlace, text: String) {
            self.place = place
            self.text = text
        }
    }

    /// Longest text, in bytes.
    package static let byteLimit = 1 << 20
    /// Arrays and objects may be nested this deep.
    package static let depthLimit = 32

    private let text: [Unicode.Scalar]
    private var offset = 0
    private var line = 1
    /// Where the line begins.
    private var lineOffset = 0
    /// Arrays and objects that are open.
    private var depth = 0

    /// The one value that is the whole text.
    package static func value(of bytes: [UInt8]) throws(Mistake) -> PlacedValue {
        let start = TextPlace(line: 1, column: 1)
        guard bytes.count <= byteLimit else {
            throw Mistake(place: start, text: "the text is longer than \(byteLimit) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Mistake(place: start, text: "the text is not UTF-8")
        }
        var reader = JSON5Reader(text: Array(text.unicodeScalars))
        let value = try reader.value()
        try reader.skipBlanks()
        guard reader.next == nil else { throw reader.unexpected("after the value") }
        return value
    }

    private init(text: [Unicode.Scalar]) { self.text = text }

    // MARK: Values

    private mutating func value() throws(Mistake) -> PlacedValue {
        try skipBlanks()
        let start = place
        switch next {
        case "{": return PlacedValue(.object(try members()), at: start)
        case "[": return PlacedValue(.array(try elements()), at: start)
        case "\"", "'": return PlacedValue(.scalar(.string(try string())), at: start)
        case .some(let scalar) where Self.beginsName(scalar):
            let word = try name()
            guard let value = Self.words[word] else {
                throw Mistake(place: start, text: "\(quoted(word)) is no value; put text in quotes")
            }
            return PlacedValue(.scalar(value), at: start)
        default: return PlacedValue(.scalar(.number(try number())), at: start)
        }
    }

    private static let words: [String: JSONValue] = [
        "null": .null, "true": .bool(true), "false": .bool(false), "Infinity": .number(.infinity), "NaN": .number(.nan),
    ]

    private mutating func members() throws(Mistake) -> [PlacedValue.Member] {
        var members: [PlacedValue.Member] = []
        try list(until: "}") { reader throws(Mistake) in
            let place = reader.place
            let name = reader.next == "\"" || reader.next == "'" ? try reader.string() : try reader.name()
            try reader.skipBlanks()
            guard reader.skip(":") else { throw reader.unexpected("where a colon belongs, behind \(quoted(name))") }
            members.append(PlacedValue.Member(name: name, place: place, value: try reader.value()))
        }
        return members
    }

    private mutating func elements() throws(Mistake) -> [PlacedValue] {
        var elements: [PlacedValue] = []
        try list(until: "]") { reader throws(Mistake) in elements.append(try reader.value()) }
        return elements
    }

    /// An opening bracket, `entry` for what stands between the commas, and the closing bracket.
    private mutating func list(
        until end: Unicode.Scalar, entry: (inout JSON5Reader) throws(Mistake) -> Void
    ) throws(Mistake) {
        let start = place
        depth += 1
        guard depth <= Self.depthLimit else {
            throw Mistake(place: start, text: "nested deeper than \(Self.depthLimit) levels")
        }
        advance()
        try skipBlanks()
        while !skip(end) {
            guard next != nil else { throw Mistake(place: start, text: "this bracket is not closed") }
            try entry(&self)
            try skipBlanks()
            guard next != end else { continue }
            guard skip(",") || next == nil else { throw unexpected("where a comma or \"\(end)\" belongs") }
            try skipBlanks()
        }
        depth -= 1
    }

    // MARK: Names and strings

    /// A name without quotes.
    private mutating func name() throws(Mistake) -> String {
        guard let first = next, Self.beginsName(first) else { throw unexpected("where a name belongs") }
        var name = ""
        while let scalar = next, Self.continuesName(scalar) {
            name.unicodeScalars.append(scalar)
            advance()
        }
        return name
    }

    private static func beginsName(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "$" || scalar == "_" || scalar.properties.isAlphabetic
    }

    private static func continuesName(_ scalar: Unicode.Scalar) -> Bool {
        beginsName(scalar) || scalar.properties.isIDContinue
    }

    private mutating func string() throws(Mistake) -> String {
        let start = place
        guard let quote = next else { throw unexpected("where a text belongs") }
        advance()
        var string = ""
        while let scalar = next, !Self.isLineEnd(scalar) {
            if skip(quote) { return string }
            if skip("\\") {
                if let escaped = try escape() { string.unicodeScalars.append(escaped) }
            } else {
                string.unicodeScalars.append(scalar)
                advance()
            }
        }
        throw Mistake(place: start, text: "this text is not closed on its line")
    }

    private static func isLineEnd(_ scalar: Unicode.Scalar) -> Bool { scalar == "\n" || scalar == "\r" }

    /// What follows a backslash; nil: nothing, the text goes on in the next line.
    private mutating func escape() throws(Mistake) -> Unicode.Scalar? {
        guard let scalar = next else { throw unexpected("behind a backslash") }
        let start = place
        advance()
        switch scalar {
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{B}"
        case "0":
            guard let digit = next, "0"..."9" ~= digit else { return "\0" }
            throw Mistake(place: start, text: "\\0 may not stand before a digit")
        case "1"..."9": throw Mistake(place: start, text: "there is no escape \\\(scalar)")
        case "x": return Unicode.Scalar(try hexadecimal(count: 2))
        case "u": return try codePoint(from: start)
        case "\r":
            _ = skip("\n")
            return nil
        case "\n", "\u{2028}", "\u{2029}": return nil
        default: return scalar
        }
    }

    /// A character beyond U+FFFF takes two escapes, neither of which may stand alone.
    private mutating func codePoint(from start: TextPlace) throws(Mistake) -> Unicode.Scalar {
        var code = try hexadecimal(count: 4)
        if 0xD800..<0xDC00 ~= code, skip("\\"), skip("u") {
            let low = try hexadecimal(count: 4)
            code = 0xDC00..<0xE000 ~= low ? 0x1_0000 + (code - 0xD800) << 10 + (low - 0xDC00) : code
        }
        guard let scalar = Unicode.Scalar(code) else {
            throw Mistake(place: start, text: "this escape is half a character")
        }
        return scalar
    }

    private mutating func hexadecimal(count: Int) throws(Mistake) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<count {
            guard let digit = hexadecimalDigit else { throw unexpected("where \(count) hexadecimal digits belong") }
            advance()
            code = code << 4 | UInt32(digit)
        }
        return code
    }

    private var hexadecimalDigit: Int? {
        guard let scalar = next, scalar.isASCII else { return nil }
        return Character(scalar).hexDigitValue
    }

    // MARK: Numbers

    private mutating func number() throws(Mistake) -> Double {
        let start = place
        let isNegative = next == "-"
        if next == "-" || next == "+" { advance() }
        let magnitude: Double?
        if next == "I" || next == "N" {
            magnitude = ["Infinity": .infinity, "NaN": .nan][try name()]
        } else if next == "0", offset + 1 < text.count, text[offset + 1] == "x" || text[offset + 1] == "X" {
            advance()
            advance()
            magnitude = hexadecimalNumber()
        } else {
            magnitude = decimalNumber()
        }
        if let magnitude, next.map(Self.continuesName) != true { return isNegative ? -magnitude : magnitude }
        guard place == start else { throw Mistake(place: start, text: "this is no number") }
        throw next == nil
            ? Mistake(place: start, text: "a value is missing") : unexpected("where a value belongs")
    }

    private mutating func hexadecimalNumber() -> Double? {
        guard hexadecimalDigit != nil else { return nil }
        var number = 0.0
        while let digit = hexadecimalDigit {
            number = number * 16 + Double(digit)
            advance()
        }
        return number
    }

    private mutating func decimalNumber() -> Double? {
        var literal = ""
        let isZero = next == "0"
        let whole = digits()
        // 010 might mean eight to somebody.
        guard !isZero || whole == "0" else { return nil }
        literal += whole.isEmpty ? "0" : whole
        if skip(".") {
            let fraction = digits()
            guard !whole.isEmpty || !fraction.isEmpty else { return nil }
            literal += "." + (fraction.isEmpty ? "0" : fraction)
        } else if whole.isEmpty {
            return nil
        }
        if next == "e" || next == "E" {
            advance()
            literal += "e"
            if let sign = next, sign == "-" || sign == "+" {
                literal.unicodeScalars.append(sign)
                advance()
            }
            let exponent = digits()
            guard !exponent.isEmpty else { return nil }
            literal += exponent
        }
        return Double(literal)
    }

    private mutating func digits() -> String {
        var digits = ""
        while let scalar = next, "0"..."9" ~= scalar {
            digits.unicodeScalars.append(scalar)
            advance()
        }
        return digits
    }

    // MARK: Moving on

    private var next: Unicode.Scalar? { offset < text.count ? text[offset] : nil }

    private var place: TextPlace { TextPlace(line: line, column: offset - lineOffset + 1) }

    private mutating func advance() {
        let scalar = text[offset]
        offset += 1
        // Of a return and a newline together, the newline ends the line.
        guard scalar == "\n" || scalar == "\r" && next != "\n" else { return }
        line += 1
        lineOffset = offset
    }

    private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        advance()
        return true
    }

    /// White space and comments.
    private mutating func skipBlanks() throws(Mistake) {
        while let scalar = next {
            if scalar.properties.isWhitespace || scalar == "\u{FEFF}" {
                advance()
            } else if scalar == "/" {
                try skipComment()
            } else {
                return
            }
        }
    }

    private mutating func skipComment() throws(Mistake) {
        let start = place
        advance()
        if skip("/") {
            while let scalar = next, !Self.isLineEnd(scalar) { advance() }
        } else if skip("*") {
            while let scalar = next {
                advance()
                if scalar == "*", skip("/") { return }
            }
            throw Mistake(place: start, text: "this comment is not closed")
        } else {
            throw Mistake(place: start, text: "\"/\" stands where a comment begins with // or /*")
        }
    }

    private func unexpected(_ where: String) -> Mistake {
        Mistake(place: place, text: next.map { "\(quoted(String($0))) stands \(`where`)" } ?? "the text ends too early")
    }
}
