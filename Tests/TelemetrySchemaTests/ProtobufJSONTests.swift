import Telemetry
import TelemetrySchema
import Testing

/// Wire bytes written by hand after the protobuf encoding, and the JSON that must come of them.
@Suite struct ProtobufJSONTests {
    private func text<Message: ProtobufMessage>(_ bytes: [UInt8], _ type: Message.Type) -> String? {
        json(ofProtobuf: bytes, as: type).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func timesAreAsViewersHaveThemAndNaNIsLeftOut() {
        // Header{stamp{seconds: 5, nanos: 7}, interval_seconds: NaN, sequence: 300}
        let nan: [UInt8] = [0x11, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F]
        #expect(
            text([0x0A, 4, 0x08, 5, 0x10, 7] + nan + [0x18, 0xAC, 0x02], HeaderMessage.self)
                == #"{"stamp":{"sec":5,"nsec":7},"sequence":300}"#)
        // interval_seconds: 0.1 and nothing else; defaults are there, unset messages are not.
        #expect(
            text([0x11, 0x9A, 0x99, 0x99, 0x99, 0x99, 0x99, 0xB9, 0x3F], HeaderMessage.self)
                == #"{"interval_seconds":0.1,"sequence":0}"#)
    }

    @Test func onlyTheChosenCaseOfAOneofIsThere() {
        // Config{channels: [{id: "/a", enabled: false}, {rate_hertz: 0}], log{level: "info"}}
        let rate: [UInt8] = [0x12, 9, 0x11] + [UInt8](repeating: 0, count: 8)
        #expect(
            text(
                [0x12, 6, 0x0A, 2, 0x2F, 0x61, 0x18, 0] + rate + [0x1A, 6, 0x0A, 4] + Array("info".utf8),
                ConfigMessage.self)
                == #"{"channels":[{"id":"/a","enabled":false},{"id":"","rate_hertz":0}],"log":{"level":"info"}}"#)
    }

    @Test func textsAreEscapedAndBytesAreBase64() {
        // ServiceResponse{success: true, error: "a\"\\\n\u{1}é"}
        let error = Array("a\"\\\n\u{1}é".utf8)
        let head: [UInt8] = [0x08, 1, 0x12, UInt8(error.count)] + error
        let escaped =
            ##"{"success":true,"error":"a\"\\\u000a\u0001é","session_id":"","topic":"","schema_name":"","message":"##
        let messages: [([UInt8], String)] = [
            ([], ""), ([0], "AA=="), ([0, 1], "AAE="), ([0, 1, 2], "AAEC"), ([0xFB, 0xFF, 0xBF, 0], "+/+/AA=="),
        ]
        for (message, base64) in messages {
            #expect(
                text(head + [0x32, UInt8(message.count)] + message, ServiceResponseMessage.self)
                    == escaped + "\"\(base64)\"}")
        }
    }

    @Test func countersKeepAllTheirDigitsAndEnumsTheirNames() throws {
        // NetInterface{oper_state: OPER_UP, rx_bytes_total: 2^64 - 1}: the numbers are those of net.proto.
        var rows = RepeatedField<NetInterfaceMessage>(capacity: 1)
        let isTaken = rows.append()
        #expect(isTaken)
        rows.last.reset()
        rows.last.rxBytesTotal = .max
        rows.last.operState = .init(6)
        rows.last.rxBytesPerSecond = .infinity
        let box = MessageBox<NetworkMessage>()
        box.reset()
        box.content.setInterfaces(rows)
        let json = try #require(text(box.bytes, NetworkMessage.self))
        #expect(json.contains(#""rx_bytes_total":18446744073709551615"#))
        #expect(json.contains(#""oper_state":"OPER_UP""#))
        #expect(!json.contains("rx_bytes_per_second"))
    }

    @Test func aLineOfALogHasAStampInPlaceOfAHeader() {
        var arena = TextArena(byteCapacity: 64)
        let box = MessageBox<LogMessage>()
        box.reset()
        box.content.level = FOXGLOVE__LOG__LEVEL__WARNING
        box.content.setMessage(arena.append("slow"))
        box.content.setName(arena.append("/disk"))
        box.setHeader(stamp: Timestamp(unixNanoseconds: 5_000_000_007), intervalSeconds: .nan, sequence: 1)
        // By the numbers of foxglove/Log.proto.
        let stamp: [UInt8] = [0x0A, 4, 0x08, 5, 0x10, 7]
        #expect(box.bytes == stamp + [0x10, 3, 0x1A, 4] + Array("slow".utf8) + [0x22, 5] + Array("/disk".utf8))
        let start = #"{"timestamp":{"sec":5,"nsec":7},"level":"WARNING","message":"slow","#
        #expect(text(box.bytes, LogMessage.self) == start + #""name":"/disk","file":"","line":0}"#)
        #expect(LogMessage.schema.name == "foxglove.Log")
    }

    @Test func unknownNumbersAreNullWhereAllMembersAreToBeThere() throws {
        let nan: [UInt8] = [0x11, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F]
        let message = try #require(decode(protobuf: [0x0A, 2, 0x10, 7] + nan, as: HeaderMessage.self))
        #expect(
            String(decoding: message.json(notKnown: .isNull), as: UTF8.self)
                == #"{"stamp":{"sec":0,"nsec":7},"interval_seconds":null,"sequence":0}"#)
        #expect(message["sequence"]?.number == 0 && message["interval_seconds"]?.number == nil)
    }

    @Test func fieldsAreBounded() throws {
        // CpuCores{cores: [{}, ...]}
        let rows = Array(repeatElement([0x12, 0] as [UInt8], count: ProtobufLimits.fieldCountMax).joined())
        let message = try #require(decode(protobuf: rows, as: CpuCoresMessage.self))
        #expect(message["cores"]?.rows.count == ProtobufLimits.fieldCountMax)
        #expect(decode(protobuf: rows + [0x12, 0], as: CpuCoresMessage.self) == nil)
    }

    @Test(arguments: [[0xFF], [0x0A, 200], [0x0A, 4, 0x08], [0x07]] as [[UInt8]])
    func whatIsNoMessageIsNothing(bytes: [UInt8]) {
        #expect(text(bytes, HeaderMessage.self) == nil)
    }

    @Test func aServiceResponseIsPacked() {
        var response = ServiceResponse()
        response.sessionID = "12"
        response.topic = "/a"
        response.schemaName = "b"
        response.message = [1, 2]
        #expect(
            response.packed
                == [0x08, 1, 0x1A, 2, 0x31, 0x32, 0x22, 2, 0x2F, 0x61, 0x2A, 1, 0x62, 0x32, 2, 1, 2])
        #expect(ServiceResponse(error: "é").packed == [0x12, 2, 0xC3, 0xA9])
    }
}
