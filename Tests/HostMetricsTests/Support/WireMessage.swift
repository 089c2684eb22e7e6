import Telemetry

/// A decoded protobuf message, told by the descriptor set that goes with its channel: golden values are compared with
/// what a viewer would see, independent of the code that packs.
indirect enum WireValue: Equatable {
    case double(Double)
    case unsigned(UInt64)
    case signed(Int64)
    case bool(Bool)
    case string(String)
    case enumeration(String)
    case message([String: WireValue])
    case list([WireValue])
    case absent
}

struct WireError: Error, CustomStringConvertible {
    var description: String
}

/// The types of a serialized `google.protobuf.FileDescriptorSet` (descriptor.proto).
struct DescriptorPool {
    struct Field {
        var name: String
        var type: UInt64
        var isRepeated: Bool
        var typeName: String
    }

    private(set) var messages: [String: [UInt64: Field]] = [:]
    private(set) var enumerations: [String: [UInt64: String]] = [:]

    init(descriptorSet: [UInt8]) throws {
        for file in try WireReader.fields(of: descriptorSet[...]) where file.number == 1 {
            let fields = try WireReader.fields(of: file.bytes)
            let package = fields.first { $0.number == 2 }.map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
            for field in fields where field.number == 4 { try addMessage(field.bytes, scope: ".\(package)") }
            for field in fields where field.number == 5 { try addEnumeration(field.bytes, scope: ".\(package)") }
        }
    }

    private mutating func addMessage(_ bytes: ArraySlice<UInt8>, scope: String) throws {
        let parts = try WireReader.fields(of: bytes)
        let name = "\(scope).\(try Self.name(in: parts))"
        var fields: [UInt64: Field] = [:]
        for part in parts {
            switch part.number {
            case 2:
                let values = try WireReader.fields(of: part.bytes)
                guard let number = values.first(where: { $0.number == 3 })?.value else { break }
                fields[number] = Field(
                    name: try Self.name(in: values), type: values.first { $0.number == 5 }?.value ?? 0,
                    isRepeated: values.first { $0.number == 4 }?.value == 3,
                    typeName: values.first { $0.number == 6 }.map { String(decoding: $0.bytes, as: UTF8.self) } ?? "")
            case 3: try addMessage(part.bytes, scope: name)
            case 4: try addEnumeration(part.bytes, scope: name)
            default: break
            }
        }
        messages[name] = fields
    }

    private mutating func addEnumeration(_ bytes: ArraySlice<UInt8>, scope: String) throws {
        let parts = try WireReader.fields(of: bytes)
        var names: [UInt64: String] = [:]
        for part in parts where part.number == 2 {
            let values = try WireReader.fields(of: part.bytes)
            names[values.first { $0.number == 2 }?.value ?? 0] = try Self.name(in: values)
        }
        enumerations["\(scope).\(try Self.name(in: parts))"] = names
    }

    private static func name(in fields: [WireReader.Field]) throws -> String {
        guard let field = fields.first(where: { $0.number == 1 }) else { throw WireError(description: "no name") }
        return String(decoding: field.bytes, as: UTF8.self)
    }

    /// Decodes a message of `type` (with its leading dot); fields that are not on the wire get their defaults.
    func decode(_ bytes: ArraySlice<UInt8>, as type: String) throws -> [String: WireValue] {
        guard let fields = messages[type] else { throw WireError(description: "no type \(type)") }
        var result: [String: WireValue] = [:]
        for field in fields.values { result[field.name] = field.isRepeated ? .list([]) : try defaultValue(of: field) }
        for part in try WireReader.fields(of: bytes) {
            guard let field = fields[part.number] else { throw WireError(description: "\(type) has no \(part.number)") }
            let value = try decode(part, as: field)
            if field.isRepeated, case .list(let list) = result[field.name] {
                result[field.name] = .list(list + [value])
            } else {
                result[field.name] = value
            }
        }
        return result
    }

    private func decode(_ part: WireReader.Field, as field: Field) throws -> WireValue {
        func check(_ wireType: UInt64) throws {
            guard part.wireType == wireType else { throw WireError(description: "wire type of \(field.name)") }
        }
        switch field.type {
        case 1:
            try check(1)
            return .double(Double(bitPattern: part.value))
        case 3, 5:
            try check(0)
            return .signed(Int64(bitPattern: part.value))
        case 4, 13:
            try check(0)
            return .unsigned(part.value)
        case 7:
            try check(5)
            return .unsigned(part.value)
        case 8:
            try check(0)
            return .bool(part.value != 0)
        case 9:
            try check(2)
            guard let text = String(validating: part.bytes, as: UTF8.self) else {
                throw WireError(description: "\(field.name) is not UTF-8")
            }
            return .string(text)
        case 11:
            try check(2)
            return .message(try decode(part.bytes, as: field.typeName))
        case 14:
            try check(0)
            return .enumeration(enumerations[field.typeName]?[part.value] ?? "?")
        default: throw WireError(description: "type \(field.type) of \(field.name)")
        }
    }

    private func defaultValue(of field: Field) throws -> WireValue {
        switch field.type {
        case 1: .double(0)
        case 3, 5: .signed(0)
        case 4, 7, 13: .unsigned(0)
        case 8: .bool(false)
        case 9: .string("")
        case 11: .absent
        case 14: .enumeration(enumerations[field.typeName]?[0] ?? "?")
        default: throw WireError(description: "type \(field.type) of \(field.name)")
        }
    }
}

/// The wire format itself: tags, varints, lengths.
enum WireReader {
    struct Field {
        var number: UInt64
        var wireType: UInt64
        var value: UInt64 = 0
        var bytes: ArraySlice<UInt8> = []
    }

    static func fields(of bytes: ArraySlice<UInt8>) throws -> [Field] {
        var rest = bytes
        var fields: [Field] = []
        while !rest.isEmpty {
            let tag = try varint(&rest)
            var field = Field(number: tag >> 3, wireType: tag & 7)
            switch field.wireType {
            case 0: field.value = try varint(&rest)
            case 1:
                for (index, byte) in try take(8, &rest).enumerated() { field.value |= UInt64(byte) << (8 * index) }
            case 2: field.bytes = try take(Int(try varint(&rest)), &rest)
            case 5:
                for (index, byte) in try take(4, &rest).enumerated() { field.value |= UInt64(byte) << (8 * index) }
            default: throw WireError(description: "wire type \(field.wireType)")
            }
            fields.append(field)
        }
        return fields
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { throw WireError(description: "cut off") }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw WireError(description: "varint")
    }

    private static func take(_ count: Int, _ bytes: inout ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
        guard count <= bytes.count else { throw WireError(description: "cut off") }
        defer { bytes = bytes.dropFirst(count) }
        return bytes.prefix(count)
    }
}
