internal import FoundationEssentials

/// Any JSON value that a client sent, parsed within bounds.
///
/// Numbers are doubles: the integers of the protocol fit. A number that no double can hold becomes infinity, so that
/// whoever checks the value can name it.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])
}

extension JSONValue: Decodable {
    package init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: Key.self) {
            var members: [String: JSONValue] = [:]
            for key in container.allKeys { members[key.stringValue] = try container.decode(JSONValue.self, forKey: key) }
            self = .object(members)
        } else if var container = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !container.isAtEnd { elements.append(try container.decode(JSONValue.self)) }
            self = .array(elements)
        } else {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let bool = try? container.decode(Bool.self) {
                self = .bool(bool)
            } else if let string = try? container.decode(String.self) {
                self = .string(string)
            } else {
                self = .number((try? container.decode(Double.self)) ?? .infinity)
            }
        }
    }

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

extension JSONValue {
    /// Arrays and objects may be nested this deep.
    package static let depthLimit = 32

    package enum Malformation: Error, Equatable {
        case notJSON
        case tooDeep
    }

    package init(parsing text: [UInt8]) throws(Malformation) {
        guard Self.depth(of: text) <= Self.depthLimit else { throw .tooDeep }
        do { self = try JSONDecoder().decode(JSONValue.self, from: Data(text)) } catch { throw .notJSON }
    }

    /// How deep brackets are nested, without looking at anything else: the decoder recurses, so it must not see more.
    private static func depth(of text: [UInt8]) -> Int {
        var depth = 0
        var deepest = 0
        var isInString = false
        var isEscaped = false
        for byte in text {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "["), UInt8(ascii: "{"):
                    depth += 1
                    deepest = max(deepest, depth)
                case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
                default: break
                }
            }
        }
        return deepest
    }

    /// The number as an id or count, if it is an integer from 0 to 2³² - 1.
    package var unsigned: UInt32? {
        guard case .number(let number) = self else { return nil }
        return UInt32(exactly: number)
    }
}
