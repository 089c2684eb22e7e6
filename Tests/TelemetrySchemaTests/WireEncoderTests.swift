import CProtobufC
import Telemetry
import TestSupport
import Testing

@testable import TelemetrySchema

/// Our packing beside that of protobuf-c, byte by byte.
@Suite struct WireEncoderTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func everyMessageTypeIsPackedAsTheLibraryPacksIt(round: UInt64) {
        var random = SeededGenerator(round: round)
        compare(CpuUsageMessage.self, &random)
        compare(CpuCoresMessage.self, &random)
        compare(KernelActivityMessage.self, &random)
        compare(LoadMessage.self, &random)
        compare(MemoryMessage.self, &random)
        compare(NetworkMessage.self, &random)
        compare(SystemInfoMessage.self, &random)
        compare(UptimeMessage.self, &random)
        compare(AgentStatsMessage.self, &random)
        compare(ConfigMessage.self, &random)
        compare(LogMessage.self, &random)
        compare(GpusMessage.self, &random)
        compare(SystemdMessage.self, &random)
    }

    /// Fills messages with random values, defaults and extremes among them, and packs them both ways.
    private func compare<Message: ChannelMessage>(_ type: Message.Type, _ random: inout SeededGenerator) {
        let box = MessageBox<Message>()
        for _ in 0..<60 {
            let scratch = Scratch()
            box.reset()
            let message = unsafe UnsafeMutableRawPointer(box.message)
            let base = unsafe message.assumingMemoryBound(to: ProtobufCMessage.self)
            unsafe fill(message, base.pointee.descriptor, scratch, &random)
            let expected = unsafe scratch.pack(base)
            #expect(box.encodedByteCount == expected.count)
            var bytes = [UInt8](repeating: 0, count: box.encodedByteCount)
            var span = bytes.mutableSpan
            box.encode(into: &span)
            #expect(bytes == expected, "\(type)")
        }
    }

    private func fill(
        _ message: UnsafeMutableRawPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>, _ scratch: Scratch,
        _ random: inout SeededGenerator
    ) {
        for index in 0..<Int(unsafe descriptor.pointee.n_fields) {
            let field = unsafe descriptor.pointee.fields[index]
            let place = unsafe message + Int(field.offset)
            let isOneOf = unsafe field.flags & UInt32(PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue) != 0
            if isOneOf {
                let isChosen = random.isOne(in: 2)
                unsafe (message + Int(field.quantifier_offset)).storeBytes(
                    of: isChosen ? field.id : 0, as: UInt32.self)
                guard isChosen else { continue }
            } else if random.isOne(in: 4), unsafe field.type != PROTOBUF_C_TYPE_MESSAGE {
                continue
            }
            let bits = random.next() >> UInt64.random(in: 0..<64, using: &random)
            switch unsafe field.type {
            case PROTOBUF_C_TYPE_DOUBLE:
                let values = [0, -0.0, 1, .nan, -1.5, 1e300, Double(bitPattern: random.next())]
                unsafe place.storeBytes(of: values.randomElement(using: &random) ?? 0, as: Double.self)
            case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_INT64: unsafe place.storeBytes(of: bits, as: UInt64.self)
            case PROTOBUF_C_TYPE_BOOL:
                unsafe place.storeBytes(of: random.isOne(in: 2) ? 1 : 0, as: Int32.self)
            case PROTOBUF_C_TYPE_STRING:
                let text = random.bytes(Int(bits & 255)).map { $0 & 63 | 64 }
                unsafe place.storeBytes(of: scratch.text(text), as: UnsafeMutablePointer<CChar>.self)
            case PROTOBUF_C_TYPE_MESSAGE:
                guard let raw = unsafe field.descriptor else { continue }
                let inner = unsafe raw.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
                if unsafe field.label == PROTOBUF_C_LABEL_REPEATED {
                    let rows = unsafe (0..<Int(bits % 5)).map { _ in
                        let row = unsafe scratch.message(inner)
                        unsafe fill(row, inner, scratch, &random)
                        return unsafe row
                    }
                    unsafe place.storeBytes(of: scratch.table(rows), as: UnsafeMutableRawPointer.self)
                    unsafe (message + Int(field.quantifier_offset)).storeBytes(of: rows.count, as: Int.self)
                } else if let known = unsafe place.load(as: UnsafeMutableRawPointer?.self) {
                    unsafe fill(known, inner, scratch, &random)
                }
            default: unsafe place.storeBytes(of: UInt32(truncatingIfNeeded: bits), as: UInt32.self)
            }
        }
    }
}

/// Memory that lives as long as one message.
@safe
private final class Scratch {
    private var blocks: [UnsafeMutableRawPointer] = unsafe []

    deinit { for index in unsafe blocks.indices { unsafe blocks[index].deallocate() } }

    private func block(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let block = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
        unsafe blocks.append(block)
        return unsafe block
    }

    func text(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar> {
        let text = unsafe block(bytes.count + 1).bindMemory(to: CChar.self, capacity: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { unsafe text[index] = CChar(bitPattern: byte) }
        unsafe text[bytes.count] = 0
        return unsafe text
    }

    func message(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) -> UnsafeMutableRawPointer {
        let message = unsafe block(descriptor.pointee.sizeof_message)
        unsafe protobuf_c_message_init(descriptor, message)
        return unsafe message
    }

    func table(_ rows: [UnsafeMutableRawPointer]) -> UnsafeMutableRawPointer {
        let table = unsafe block(8 * max(1, rows.count))
        for index in unsafe rows.indices {
            unsafe table.storeBytes(of: rows[index], toByteOffset: 8 * index, as: UnsafeMutableRawPointer.self)
        }
        return unsafe table
    }

    func pack(_ message: UnsafePointer<ProtobufCMessage>) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: unsafe protobuf_c_message_get_packed_size(message))
        let count = unsafe protobuf_c_message_pack(message, &bytes)
        #expect(count == bytes.count)
        return bytes
    }
}
