/// Reads JSON text (RFC 8259) in one pass; whatever is not JSON, or not UTF-8, is refused.
///
/// Our own, because FoundationEssentials' decoder takes seconds for a message of many small values, guesses encodings,
/// and tells malformed numbers and strings only from each other.
struct JSONReader: ~Escapable {
    private let text: Span<UInt8>
    private var offset = 0
    /// Arrays and objects that are open.
    private var depth = 0

    @_lifetime(copy text)
    init(_ text: Span<UInt8>) { self.text = text }

    /// The one value that is the whole text.
    mutating func wholeText() throws(JSONValue.Malformation) -> JSONValue {
        let value = try value()
        skipBlanks()
        guard next == nil else { throw .notJSON }
        return value
    }

    private var next: UInt8? { offset < text.count ? text[offset] : nil }

    private mutating func value() throws(JSONValue.Malformation) -> JSONValue {
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return .object(try members())
        case UInt8(ascii: "["): return .array(try elements())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func members() throws(JSONValue.Malformation) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        try list(until: UInt8(ascii: "}")) { reader throws(JSONValue.Malformation) in
            reader.skipBlanks()
            let name = try reader.string()
            reader.skipBlanks()
            try reader.expect(UInt8(ascii: ":"))
            members[name] = try reader.value()
        }
        return members
    }

    private mutating func elements() throws(JSONValue.Malformation) -> [JSONValue] {
        var elements: [JSONValue] = []
        try list(until: UInt8(ascii: "]")) { reader throws(JSONValue.Malformation) in
            elements.append(try reader.value())
        }
        return elements
    }

    /// An opening bracket, `entry` for what stands between the commas, and the closing bracket.
    private mutating func list(
        until end: UInt8, entry: (inout JSONReader) throws(JSONValue.Malformation) -> Void
    ) throws(JSONValue.Malformation) {
        depth += 1
        guard depth <= JSONValue.depthLimit else { throw .tooDeep }
        offset += 1
        skipBlanks()
        if next != end {
            try entry(&self)
            skipBlanks()
            while skip(UInt8(ascii: ",")) {
                try entry(&self)
                skipBlanks()
            }
        }
        try expect(end)
        depth -= 1
    }

    private mutating func string() throws(JSONValue.Malformation) -> String {
        try expect(UInt8(ascii: "\""))
        var bytes: [UInt8] = []
        while let byte = next, byte >= 0x20 {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: bytes, as: UTF8.self) else { throw .notJSON }
                return string
            case UInt8(ascii: "\\"): bytes += Character(try escape()).utf8
            default: bytes.append(byte)
            }
        }
        throw .notJSON
    }

    /// What follows a backslash. A character beyond U+FFFF takes two escapes, neither of which may stand alone.
    private mutating func escape() throws(JSONValue.Malformation) -> Unicode.Scalar {
        guard let byte = next else { throw .notJSON }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if 0xD800..<0xDC00 ~= code {
                try expect(UInt8(ascii: "\\"))
                try expect(UInt8(ascii: "u"))
                let low = try hexadecimal()
                guard 0xDC00..<0xE000 ~= low else { throw .notJSON }
                code = 0x1_0000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw .notJSON }
            return scalar
        default: throw .notJSON
        }
    }

    private mutating func hexadecimal() throws(JSONValue.Malformation) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw .notJSON }
            offset += 1
            code = code << 4 | UInt32(digit)
        }
        return code
    }

    private mutating func number() throws(JSONValue.Malformation) -> Double {
        let start = offset
        _ = skip(UInt8(ascii: "-"))
        if !skip(UInt8(ascii: "0")) { try digits() }
        if skip(UInt8(ascii: ".")) { try digits() }
        if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
            _ = skip(UInt8(ascii: "+")) || skip(UInt8(ascii: "-"))
            try digits()
        }
        var literal = ""
        for index in start..<offset { literal.unicodeScalars.append(Unicode.Scalar(text[index])) }
        guard let number = Double(literal) else { throw .notJSON }
        return number
    }

    /// One digit or more.
    private mutating func digits() throws(JSONValue.Malformation) {
        let start = offset
        while let byte = next, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { offset += 1 }
        guard offset > start else { throw .notJSON }
    }

    private mutating func word(
        _ word: String, _ value: JSONValue
    ) throws(JSONValue.Malformation) -> JSONValue {
        for byte in word.utf8 { try expect(byte) }
        return value
    }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        offset += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(JSONValue.Malformation) {
        guard skip(byte) else { throw .notJSON }
    }
}
