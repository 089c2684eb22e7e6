/// A message taken apart: its fields by name, in the order of its schema.
///
/// Fields that are not set (messages, cases of a oneof) are not there; all others are, defaults included.
package struct DecodedMessage: Equatable, Sendable {
    package struct Field: Equatable, Sendable {
        /// As the schema has it: "usage_ratio".
        package var name: String
        package var value: DecodedValue
        package init(_ name: String, _ value: DecodedValue) {
            self.name = name
            self.value = value
        }
    }

    package var fields: [Field]

    package init(_ fields: [Field]) { self.fields = fields }

    package subscript(name: String) -> DecodedValue? { fields.first { $0.name == name }?.value }
}

package enum DecodedValue: Equatable, Sendable {
    /// NaN: not known.
    case number(Double)
    case unsigned(UInt64)
    case signed(Int64)
    case bool(Bool)
    case text(String)
    case bytes([UInt8])
    /// The name of an enum's value: "OPER_UP".
    case name(String)
    case time(seconds: Int64, nanoseconds: Int32)
    case list([DecodedValue])
    case message(DecodedMessage)
}

extension DecodedValue {
    /// A number of any kind; nil if it is none, or not known.
    package var number: Double? {
        switch self {
        case .number(let number): number.isNaN ? nil : number
        case .unsigned(let number): Double(number)
        case .signed(let number): Double(number)
        default: nil
        }
    }

    package var text: String? { if case .text(let text) = self { text } else { nil } }

    package var message: DecodedMessage? { if case .message(let message) = self { message } else { nil } }

    /// The messages of a list.
    package var rows: [DecodedMessage] {
        guard case .list(let elements) = self else { return [] }
        return elements.compactMap(\.message)
    }
}
