internal import CProtobufC

/// The type of a message, for whoever looks for fields by their names: a table of metrics, not a collector.
@safe
package struct MessageType: Sendable {
    fileprivate nonisolated(unsafe) let descriptor: UnsafePointer<ProtobufCMessageDescriptor>

    fileprivate init(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) { unsafe self.descriptor = descriptor }

    package init<Message: ProtobufMessage>(of _: Message.Type) {
        var prototype = Message()
        prototype.reset()
        let descriptor = unsafe withUnsafeBytes(of: &prototype) { message in
            unsafe message.assumingMemoryBound(to: ProtobufCMessage.self).baseAddress?.pointee.descriptor
        }
        guard let descriptor = unsafe descriptor else { preconditionFailure("a message without a descriptor") }
        unsafe self.init(descriptor)
    }

    /// Nil: there is no field of that name.
    package func field(_ name: String) -> MessageField? {
        guard let field = unsafe protobuf_c_message_descriptor_get_field_by_name(descriptor, name) else { return nil }
        return unsafe MessageField(field.pointee)
    }
}

/// A field of a message type. To be used with messages of that type only.
@safe
package struct MessageField: Sendable {
    fileprivate nonisolated(unsafe) let descriptor: ProtobufCFieldDescriptor

    fileprivate init(_ descriptor: ProtobufCFieldDescriptor) { unsafe self.descriptor = descriptor }

    fileprivate var isList: Bool { unsafe descriptor.label == PROTOBUF_C_LABEL_REPEATED }

    /// The type of a message inside the message, or of a list of them; nil: the field is a value.
    package var messageType: MessageType? {
        guard unsafe descriptor.type == PROTOBUF_C_TYPE_MESSAGE, let inner = unsafe descriptor.descriptor else {
            return nil
        }
        return unsafe MessageType(inner.assumingMemoryBound(to: ProtobufCMessageDescriptor.self))
    }
}

/// A message that came in protobuf, for reading its fields.
@safe
package struct UnpackedMessage: ~Copyable {
    private let message: UnsafeMutablePointer<ProtobufCMessage>

    /// Nil: `bytes` is no such message.
    package init?(_ bytes: [UInt8], as type: MessageType) {
        let unpacked = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe protobuf_c_message_unpack(type.descriptor, nil, buffer.count, buffer.baseAddress)
        }
        guard let unpacked = unsafe unpacked else { return nil }
        unsafe message = unpacked
    }

    deinit { unsafe protobuf_c_message_free_unpacked(message, nil) }

    package var content: MessageContent {
        @_lifetime(borrow self) get { unsafe MessageContent(message) }
    }
}

/// A message, or one that is inside another, for as long as the outermost is there.
@safe
package struct MessageContent: ~Escapable {
    private let base: UnsafeRawPointer

    @_lifetime(immortal)
    fileprivate init(_ message: UnsafePointer<ProtobufCMessage>) { unsafe base = UnsafeRawPointer(message) }

    private func place(of field: MessageField) -> UnsafeRawPointer { unsafe base + Int(field.descriptor.offset) }

    /// How many messages are in a field: those of a list, else 1 if it is set.
    package func count(of field: MessageField) -> Int {
        precondition(field.messageType != nil)
        guard unsafe place(of: field).load(as: UnsafeRawPointer?.self) != nil else { return 0 }
        guard field.isList else { return 1 }
        return unsafe (base + Int(field.descriptor.quantifier_offset)).load(as: Int.self)
    }

    /// One of the ``count(of:)`` messages in a field.
    @_lifetime(copy self)
    package func message(_ index: Int, of field: MessageField) -> MessageContent {
        precondition(index >= 0 && index < count(of: field))
        var place = unsafe place(of: field)
        if field.isList {
            unsafe place = place.load(as: UnsafeRawPointer.self) + index * MemoryLayout<UnsafeRawPointer>.size
        }
        let content = unsafe MessageContent(place.load(as: UnsafePointer<ProtobufCMessage>.self))
        return unsafe _overrideLifetime(content, copying: self)
    }

    /// The value of a field: that of an enum is its number, a bool is 0 or 1. Nil: it is none that has one.
    package func number(_ field: MessageField) -> Double? {
        guard !field.isList else { return nil }
        let place = unsafe place(of: field)
        switch unsafe field.descriptor.type {
        case PROTOBUF_C_TYPE_DOUBLE: return unsafe place.load(as: Double.self)
        case PROTOBUF_C_TYPE_FLOAT: return Double(unsafe place.load(as: Float.self))
        case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64:
            return Double(unsafe place.load(as: Int64.self))
        case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64: return Double(unsafe place.load(as: UInt64.self))
        case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32: return Double(unsafe place.load(as: UInt32.self))
        case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_MESSAGE: return nil
        default: return Double(unsafe place.load(as: Int32.self))
        }
    }

    /// A text, valid UTF-8, or the name of an enum's value; empty where it has none. Nil: it is no such field.
    package func text(_ field: MessageField) -> String? {
        guard !field.isList else { return nil }
        let place = unsafe place(of: field)
        switch unsafe field.descriptor.type {
        case PROTOBUF_C_TYPE_STRING:
            guard let text = unsafe place.load(as: UnsafePointer<CChar>?.self) else { return "" }
            return unsafe String(cString: text)
        case PROTOBUF_C_TYPE_ENUM:
            let values = unsafe field.descriptor.descriptor?.assumingMemoryBound(to: ProtobufCEnumDescriptor.self)
            let value = unsafe protobuf_c_enum_descriptor_get_value(values, place.load(as: Int32.self))
            return unsafe value.map { unsafe String(cString: $0.pointee.name) } ?? ""
        default: return nil
        }
    }
}
