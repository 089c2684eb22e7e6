/// Any JSON value that a client sent, parsed within bounds.
///
/// Numbers are doubles: the integers of the protocol fit. A number that no double can hold becomes infinity, so that
/// whoever checks the value can name it. Of members with one name the last counts.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])
}

extension JSONValue {
    /// Arrays and objects may be nested this deep.
    package static let depthLimit = 32

    package enum Malformation: Error, Equatable {
        case notJSON
        case tooDeep
    }

    package init(parsing text: [UInt8]) throws(Malformation) {
        var reader = JSONReader(text.span)
        self = try reader.wholeText()
    }

    /// The number as an id or count, if it is an integer from 0 to 2³² - 1.
    package var unsigned: UInt32? {
        guard case .number(let number) = self else { return nil }
        return UInt32(exactly: number)
    }

    /// Whether all numbers in it are ones that JSON can hold.
    package var isFinite: Bool {
        switch self {
        case .null, .bool, .string: true
        case .number(let number): number.isFinite
        case .array(let elements): elements.allSatisfy(\.isFinite)
        case .object(let members): members.values.allSatisfy(\.isFinite)
        }
    }

    var isNumber: Bool { if case .number = self { true } else { false } }
}

extension JSONValue: Encodable {
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let bool): try container.encode(bool)
        // An integer stays one: encoders print doubles with an exponent from 10¹⁶ on.
        case .number(let number):
            if let integer = Int64(exactly: number) {
                try container.encode(integer)
            } else {
                try container.encode(number)
            }
        case .string(let string): try container.encode(string)
        case .array(let elements): try container.encode(elements)
        case .object(let members): try container.encode(members)
        }
    }

    /// Compact JSON text; members in a fixed order. All numbers must be finite.
    package var text: String { encodedJSON(self) }
}
