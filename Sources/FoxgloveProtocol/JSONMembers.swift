/// The members of an object, by name, with an error that names what is wrong. Unknown members are ignored.
struct JSONMembers {
    private let members: [String: JSONValue]
    init(_ members: [String: JSONValue]) { self.members = members }

    subscript(name: String) -> JSONValue? { members[name] }

    func string(_ name: String) throws(InvalidMessage) -> String {
        guard case .string(let string)? = members[name] else { throw InvalidMessage("\"\(name)\" must be a string") }
        try Self.check(string, name)
        return string
    }

    /// Nil where the member is missing or null.
    func optionalString(_ name: String) throws(InvalidMessage) -> String? {
        guard let value = members[name], value != .null else { return nil }
        return try string(name)
    }

    func strings(_ name: String) throws(InvalidMessage) -> [String] {
        var strings: [String] = []
        for element in try array(name) {
            guard case .string(let string) = element else { throw InvalidMessage("\"\(name)\" must hold strings") }
            try Self.check(string, name)
            strings.append(string)
        }
        return strings
    }

    func id(_ name: String) throws(InvalidMessage) -> UInt32 {
        guard let id = members[name]?.unsigned else {
            throw InvalidMessage("\"\(name)\" must be an integer from 0 to 4294967295")
        }
        return id
    }

    func ids(_ name: String) throws(InvalidMessage) -> [UInt32] {
        let elements = try array(name)
        let ids = elements.compactMap(\.unsigned)
        guard ids.count == elements.count else {
            throw InvalidMessage("\"\(name)\" must hold integers from 0 to 4294967295")
        }
        return ids
    }

    func objects<Element>(
        _ name: String, _ parse: (JSONMembers) throws(InvalidMessage) -> Element
    ) throws(InvalidMessage) -> [Element] {
        var parsed: [Element] = []
        for element in try array(name) {
            guard case .object(let members) = element else { throw InvalidMessage("\"\(name)\" must hold objects") }
            parsed.append(try parse(JSONMembers(members)))
        }
        return parsed
    }

    private func array(_ name: String) throws(InvalidMessage) -> [JSONValue] {
        guard case .array(let elements)? = members[name] else { throw InvalidMessage("\"\(name)\" must be an array") }
        return elements
    }

    private static func check(_ string: String, _ name: String) throws(InvalidMessage) {
        guard string.utf8.count <= ClientMessage.stringByteLimit else {
            throw InvalidMessage("\"\(name)\" is longer than \(ClientMessage.stringByteLimit) bytes", bound: .string)
        }
    }
}
