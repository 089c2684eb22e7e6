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
}
