internal import CProtobufC
package import Telemetry

/// A message struct that protoc-c generated from `proto/`. Conformances are generated too: `Messages.swift`.
///
/// Public, like ``RepeatedField``: the compiler specializes across modules only what is public and inlinable, and rows
/// are filled through this for every entry of every sample.
public protocol ProtobufMessage {
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

/// A message's wire form as of its last packing. Not a part of the generic box, whose parts need its type at run time.
@safe
struct Packed {
    var bytes: UnsafeMutablePointer<UInt8>
    var capacity: Int
    var count: Int
    var isCurrent: Bool
}

/// Owns one message, its header and its wire form for as long as a collector lives, so that sampling allocates nothing.
@safe
package struct MessageBox<Message: ChannelMessage>: ~Copyable {
    let message: UnsafeMutablePointer<Message>
    let header: UnsafeMutablePointer<HeaderMessage>
    private let stamp: UnsafeMutablePointer<TimestampMessage>
    let packed: UnsafeMutablePointer<Packed>
    private let encoder: WireEncoder

    package init() {
        unsafe message = .allocate(capacity: 1)
        unsafe header = .allocate(capacity: 1)
        unsafe stamp = .allocate(capacity: 1)
        unsafe packed = .allocate(capacity: 1)
        unsafe message.initialize(to: Message())
        unsafe header.initialize(to: HeaderMessage())
        unsafe stamp.initialize(to: TimestampMessage())
        unsafe packed.initialize(to: Packed(bytes: .allocate(capacity: 512), capacity: 512, count: 0, isCurrent: false))
        unsafe message.pointee.reset()
        unsafe header.pointee.reset()
        unsafe stamp.pointee.reset()
        unsafe header.pointee.stamp = stamp
        let base = unsafe UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self)
        encoder = unsafe WireEncoder(base.pointee.descriptor)
    }

    deinit {
        unsafe message.deallocate()
        unsafe header.deallocate()
        unsafe stamp.deallocate()
        unsafe packed.pointee.bytes.deallocate()
        unsafe packed.deallocate()
    }

    /// Resets the message, so that no value of an earlier sample goes stale.
    package func reset() {
        unsafe packed.pointee.isCurrent = false
        unsafe message.pointee.reset()
        unsafe message.pointee.setHeader(header)
    }

    /// The message, to be filled between ``reset()`` and ``setHeader(stamp:intervalSeconds:sequence:)``.
    package var content: Message {
        unsafeAddress { unsafe UnsafePointer(message) }
        nonmutating unsafeMutableAddress { unsafe message }
    }

    /// Completes the message before it is encoded.
    package func setHeader(stamp time: Timestamp, intervalSeconds: Double, sequence: UInt32) {
        unsafe packed.pointee.isCurrent = false
        unsafe stamp.pointee.seconds = Int64(time.unixNanoseconds / 1_000_000_000)
        unsafe stamp.pointee.nanos = Int32(time.unixNanoseconds % 1_000_000_000)
        unsafe header.pointee.intervalSeconds = intervalSeconds
        unsafe header.pointee.sequence = sequence
    }

    package var encodedByteCount: Int {
        if unsafe !packed.pointee.isCurrent { pack() }
        return unsafe packed.pointee.count
    }

    /// Writes the message's wire form, which must fill `target`.
    package func encode(into target: inout MutableSpan<UInt8>) {
        let count = encodedByteCount
        precondition(target.count == count, "the message changed after it was measured")
        unsafe target.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            unsafe base.update(from: packed.pointee.bytes, count: count)
        }
    }

    /// A copy of the message's wire form.
    package var bytes: [UInt8] {
        let count = encodedByteCount
        return unsafe Array(UnsafeBufferPointer(start: packed.pointee.bytes, count: count))
    }

    /// Packs into the kept buffer, which grows until the message fits.
    private func pack() {
        while true {
            let buffer = unsafe UnsafeMutableBufferPointer(start: packed.pointee.bytes, count: packed.pointee.capacity)
            if let count = unsafe encoder.encode(message, into: buffer) {
                unsafe packed.pointee.count = count
                unsafe packed.pointee.isCurrent = true
                return
            }
            unsafe packed.pointee.bytes.deallocate()
            unsafe packed.pointee.capacity *= 2
            unsafe packed.pointee.bytes = .allocate(capacity: packed.pointee.capacity)
        }
    }
}

/// The rows of a repeated field: a fixed number of structs, filled anew for each sample.
@safe
public struct RepeatedField<Row: ProtobufMessage>: ~Copyable {
    @usableFromInline let rows: UnsafeMutablePointer<Row>
    private let table: UnsafeMutablePointer<UnsafeMutablePointer<Row>?>
    /// How many rows there is room for.
    public let capacity: Int
    @usableFromInline var used = 0
    /// Rows in use.
    public var count: Int { @inlinable get { used } }

    /// Allocates all rows.
    public init(capacity: Int) {
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

    /// Makes all rows free; keeps their contents.
    @inlinable public mutating func removeAll() { used = 0 }

    /// Takes the next row, which is then ``last``. Returns false when all rows are in use.
    @inlinable @inline(__always)
    public mutating func append() -> Bool {
        guard used < capacity else { return false }
        used += 1
        return true
    }

    /// The row taken last: every one of its fields must be set, since rows are used again.
    public var last: Row {
        @inlinable @inline(__always) unsafeAddress {
            precondition(used > 0)
            return unsafe UnsafePointer(rows + (used - 1))
        }
        @inlinable @inline(__always) nonmutating unsafeMutableAddress {
            precondition(used > 0)
            return unsafe rows + (used - 1)
        }
    }

    /// What a field of one message wants; for generated setters only.
    @unsafe var first: UnsafeMutablePointer<Row>? { unsafe used > 0 ? rows : nil }

    /// What the generated struct's field wants; for generated setters only.
    @unsafe var pointers: UnsafeMutablePointer<UnsafeMutablePointer<Row>?>? { unsafe table }
}
