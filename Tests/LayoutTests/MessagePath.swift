/// A viewer's message path, `/topic.field[:]{id=="x"}.field.@modifier`, as their parsers take it.
struct MessagePath: Equatable {
    enum Part: Equatable {
        case field(String)
        case index(Int)
        /// `[:]` or `[1:3]`; the end counts.
        case slice
        case filter(path: [String], value: FilterValue)
    }

    enum FilterValue: Equatable {
        case integer(Int)
        case text(String)
        case boolean(Bool)
        case variable(String)
    }

    var topic: String
    var parts: [Part] = []
    /// What follows `.@`.
    var modifier: String?

    init(_ text: String) throws(PathError) {
        var scanner = Scanner(text)
        topic = try scanner.name(in: "topic", also: "/")
        guard topic.hasPrefix("/") else { throw PathError("\(text): a path starts with a topic") }
        while let character = scanner.next() {
            guard modifier == nil else { throw PathError("\(text): nothing may follow a modifier") }
            switch character {
            case ".":
                if scanner.skip("@") {
                    modifier = try scanner.name(in: "modifier")
                } else {
                    parts.append(.field(try scanner.name(in: "field")))
                }
            case "[": parts.append(try Self.slice(try scanner.text(upTo: "]")))
            case "{": parts.append(try Self.filter(try scanner.filterText()))
            default: throw PathError("\(text): unexpected \(character)")
            }
        }
    }

    private static func slice(_ text: String) throws(PathError) -> Part {
        let ends = text.split(separator: ":", omittingEmptySubsequences: false)
        let numbers = ends.map { Int($0) }
        guard ends.count <= 2, zip(ends, numbers).allSatisfy({ $0.isEmpty || $1 != nil }) else {
            throw PathError("[\(text)] is not an index or slice")
        }
        guard numbers.allSatisfy({ $0 ?? 0 >= 0 }) else {
            throw PathError("[\(text)]: negative indices find nothing in Plot, Gauge and Indicator")
        }
        guard ends.count == 1 else { return .slice }
        guard let index = numbers[0] else { throw PathError("[\(text)] is not an index or slice") }
        return .index(index)
    }

    private static func filter(_ text: String) throws(PathError) -> Part {
        for comparison in ["==", "!=", ">=", "<=", ">", "<"] {
            let sides = text.split(separator: comparison, maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2 else { continue }
            let path = sides[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard path.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Scanner.isNameByte) }) else {
                throw PathError("{\(text)}: bad field name")
            }
            return .filter(path: path, value: try filterValue(String(sides[1])))
        }
        throw PathError("{\(text)} holds no comparison")
    }

    private static func filterValue(_ text: String) throws(PathError) -> FilterValue {
        if let value = Int(text) { return .integer(value) }
        if let value = Bool(text) { return .boolean(value) }
        if text.hasPrefix("$"), text.count > 1 { return .variable(String(text.dropFirst())) }
        guard text.count >= 2, let quote = text.first, quote == "\"" || quote == "'", text.last == quote else {
            throw PathError("\(text): only integers, quoted text, true, false and $variables may stand in a filter")
        }
        let inner = text.dropFirst().dropLast()
        guard !inner.contains("\\"), !inner.contains(quote) else { throw PathError("\(text): filters know no escapes") }
        return .text(String(inner))
    }
}

/// Why a path is wrong.
struct PathError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

private struct Scanner {
    private let whole: String
    private var rest: Substring

    init(_ text: String) {
        whole = text
        rest = text[...]
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    mutating func next() -> Character? { rest.popFirst() }

    mutating func skip(_ character: Character) -> Bool {
        guard rest.first == character else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func name(in role: String, also extra: String = "") throws(PathError) -> String {
        let name = rest.prefix { character in
            extra.contains(character) || character.utf8.allSatisfy(Self.isNameByte)
        }
        guard !name.isEmpty else { throw PathError("\(whole): the \(role) is missing or needs quotes") }
        rest = rest.dropFirst(name.count)
        return String(name)
    }

    /// Up to the brace that ends it: in quotes, braces are text.
    mutating func filterText() throws(PathError) -> String {
        var quote: Character?
        for place in rest.indices {
            let character = rest[place]
            if quote == nil, character == "}" {
                defer { rest = rest[place...].dropFirst() }
                return String(rest[..<place])
            }
            if quote == nil, character == "\"" || character == "'" {
                quote = character
            } else if quote == character {
                quote = nil
            }
        }
        throw PathError("\(whole): no }")
    }

    mutating func text(upTo end: Character) throws(PathError) -> String {
        guard let place = rest.firstIndex(of: end) else { throw PathError("\(whole): no \(end)") }
        defer { rest = rest[place...].dropFirst() }
        return String(rest[..<place])
    }
}
