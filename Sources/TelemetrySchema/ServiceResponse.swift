internal import CProtobufC

/// What a service answers; see `services.proto`.
package struct ServiceResponse: Equatable, Sendable {
    package var success = true
    package var error = ""
    package var sessionID = ""
    package var topic = ""
    package var schemaName = ""
    /// In protobuf.
    package var message: [UInt8] = []

    package init() {}

    package init(error: String) {
        success = false
        self.error = error
    }

    /// In protobuf.
    package var packed: [UInt8] {
        let texts = [error, sessionID, topic, schemaName]
        var arena = TextArena(byteCapacity: texts.reduce(0) { $0 + $1.utf8.count + 1 })
        var response = ServiceResponseMessage()
        response.reset()
        response.success = success ? 1 : 0
        response.setError(arena.append(error))
        response.setSessionId(arena.append(sessionID))
        response.setTopic(arena.append(topic))
        response.setSchemaName(arena.append(schemaName))
        var message = message
        return unsafe message.withUnsafeMutableBufferPointer { content in
            unsafe response.message = ProtobufCBinaryData(len: content.count, data: content.baseAddress)
            return unsafe withUnsafeBytes(of: &response) { raw -> [UInt8] in
                guard let base = unsafe raw.assumingMemoryBound(to: ProtobufCMessage.self).baseAddress else {
                    return []
                }
                let count = unsafe protobuf_c_message_get_packed_size(base)
                var packed = [UInt8](repeating: 0, count: count)
                _ = unsafe packed.withUnsafeMutableBufferPointer { target in
                    unsafe protobuf_c_message_pack(base, target.baseAddress)
                }
                return packed
            }
        }
    }
}
