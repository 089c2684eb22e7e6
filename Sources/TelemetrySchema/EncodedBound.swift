internal import CProtobufC
internal import Glibc

/// How many bytes a message's wire form takes at most, found without looking at its numbers.
///
/// protobuf-c packs without checking a bound and measures a message by a pass over every field that costs as much as
/// packing it. With a bound that only depends on rows and texts, a message is packed once and is then known by its size.
@safe
struct EncodedBound {
    /// A repeated field: offsets of its table and count, and what a row of it takes.
    private struct List {
        var offset: Int
        var countOffset: Int
        var rowByteCount: Int
        /// Places in `rowTexts`.
        var texts: Range<Int>
    }

    /// A tag takes 5 bytes at most, a number 10, a length 5.
    private static let numberByteCount = 15
    private static let lengthByteCount = 10

    private var fixedByteCount = 0
    /// Offsets of text pointers, of the message and of the rows of its lists.
    private var texts: [Int] = []
    private var rowTexts: [Int] = []
    private var lists: [List] = []
    /// Whether all fields are of the kinds that the schemas have: if not, the message is measured.
    private(set) var isKnown = true

    init(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) {
        for index in 0..<Int(unsafe descriptor.pointee.n_fields) {
            unsafe add(descriptor.pointee.fields[index])
        }
    }

    private mutating func add(_ field: ProtobufCFieldDescriptor) {
        let isRepeated = unsafe field.label == PROTOBUF_C_LABEL_REPEATED
        let isOneOf = unsafe field.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0
        switch unsafe field.type {
        // Shares its place with others: there may be no pointer.
        case PROTOBUF_C_TYPE_MESSAGE where isOneOf, PROTOBUF_C_TYPE_STRING where isOneOf: isKnown = false
        case PROTOBUF_C_TYPE_MESSAGE:
            guard let descriptor = unsafe field.descriptor else { return isKnown = false }
            let row = unsafe EncodedBound(descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self))
            guard row.isKnown, row.lists.isEmpty, isRepeated || row.texts.isEmpty else { return isKnown = false }
            let byteCount = row.fixedByteCount + Self.lengthByteCount
            guard isRepeated else { return fixedByteCount += byteCount }
            unsafe lists.append(
                List(
                    offset: Int(field.offset), countOffset: Int(field.quantifier_offset), rowByteCount: byteCount,
                    texts: rowTexts.count..<rowTexts.count + row.texts.count))
            rowTexts += row.texts
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
        for offset in texts { unsafe byteCount += Self.textByteCount(message, offset) }
        for list in lists {
            let count = unsafe message.load(fromByteOffset: list.countOffset, as: Int.self)
            byteCount += count * list.rowByteCount
            guard count > 0, !list.texts.isEmpty else { continue }
            guard
                let table = unsafe message.load(
                    fromByteOffset: list.offset, as: UnsafePointer<UnsafeRawPointer?>?.self)
            else { continue }
            for index in 0..<count {
                guard let row = unsafe table[index] else { continue }
                for text in list.texts { unsafe byteCount += Self.textByteCount(row, rowTexts[text]) }
            }
        }
        return byteCount
    }

    private static func textByteCount(_ message: UnsafeRawPointer, _ offset: Int) -> Int {
        guard let text = unsafe message.load(fromByteOffset: offset, as: UnsafePointer<CChar>?.self) else { return 0 }
        return unsafe strlen(text)
    }
}
