/// Translates a message in protobuf to JSON, by the descriptor of its type: for people, and for what takes JSON.
/// Numbers that JSON lacks are left out. Returns nil if `bytes` is no such message.
///
/// `isCommand`: nothing may be lost silently of what a stranger sent. A message with fields that its type does not
/// have, numbers that JSON lacks, texts that are not UTF-8, or anything that does not come back when it is packed again
/// (a text with a NUL, a field given twice) is none. Its `header` is not looked at.
package func json<Message: ProtobufMessage>(
    ofProtobuf bytes: [UInt8], as type: Message.Type, isCommand: Bool = false
) -> [UInt8]? {
    guard let decoded = ProtobufDecoder.decode(bytes, as: type, leavesOutHeaders: isCommand) else { return nil }
    var writer = JSONWriter(notKnown: .isLeftOut)
    writer.write(decoded.message)
    guard isCommand else { return writer.bytes }
    return writer.isExact && decoded.isExact && decoded.byteCount == bytes.count ? writer.bytes : nil
}

extension DecodedMessage {
    /// What becomes of numbers that JSON lacks: NaN, which is what is not known, and infinity.
    package enum UnknownNumbers: Sendable {
        case isLeftOut
        /// So that every message of a type has the same members.
        case isNull
    }

    /// Compact JSON. Names are those of the schema, enums are their names, timestamps `{"sec", "nsec"}` as viewers have
    /// them, bytes are base64.
    package func json(notKnown: UnknownNumbers) -> [UInt8] {
        var writer = JSONWriter(notKnown: notKnown)
        writer.write(self)
        return writer.bytes
    }
}

private struct JSONWriter {
    let notKnown: DecodedMessage.UnknownNumbers
    var bytes: [UInt8] = []
    /// Whether all numbers could be written.
    var isExact = true

    init(notKnown: DecodedMessage.UnknownNumbers) { self.notKnown = notKnown }

    mutating func write(_ message: DecodedMessage) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for field in message.fields {
            if case .number(let number) = field.value, !number.isFinite {
                isExact = false
                if notKnown == .isLeftOut { continue }
            }
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            write(field.name)
            bytes.append(UInt8(ascii: ":"))
            write(field.value)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func write(_ value: DecodedValue) {
        switch value {
        case .number(let number): write(number)
        case .unsigned(let number): bytes += "\(number)".utf8
        case .signed(let number): bytes += "\(number)".utf8
        case .bool(let bool): bytes += (bool ? "true" : "false").utf8
        case .text(let text), .name(let text): write(text)
        case .bytes(let data): write(base64: data)
        case .time(let seconds, let nanoseconds): bytes += #"{"sec":\#(seconds),"nsec":\#(nanoseconds)}"#.utf8
        case .list(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                write(element)
            }
            bytes.append(UInt8(ascii: "]"))
        case .message(let message): write(message)
        }
    }

    /// Whole numbers without a fraction.
    private mutating func write(_ number: Double) {
        if !number.isFinite {
            isExact = false
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
