internal import CProtobufC
internal import Glibc

/// Translates a message in protobuf to JSON, by the descriptor of its type: for people, and for what takes JSON.
///
/// Names are those of the schema, enums are their names, timestamps `{"sec", "nsec"}` as viewers have them, bytes are
/// base64. Numbers that JSON lacks (NaN, infinity), unset messages and the cases that a oneof does not have are left
/// out; all other fields are there, defaults included. Returns nil if `bytes` is no such message.
///
/// `isCommand`: nothing may be lost silently of what a stranger sent. A message with fields that its type does not
/// have, numbers that JSON lacks, texts that are not UTF-8, or anything that does not come back when it is packed again
/// (a text with a NUL, a field given twice) is none. Its `header` is not looked at.
package func json<Message: ProtobufMessage>(
    ofProtobuf bytes: [UInt8], as _: Message.Type, isCommand: Bool = false
) -> [UInt8]? {
    var prototype = Message()
    prototype.reset()
    let descriptor = unsafe withUnsafeBytes(of: &prototype) { message in
        unsafe message.assumingMemoryBound(to: ProtobufCMessage.self).baseAddress?.pointee.descriptor
    }
    guard let descriptor = unsafe descriptor else { return nil }
    let unpacked = unsafe bytes.withUnsafeBufferPointer { buffer in
        unsafe protobuf_c_message_unpack(descriptor, nil, buffer.count, buffer.baseAddress)
    }
    guard let message = unsafe unpacked else { return nil }
    defer { unsafe protobuf_c_message_free_unpacked(message, nil) }
    var writer = JSONWriter(isCommand: isCommand)
    unsafe writer.write(message)
    guard isCommand else { return writer.bytes }
    let isWhole = unsafe protobuf_c_message_get_packed_size(message) == bytes.count
    return writer.isExact && isWhole ? writer.bytes : nil
}

private struct JSONWriter {
    let isCommand: Bool
    var bytes: [UInt8] = []
    /// Whether everything that the message holds could be written.
    var isExact = true

    init(isCommand: Bool) { self.isCommand = isCommand }

    mutating func write(_ message: UnsafePointer<ProtobufCMessage>) {
        let base = unsafe UnsafeRawPointer(message)
        guard let descriptor = unsafe message.pointee.descriptor else { return }
        let isTime = unsafe String(cString: descriptor.pointee.name) == "google.protobuf.Timestamp"
        if unsafe message.pointee.n_unknown_fields > 0 { isExact = false }
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for index in 0..<Int(unsafe descriptor.pointee.n_fields) {
            let field = unsafe descriptor.pointee.fields[index]
            let name = unsafe String(cString: field.name)
            guard unsafe isPresent(field, base), !isCommand || name != "header" else { continue }
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            write(isTime ? (name == "seconds" ? "sec" : "nsec") : name)
            bytes.append(UInt8(ascii: ":"))
            if unsafe field.label == PROTOBUF_C_LABEL_REPEATED {
                unsafe writeList(field, base)
            } else {
                unsafe writeValue(field, base + Int(field.offset))
            }
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func isPresent(_ field: ProtobufCFieldDescriptor, _ base: UnsafeRawPointer) -> Bool {
        let place = unsafe base + Int(field.offset)
        if unsafe field.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0,
            unsafe (base + Int(field.quantifier_offset)).load(as: UInt32.self) != field.id
        {
            return false
        }
        guard unsafe field.label != PROTOBUF_C_LABEL_REPEATED else { return true }
        switch unsafe field.type {
        case PROTOBUF_C_TYPE_DOUBLE: return unsafe isFinite(place.load(as: Double.self))
        case PROTOBUF_C_TYPE_FLOAT: return unsafe isFinite(Double(place.load(as: Float.self)))
        case PROTOBUF_C_TYPE_MESSAGE: return unsafe place.load(as: UnsafeRawPointer?.self) != nil
        default: return true
        }
    }

    private mutating func isFinite(_ number: Double) -> Bool {
        if !number.isFinite { isExact = false }
        return number.isFinite
    }

    private mutating func writeList(_ field: ProtobufCFieldDescriptor, _ base: UnsafeRawPointer) {
        let count = unsafe (base + Int(field.quantifier_offset)).load(as: Int.self)
        let elements = unsafe (base + Int(field.offset)).load(as: UnsafeRawPointer?.self)
        bytes.append(UInt8(ascii: "["))
        if let elements = unsafe elements {
            for index in 0..<count {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                unsafe writeValue(field, elements + index * Self.byteCount(of: field.type))
            }
        }
        bytes.append(UInt8(ascii: "]"))
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

    private mutating func writeValue(_ field: ProtobufCFieldDescriptor, _ place: UnsafeRawPointer) {
        switch unsafe field.type {
        case PROTOBUF_C_TYPE_DOUBLE: write(unsafe place.load(as: Double.self))
        case PROTOBUF_C_TYPE_FLOAT: write(Double(unsafe place.load(as: Float.self)))
        case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64:
            write(integer: unsafe place.load(as: Int64.self))
        case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64: write(integer: unsafe place.load(as: UInt64.self))
        case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32: write(integer: unsafe place.load(as: UInt32.self))
        case PROTOBUF_C_TYPE_BOOL: write(bool: unsafe place.load(as: Int32.self))
        case PROTOBUF_C_TYPE_ENUM:
            let number = unsafe place.load(as: Int32.self)
            let values = unsafe field.descriptor?.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
            if let value = unsafe protobuf_c_enum_descriptor_get_value(values, number) {
                write(unsafe String(cString: value.pointee.name))
            } else {
                bytes += "\(number)".utf8
            }
        case PROTOBUF_C_TYPE_STRING:
            if let text = unsafe place.load(as: UnsafePointer<CChar>?.self) {
                write(unsafe String(cString: text))
                if unsafe String(validatingCString: text) == nil { isExact = false }
            } else {
                write("")
            }
        case PROTOBUF_C_TYPE_BYTES:
            let data = unsafe place.load(as: ProtobufCBinaryData.self)
            let content = unsafe UnsafeBufferPointer(start: data.data, count: data.len)
            write(base64: unsafe Array(content))
        case PROTOBUF_C_TYPE_MESSAGE:
            if let message = unsafe place.load(as: UnsafePointer<ProtobufCMessage>?.self) {
                unsafe write(message)
            } else {
                bytes += "null".utf8
            }
        default: write(integer: unsafe place.load(as: Int32.self))
        }
    }

    private mutating func write(integer: some FixedWidthInteger) { bytes += "\(integer)".utf8 }

    /// A protobuf_c_boolean is an int.
    private mutating func write(bool: Int32) { bytes += (bool != 0 ? "true" : "false").utf8 }

    /// Whole numbers without a fraction; `null` only inside lists.
    private mutating func write(_ number: Double) {
        if !number.isFinite {
            bytes += "null".utf8
        } else if let integer = Int64(exactly: number), abs(number) < 1e15 {
            bytes += "\(integer)".utf8
        } else {
            bytes += "\(number)".utf8
        }
    }

    private mutating func write(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                bytes += "\\u\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)".utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func write(base64 data: [UInt8]) {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        bytes.append(UInt8(ascii: "\""))
        for start in stride(from: 0, to: data.count, by: 3) {
            let group = data[start..<min(start + 3, data.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                bytes.append(place <= group.count ? alphabet[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
