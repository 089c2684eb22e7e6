import Foundation

/// The message types of our channels, read from what the agent advertises: the checked-in descriptor sets.
struct SchemaPool {
    enum Kind: Equatable {
        case number
        /// A number that viewers hold as a BigInt, which a gauge cannot show.
        case wideInteger
        case boolean
        case text
        case bytes
        case message(String)
    }

    struct Field: Equatable {
        var name: String
        var kind: Kind
        var isRepeated: Bool
    }

    private(set) var messages: [String: [Field]] = [:]
    /// Full message name by topic, from the comments in proto/ that say "Topic /x.".
    private(set) var topics: [String: String] = [:]

    /// `root` is the repository.
    init(root: URL) throws {
        let descriptors = root.appending(path: "Sources/TelemetrySchema/Descriptors")
        for file in try files(in: descriptors, extension: "binpb") {
            try addDescriptorSet([UInt8](Data(contentsOf: file)))
        }
        for file in try files(in: root.appending(path: "proto/sysmon/v1"), extension: "proto") {
            addTopics(of: try String(contentsOf: file, encoding: .utf8))
        }
    }

    func field(_ name: String, of message: String) -> Field? { messages[message]?.first { $0.name == name } }

    // MARK: Topics

    /// The comment that stands directly above a message starts "// Topic /x." where the message is a channel's.
    private mutating func addTopics(of proto: String) {
        var package = ""
        var comment: [Substring] = []
        for line in proto.split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ")
            if line.hasPrefix("package ") {
                package = String(words[1].dropLast())
            } else if line.hasPrefix("//") {
                comment.append(line)
                continue
            } else if line.hasPrefix("message "), let first = comment.first, first.hasPrefix("// Topic /") {
                let topic = first.dropFirst("// Topic ".count).prefix { $0 != "." }
                topics[String(topic)] = "\(package).\(words[1])"
            }
            comment = []
        }
    }

    // MARK: Descriptors (google/protobuf/descriptor.proto)

    private mutating func addDescriptorSet(_ bytes: [UInt8]) throws {
        for file in try wireFields(bytes[...]) where file.number == 1 {
            let fields = try wireFields(file.bytes)
            let package = fields.first { $0.number == 2 }?.text ?? ""
            for message in fields where message.number == 4 { try addMessage(message.bytes, scope: package) }
        }
    }

    private mutating func addMessage(_ bytes: ArraySlice<UInt8>, scope: String) throws {
        let parts = try wireFields(bytes)
        let name = "\(scope).\(parts.first { $0.number == 1 }?.text ?? "")"
        messages[name] = try parts.filter { $0.number == 2 }.map { try Self.field(wireFields($0.bytes)) }
        for nested in parts where nested.number == 3 { try addMessage(nested.bytes, scope: name) }
    }

    private static func field(_ parts: [WireField]) throws -> Field {
        let name = parts.first { $0.number == 1 }?.text ?? ""
        let typeName = parts.first { $0.number == 6 }?.text ?? ""
        let kind: Kind =
            switch parts.first(where: { $0.number == 5 })?.value {
            case 1, 2, 5, 7, 13, 14, 15, 17: .number
            case 3, 4, 6, 16, 18: .wideInteger
            case 8: .boolean
            case 9: .text
            case 11: .message(String(typeName.dropFirst()))
            case 12: .bytes
            default: throw SchemaError.unknownFieldType(field: name)
            }
        return Field(name: name, kind: kind, isRepeated: parts.first { $0.number == 4 }?.value == 3)
    }
}

enum SchemaError: Error {
    case malformed
    case unknownFieldType(field: String)
}

func files(in folder: URL, extension suffix: String) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        .filter { $0.pathExtension == suffix }
        .sorted { $0.path < $1.path }
}

/// One field of a serialized message: a number, or bytes.
private struct WireField {
    var number: Int
    var value: UInt64 = 0
    var bytes: ArraySlice<UInt8> = []

    var text: String { String(decoding: bytes, as: UTF8.self) }
}

private func wireFields(_ bytes: ArraySlice<UInt8>) throws -> [WireField] {
    var rest = bytes
    func varint() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard let byte = rest.popFirst() else { throw SchemaError.malformed }
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        throw SchemaError.malformed
    }
    func take(_ count: UInt64) throws -> ArraySlice<UInt8> {
        guard count <= UInt64(rest.count) else { throw SchemaError.malformed }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }

    var fields: [WireField] = []
    while !rest.isEmpty {
        let key = try varint()
        var field = WireField(number: Int(key >> 3))
        switch key & 7 {
        case 0: field.value = try varint()
        case 1: field.bytes = try take(8)
        case 2: field.bytes = try take(try varint())
        case 5: field.bytes = try take(4)
        default: throw SchemaError.malformed
        }
        fields.append(field)
    }
    return fields
}
