internal import CProtobufC
internal import Glibc

/// How many bytes a message's wire form takes at most, found without looking at its numbers.
///
/// protobuf-c packs without checking a bound and measures a message by a pass over every field that costs as much as
/// packing it. With a bound that only depends on rows and texts, a message is packed once and is then known by its size.
@safe
final class EncodedBound {
    /// A tag takes 5 bytes at most, a number 10, a length 5.
    private static let numberByteCount = 15
    private static let lengthByteCount = 10

    private var fixedByteCount = 0
    /// Offsets of text pointers.
    private var texts: [Int] = []
    /// Offsets of the table and the count of a repeated field, and what a row of it takes.
    private var lists: [(offset: Int, countOffset: Int, row: EncodedBound)] = []
    /// Whether all fields are of the kinds that the schemas have: if not, the message is measured.
    private(set) var isKnown = true

    init(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) {
        for index in 0..<Int(unsafe descriptor.pointee.n_fields) {
            unsafe add(descriptor.pointee.fields[index])
        }
    }

    private func add(_ field: ProtobufCFieldDescriptor) {
        let isRepeated = unsafe field.label == PROTOBUF_C_LABEL_REPEATED
        switch unsafe field.type {
        case PROTOBUF_C_TYPE_MESSAGE:
            guard let descriptor = unsafe field.descriptor else { return }
            let row = unsafe EncodedBound(descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self))
            guard row.isKnown else { return isKnown = false }
            if isRepeated {
                unsafe lists.append((Int(field.offset), Int(field.quantifier_offset), row))
            } else if row.texts.isEmpty, row.lists.isEmpty {
                fixedByteCount += row.fixedByteCount + Self.lengthByteCount
            } else {
                isKnown = false
            }
        case PROTOBUF_C_TYPE_STRING where !isRepeated:
            unsafe texts.append(Int(field.offset))
            fixedByteCount += Self.lengthByteCount
        case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES: isKnown = false
        default:
            if isRepeated { isKnown = false }
            fixedByteCount += Self.numberByteCount
        }
    }

    /// The bound for `message`, which must be of the type that this was made for.
    func byteCount(of message: UnsafeRawPointer) -> Int {
        var byteCount = fixedByteCount
        for offset in texts {
            if let text = unsafe message.load(fromByteOffset: offset, as: UnsafePointer<CChar>?.self) {
                unsafe byteCount += strlen(text)
            }
        }
        for list in lists {
            let count = unsafe message.load(fromByteOffset: list.countOffset, as: Int.self)
            let table = unsafe message.load(
                fromByteOffset: list.offset, as: UnsafePointer<UnsafeRawPointer?>?.self)
            guard count > 0, let table = unsafe table else { continue }
            for index in 0..<count {
                guard let row = unsafe table[index] else { continue }
                unsafe byteCount += list.row.byteCount(of: row) + Self.lengthByteCount
            }
        }
        return byteCount
    }
}
