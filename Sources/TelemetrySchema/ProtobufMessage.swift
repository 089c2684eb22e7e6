internal import CProtobufC
package import Telemetry

/// A message struct that protoc-c generated from `proto/`. Conformances are generated too: `Messages.swift`.
package protocol ProtobufMessage {
    init()
    /// Points the message at its descriptor and sets every field to its default.
    mutating func reset()
}

/// A message that is a channel of its own: its first field is the header.
package protocol ChannelMessage: ProtobufMessage {
    /// Full name and descriptor set, imports included.
    static var schema: Schema { get }
    mutating func setHeader(_ header: UnsafeMutablePointer<HeaderMessage>)
}

/// Owns one message and its header for as long as a collector lives, so that sampling allocates nothing.
@safe
package struct MessageBox<Message: ChannelMessage>: ~Copyable {
    private let message: UnsafeMutablePointer<Message>
    private let header: UnsafeMutablePointer<HeaderMessage>
    private let stamp: UnsafeMutablePointer<TimestampMessage>

    package init() {
        unsafe message = .allocate(capacity: 1)
        unsafe header = .allocate(capacity: 1)
        unsafe stamp = .allocate(capacity: 1)
        unsafe message.initialize(to: Message())
        unsafe header.initialize(to: HeaderMessage())
        unsafe stamp.initialize(to: TimestampMessage())
        unsafe header.pointee.reset()
        unsafe stamp.pointee.reset()
        unsafe header.pointee.stamp = stamp
    }

    deinit {
        unsafe message.deallocate()
        unsafe header.deallocate()
        unsafe stamp.deallocate()
    }

    /// Resets the message, so that no value of an earlier sample goes stale, and lends it to `body` to be filled.
    package func fill<Result, Failure>(
        _ body: (inout Message) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe message.pointee.reset()
        unsafe message.pointee.setHeader(header)
        return try unsafe body(&message.pointee)
    }

    /// Completes the message before it is encoded.
    package func setHeader(stamp time: Timestamp, intervalSeconds: Double, sequence: UInt32) {
        unsafe stamp.pointee.seconds = Int64(time.unixNanoseconds / 1_000_000_000)
        unsafe stamp.pointee.nanos = Int32(time.unixNanoseconds % 1_000_000_000)
        unsafe header.pointee.intervalSeconds = intervalSeconds
        unsafe header.pointee.sequence = sequence
    }

    package var encodedByteCount: Int { unsafe protobuf_c_message_get_packed_size(base) }

    /// Writes the message's wire form, which must fill `target`.
    package func encode(into target: inout MutableSpan<UInt8>) {
        precondition(target.count == encodedByteCount, "the message changed after it was measured")
        guard !target.isEmpty else { return }
        let written = unsafe target.withUnsafeMutableBufferPointer { buffer in
            unsafe protobuf_c_message_pack(base, buffer.baseAddress)
        }
        precondition(written == target.count)
    }

    private var base: UnsafePointer<ProtobufCMessage> {
        unsafe UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self)
    }
}

/// The rows of a repeated field: a fixed number of structs, filled anew for each sample.
@safe
package struct RepeatedField<Row: ProtobufMessage>: ~Copyable {
    private let rows: UnsafeMutablePointer<Row>
    private let table: UnsafeMutablePointer<UnsafeMutablePointer<Row>?>
    package let capacity: Int
    package private(set) var count = 0

    package init(capacity: Int) {
        self.capacity = capacity
        unsafe rows = .allocate(capacity: capacity)
        unsafe table = .allocate(capacity: capacity)
        for index in 0..<capacity {
            unsafe (rows + index).initialize(to: Row())
            unsafe (rows + index).pointee.reset()
            unsafe (table + index).initialize(to: rows + index)
        }
    }

    deinit {
        unsafe rows.deallocate()
        unsafe table.deallocate()
    }

    package mutating func removeAll() { count = 0 }

    /// Takes the next row and lets `fill` set its fields, every one of them, since rows are used again.
    ///
    /// Returns false when all rows are in use.
    package mutating func append(_ fill: (inout Row) -> Void) -> Bool {
        guard count < capacity else { return false }
        unsafe fill(&(rows + count).pointee)
        count += 1
        return true
    }

    /// What the generated struct's field wants; for generated setters only.
    @unsafe var pointers: UnsafeMutablePointer<UnsafeMutablePointer<Row>?>? { unsafe table }
}
