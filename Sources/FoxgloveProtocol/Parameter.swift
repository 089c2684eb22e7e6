internal import FoundationEssentials

/// A named value that clients read and set.
package struct Parameter: Equatable, Sendable {
    package var name: String
    /// Nil in a request means: delete it. Parameters without a value are never sent.
    package var value: ParameterValue?

    package init(name: String, value: ParameterValue?) {
        self.name = name
        self.value = value
    }
}

/// A parameter's value as the protocol types it.
///
/// JavaScript turns 1.0 into 1, so numbers that are meant as floating point say so in their `type`.
package enum ParameterValue: Equatable, Sendable {
    /// A boolean, string, integer, object or array.
    case json(JSONValue)
    case float(Double)
    case floats([Double])
    /// Base64.
    case bytes(String)

    /// Without the type, as a patch has it.
    package var json: JSONValue {
        switch self {
        case .json(let value): value
        case .float(let number): .number(number)
        case .floats(let numbers): .array(numbers.map { .number($0) })
        case .bytes(let base64): .string(base64)
        }
    }
}

extension Parameter {
    /// Reads an entry of `setParameters`. Unknown members are ignored.
    init(parsing entry: JSONMembers) throws(InvalidMessage) {
        name = try entry.string("name")
        let type = try entry.optionalString("type")
        guard let value = entry["value"] else { return }
        self.value = try ParameterValue(value, type: type, of: name)
    }
}

extension ParameterValue {
    fileprivate init(_ value: JSONValue, type: String?, of name: String) throws(InvalidMessage) {
        guard value.isFinite else { throw InvalidMessage("\(quoted(name)) holds a number out of range") }
        switch (type, value) {
        case ("float64", .number(let number)): self = .float(number)
        case ("float64_array", .array(let elements)):
            guard let numbers = Self.numbers(elements) else { throw Self.mismatch(name, "float64_array") }
            self = .floats(numbers)
        case ("byte_array", .string(let text)):
            guard isBase64(text) else { throw Self.mismatch(name, "byte_array") }
            self = .bytes(text)
        case ("float64", _), ("float64_array", _), ("byte_array", _): throw Self.mismatch(name, type ?? "")
        case (.some(let other), _): throw InvalidMessage("\(quoted(name)) has the unknown type \(quoted(other))")
        case (nil, .null): throw InvalidMessage("\(quoted(name)) is null; leave the value out to unset it")
        case (nil, .number(let number)): self = number == number.rounded() ? .json(value) : .float(number)
        case (nil, .array(let elements)):
            if let numbers = Self.numbers(elements) {
                self = numbers.allSatisfy { $0 == $0.rounded() } ? .json(value) : .floats(numbers)
            } else if elements.contains(where: \.isNumber) {
                throw InvalidMessage("\(quoted(name)) mixes numbers and other values")
            } else {
                self = .json(value)
            }
        case (nil, _): self = .json(value)
        }
    }

    private static func numbers(_ elements: [JSONValue]) -> [Double]? {
        var numbers: [Double] = []
        for element in elements {
            guard case .number(let number) = element else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    private static func mismatch(_ name: String, _ type: String) -> InvalidMessage {
        InvalidMessage("\(quoted(name)) is no \(type)")
    }
}

/// Whether a text is base64 (RFC 4648, section 4), with padding.
func isBase64(_ text: String) -> Bool { Data(base64Encoded: text) != nil }

extension Parameter: Encodable {
    private enum CodingKeys: CodingKey { case name, value, type }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        switch value {
        case .json(let value): try container.encode(value, forKey: .value)
        case .float(let number):
            try container.encode(number, forKey: .value)
            try container.encode("float64", forKey: .type)
        case .floats(let numbers):
            try container.encode(numbers, forKey: .value)
            try container.encode("float64_array", forKey: .type)
        case .bytes(let base64):
            try container.encode(base64, forKey: .value)
            try container.encode("byte_array", forKey: .type)
        case nil: break
        }
    }
}
