import TelemetrySchema
import Testing

/// Wire bytes written by hand, read by the names of fields.
struct UnpackedMessageTests {
    @Test func fieldsOfEveryKindAreRead() throws {
        let type = MessageType(of: MdArraysMessage.self)
        // MdArrays{arrays: [{id: "md0", state: STATE_CHECK, read_only: true, disks_down: 2}, {}]}
        let field = { (number: UInt8, bytes: [UInt8]) in [number << 3 | 2, UInt8(bytes.count)] + bytes }
        let arrays = try #require(type.field("arrays"))
        let entryType = try #require(arrays.messageType)
        let names = ["id", "state", "read_only", "disks_down", "size_bytes"]
        let fields = try names.map { try #require(entryType.field($0)) }
        // Numbers of fields: those of md.proto.
        let entry = field(1, Array("md0".utf8)) + [2 << 3, 6, 4 << 3, 1, 9 << 3, 2]
        guard let message = UnpackedMessage(field(2, entry) + field(2, []), as: type) else {
            Issue.record("not unpacked")
            return
        }
        #expect(message.content.count(of: arrays) == 2)
        let (first, second) = (message.content.message(0, of: arrays), message.content.message(1, of: arrays))
        let texts = fields.map { first.text($0) }
        #expect(texts == ["md0", "STATE_CHECK", nil, nil, nil])
        let numbers = fields.map { first.number($0) }
        #expect(numbers == [nil, 6, 1, 2, 0])
        let defaults = fields.map { second.text($0) ?? "\(second.number($0) ?? -1)" }
        #expect(defaults == ["", "STATE_UNKNOWN", "0.0", "0.0", "0.0"])
    }

    @Test func aMessageThatIsNotSetIsNotThere() throws {
        let type = MessageType(of: PressureMessage.self)
        let (cpu, memory) = (try #require(type.field("cpu")), try #require(type.field("memory")))
        guard let message = UnpackedMessage([0x12, 0], as: type) else {
            Issue.record("not unpacked")
            return
        }
        let counts = [message.content.count(of: cpu), message.content.count(of: memory)]
        #expect(counts == [1, 0])
    }

    @Test(arguments: [[0x12], [0x12, 5, 0], [0xFF], [0x0A, 2, 0x08]] as [[UInt8]])
    func whatIsNoMessageIsRefused(bytes: [UInt8]) {
        let isUnpacked = UnpackedMessage(bytes, as: MessageType(of: PressureMessage.self)) != nil
        #expect(!isUnpacked)
    }

    @Test func thereIsNoFieldOfAnotherName() {
        #expect(MessageType(of: PressureMessage.self).field("cpus") == nil)
        #expect(MessageType(of: PressureMessage.self).field("") == nil)
    }
}
