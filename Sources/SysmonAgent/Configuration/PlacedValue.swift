package import FoxgloveProtocol

/// Where something stands in a text; both count from 1, columns in characters of Unicode.
package struct TextPlace: Equatable, Sendable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// A JSON value that knows where in its text it stands, and keeps the order of its members.
package struct PlacedValue: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
        /// Null, true, false, a number or a string.
        case scalar(JSONValue)
        case array([PlacedValue])
        case object([Member])
    }

    package struct Member: Equatable, Sendable {
        package var name: String
        package var place: TextPlace?
        package var value: PlacedValue

        package init(name: String, place: TextPlace? = nil, value: PlacedValue) {
            self.name = name
            self.place = place
            self.value = value
        }
    }

    package var content: Content
    /// Nil: it was not read from a text that anybody wrote line by line.
    package var place: TextPlace?

    package init(_ content: Content, at place: TextPlace? = nil) {
        self.content = content
        self.place = place
    }

    /// A value from the network; its members are sorted by name.
    package init(_ value: JSONValue) {
        switch value {
        case .array(let elements): self.init(.array(elements.map { PlacedValue($0) }))
        case .object(let members):
            self.init(
                .object(
                    members.sorted { $0.key < $1.key }.map { Member(name: $0.key, value: PlacedValue($0.value)) }))
        default: self.init(.scalar(value))
        }
    }

    /// Without the places. Of members with one name the last counts.
    package var json: JSONValue {
        switch content {
        case .scalar(let value): value
        case .array(let elements): .array(elements.map(\.json))
        case .object(let members): .object(Dictionary(members.map { ($0.name, $0.value.json) }) { $1 })
        }
    }

    /// Members whose name their object has already, each with the first of that name.
    package var repeatedMembers: [(first: Member, again: Member)] {
        switch content {
        case .scalar: return []
        case .array(let elements): return elements.flatMap(\.repeatedMembers)
        case .object(let members):
            var known: [String: Member] = [:]
            var repeated: [(first: Member, again: Member)] = []
            for member in members {
                if let first = known[member.name] {
                    repeated.append((first, member))
                } else {
                    known[member.name] = member
                }
                repeated += member.value.repeatedMembers
            }
            return repeated
        }
    }
}
