/// The head of an HTTP/1.1 request (RFC 9112).
package struct HTTPRequest: Equatable, Sendable {
    package struct Field: Equatable, Sendable {
        /// In lower case.
        package var name: String
        /// Without the blanks around it.
        package var value: String
    }

    package var method: String
    package var target: String
    package var fields: [Field]

    /// All values of a field, in the order of its lines; `name` in lower case.
    package func values(of name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    /// The elements of a comma-separated list, over all lines of that field (RFC 9110, section 5.6.1).
    package func list(of name: String) -> [String] {
        values(of: name).flatMap { $0.split(separator: ",") }.map { trim($0) }.filter { !$0.isEmpty }
    }

    /// Whether a body is announced (RFC 9112, section 6); one that is empty is none.
    package var hasBody: Bool {
        fields.contains { $0.name == "transfer-encoding" || $0.name == "content-length" && $0.value != "0" }
    }

    /// Whether it asks to become a WebSocket, in however wrong a way.
    package var asksForWebSocket: Bool {
        list(of: "upgrade").contains { $0.lowercased() == "websocket" }
            || fields.contains { $0.name.hasPrefix("sec-websocket-") }
    }
}

extension HTTPRequest {
    /// Why a request cannot be answered as asked. Each has one HTTP answer.
    package enum Malformation: Error, Equatable {
        case malformed
        case tooManyFields
    }

    /// Parses a request head up to and without the empty line that ends it.
    package init(parsing head: Span<UInt8>, fieldLimit: Int) throws(Malformation) {
        var text = ""
        text.reserveCapacity(head.count)
        for index in head.indices { text.unicodeScalars.append(Unicode.Scalar(head[index])) }
        // "\r\n" is one character; what is left of the two then stood alone, which is forbidden.
        var lines = text.split(separator: "\r\n" as Character, omittingEmptySubsequences: false)
        guard lines.allSatisfy({ !$0.unicodeScalars.contains(where: Self.isForbidden) }) else { throw .malformed }

        let request = lines.removeFirst().split(separator: " ", omittingEmptySubsequences: false)
        guard request.count == 3, request[2] == "HTTP/1.1", Self.isToken(request[0]), !request[1].isEmpty,
            request[1].unicodeScalars.allSatisfy({ "!"..."~" ~= $0 })
        else { throw .malformed }
        guard lines.count <= fieldLimit else { throw .tooManyFields }
        method = String(request[0])
        target = String(request[1])
        fields = []
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), Self.isToken(line[..<colon]) else { throw .malformed }
            fields.append(Field(name: line[..<colon].lowercased(), value: trim(line[line.index(after: colon)...])))
        }
    }

    /// Control characters but the tab (RFC 9110, section 5.5).
    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        scalar < " " && scalar != "\t" || scalar == "\u{7F}"
    }

    /// RFC 9110, section 5.6.2.
    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}

/// Without the blanks and tabs around it.
private func trim(_ text: Substring) -> String {
    func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
    let start = text.drop(while: isBlank)
    return String(start.reversed().drop(while: isBlank).reversed())
}
