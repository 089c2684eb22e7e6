internal import CProtobufC
internal import Glibc

/// Takes a message in protobuf apart by the descriptor of its type. Nil: the bytes are no such message, or have more
/// than ``ProtobufLimits/fieldCountMax`` fields.
package func decode<Message: ProtobufMessage>(protobuf bytes: [UInt8], as type: Message.Type) -> DecodedMessage? {
    ProtobufDecoder.decode(bytes, as: type)?.message
}

package enum ProtobufLimits {
    /// Fields of one message on the wire, each row of a list being one. A row of two bytes takes hundreds in memory,
    /// and the largest message that an agent makes has fewer than 20,000.
    package static let fieldCountMax = 65_536

    /// Whether there are not more fields than that, as far as the bytes can be read.
    static func areKept(by bytes: [UInt8]) -> Bool {
        var (offset, count) = (0, 0)
        func varint() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 70, by: 7) {
                guard offset < bytes.count else { return nil }
                let byte = bytes[offset]
                offset += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            return nil
        }
        while let tag = varint() {
            count += 1
            guard count <= fieldCountMax else { return false }
            switch tag & 7 {
            case 0: _ = varint()
            case 1: offset += 8
            case 2:
                guard let length = varint(), length <= UInt64(bytes.count - offset) else { return true }
                offset += Int(length)
            case 5: offset += 4
            // No message: the library says so.
            default: return true
            }
            guard offset <= bytes.count else { return true }
        }
        return true
    }
}

struct ProtobufDecoder {
    /// Whether everything that the message holds is in what was decoded: there are no fields that its type does not
    /// have, and no texts that are not UTF-8.
    private(set) var isExact = true
    private let leavesOutHeaders: Bool

    /// What was decoded. `byteCount` is that of the message if it is packed again.
    static func decode<Message: ProtobufMessage>(
        _ bytes: [UInt8], as _: Message.Type, leavesOutHeaders: Bool = false
    ) -> (message: DecodedMessage, isExact: Bool, byteCount: Int)? {
        guard ProtobufLimits.areKept(by: bytes) else { return nil }
        var prototype = Message()
        prototype.reset()
        let descriptor = unsafe withUnsafeBytes(of: &prototype) { message in
            unsafe message.assumingMemoryBound(to: ProtobufCMessage.self).baseAddress?.pointee.descriptor
        }
        guard let descriptor = unsafe descriptor else { return nil }
        let unpacked = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe protobuf_c_message_unpack(descriptor, nil, buffer.count, buffer.baseAddress)
        }
        guard let unpacked = unsafe unpacked else { return nil }
        defer { unsafe protobuf_c_message_free_unpacked(unpacked, nil) }
        var decoder = ProtobufDecoder(leavesOutHeaders: leavesOutHeaders)
        let message = unsafe decoder.message(unpacked)
        return unsafe (message, decoder.isExact, protobuf_c_message_get_packed_size(unpacked))
    }

    private init(leavesOutHeaders: Bool) { self.leavesOutHeaders = leavesOutHeaders }

    private mutating func message(_ message: UnsafePointer<ProtobufCMessage>) -> DecodedMessage {
        let base = unsafe UnsafeRawPointer(message)
        guard let descriptor = unsafe message.pointee.descriptor else { return DecodedMessage([]) }
        if unsafe message.pointee.n_unknown_fields > 0 { isExact = false }
        var fields: [DecodedMessage.Field] = []
        for index in 0..<Int(unsafe descriptor.pointee.n_fields) {
            let field = unsafe descriptor.pointee.fields[index]
            let name = unsafe String(cString: field.name)
            guard unsafe isPresent(field, base), !leavesOutHeaders || name != "header" else { continue }
            let value =
                unsafe field.label == PROTOBUF_C_LABEL_REPEATED
                ? unsafe list(field, base) : unsafe value(field, base + Int(field.offset))
            fields.append(DecodedMessage.Field(name, value))
        }
        return DecodedMessage(fields)
    }

    private func isPresent(_ field: ProtobufCFieldDescriptor, _ base: UnsafeRawPointer) -> Bool {
        if unsafe field.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0,
            unsafe (base + Int(field.quantifier_offset)).load(as: UInt32.self) != field.id
        {
            return false
        }
        guard unsafe field.label != PROTOBUF_C_LABEL_REPEATED, unsafe field.type == PROTOBUF_C_TYPE_MESSAGE else {
            return true
        }
        return unsafe (base + Int(field.offset)).load(as: UnsafeRawPointer?.self) != nil
    }

    private mutating func list(_ field: ProtobufCFieldDescriptor, _ base: UnsafeRawPointer) -> DecodedValue {
        let count = unsafe (base + Int(field.quantifier_offset)).load(as: Int.self)
        guard let elements = unsafe (base + Int(field.offset)).load(as: UnsafeRawPointer?.self) else {
            return .list([])
        }
        return .list(
            (0..<count).map { index in unsafe value(field, elements + index * Self.byteCount(of: field.type)) })
    }

    private static func byteCount(of type: ProtobufCType) -> Int {
        switch type {
        case PROTOBUF_C_TYPE_DOUBLE, PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64,
            PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64:
            8
        case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_MESSAGE: unsafe MemoryLayout<UnsafeRawPointer>.size
        case PROTOBUF_C_TYPE_BYTES: unsafe MemoryLayout<ProtobufCBinaryData>.stride
        default: 4
        }
    }

    private mutating func value(_ field: ProtobufCFieldDescriptor, _ place: UnsafeRawPointer) -> DecodedValue {
        switch unsafe field.type {
        case PROTOBUF_C_TYPE_DOUBLE: return .number(unsafe place.load(as: Double.self))
        case PROTOBUF_C_TYPE_FLOAT: return .number(Double(unsafe place.load(as: Float.self)))
        case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64:
            return .signed(unsafe place.load(as: Int64.self))
        case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64: return .unsigned(unsafe place.load(as: UInt64.self))
        case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32:
            return .unsigned(UInt64(unsafe place.load(as: UInt32.self)))
        // A protobuf_c_boolean is an int.
        case PROTOBUF_C_TYPE_BOOL: return .bool(unsafe place.load(as: Int32.self) != 0)
        case PROTOBUF_C_TYPE_ENUM:
            let number = unsafe place.load(as: Int32.self)
            let values = unsafe field.descriptor?.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
            guard let value = unsafe protobuf_c_enum_descriptor_get_value(values, number) else {
                return .signed(Int64(number))
            }
            return .name(unsafe String(cString: value.pointee.name))
        case PROTOBUF_C_TYPE_STRING:
            guard let text = unsafe place.load(as: UnsafePointer<CChar>?.self) else { return .text("") }
            if unsafe String(validatingCString: text) == nil { isExact = false }
            return .text(unsafe String(cString: text))
        case PROTOBUF_C_TYPE_BYTES:
            let data = unsafe place.load(as: ProtobufCBinaryData.self)
            return .bytes(unsafe Array(UnsafeBufferPointer(start: data.data, count: data.len)))
        case PROTOBUF_C_TYPE_MESSAGE:
            guard let message = unsafe place.load(as: UnsafePointer<ProtobufCMessage>?.self) else {
                return .message(DecodedMessage([]))
            }
            if let time = unsafe Self.time(message) { return time }
            return .message(unsafe self.message(message))
        default: return .signed(Int64(unsafe place.load(as: Int32.self)))
        }
    }

    /// Nil: the message is no `google.protobuf.Timestamp`.
    private static func time(_ message: UnsafePointer<ProtobufCMessage>) -> DecodedValue? {
        guard let name = unsafe message.pointee.descriptor?.pointee.name,
            unsafe strcmp(name, "google.protobuf.Timestamp") == 0
        else { return nil }
        let time = unsafe UnsafeRawPointer(message).assumingMemoryBound(to: TimestampMessage.self)
        return .time(seconds: unsafe time.pointee.seconds, nanoseconds: unsafe time.pointee.nanos)
    }
}
