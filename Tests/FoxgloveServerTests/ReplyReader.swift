import Foundation

/// Reads what a server sends to one client, and holds every byte of it to RFC 6455 and to protocol.md, section 2.
///
/// Knows the whole protocol, whatever the server under test offers of it.
struct ReplyReader {
    /// What the server did that it must not do.
    private(set) var faults: [String] = []
    /// Statuses' texts, and how many pings and data messages came; to be taken by whoever reads them.
    var statuses: [String] = []
    var pingCount = 0
    var dataCount = 0
    private(set) var isUpgraded = false
    private(set) var isClosed = false

    private var bytes: [UInt8] = []
    private var offset = 0
    /// Of an HTTP answer that has begun: what may still come.
    private var restByteCount = 0

    mutating func take(_ more: [UInt8]) {
        guard !isClosed || isUpgraded else { return takeBody(more.count) }
        bytes += more
        if !isUpgraded { takeHead() }
        while isUpgraded, let frame = nextFrame() {
            if isClosed { faults.append("a frame after the close frame") }
            take(frame)
        }
        bytes.removeFirst(offset)
        offset = 0
    }

    private mutating func check(_ isTrue: Bool, _ rule: String) {
        if !isTrue { faults.append(rule) }
    }

    // MARK: HTTP

    private mutating func takeHead() {
        guard let end = bytes.firstRange(of: [13, 10, 13, 10]) else { return }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) }
        check(lines[0].hasPrefix("HTTP/1.1 ") && status != nil, "a status line: \(lines[0])")
        check(lines.dropFirst().allSatisfy { $0.contains(": ") }, "header fields: \(lines)")
        offset = end.upperBound
        isUpgraded = status == 101
        guard !isUpgraded else { return }
        let length = lines.first { $0.hasPrefix("Content-Length: ") }.flatMap { Int($0.dropFirst(16)) }
        check((length == nil) == (status == 204), "a length where there may be a body")
        isClosed = true
        restByteCount = length ?? 0
        takeBody(bytes.count - offset)
        offset = bytes.count
    }

    /// An answer to HEAD has none.
    private mutating func takeBody(_ byteCount: Int) {
        check(byteCount <= restByteCount, "a body as long as its header says")
        restByteCount -= byteCount
    }

    // MARK: Frames

    private struct Frame {
        var opcode: UInt8
        var payload: [UInt8]
    }

    private mutating func nextFrame() -> Frame? {
        let left = bytes.count - offset
        guard left >= 2 else { return nil }
        let (first, short) = (bytes[offset], Int(bytes[offset + 1]))
        check(first & 0xF0 == 0x80, "final, no reserved bit")
        check(short < 0x80, "a server does not mask")
        let lengthByteCount = short == 126 ? 2 : short == 127 ? 8 : 0
        let headerByteCount = 2 + lengthByteCount
        guard left >= headerByteCount else { return nil }
        let digits = bytes[offset + 2..<offset + headerByteCount]
        let length = lengthByteCount == 0 ? short : digits.reduce(0) { $0 << 8 | Int($1) }
        check(lengthByteCount == 0 || length > (lengthByteCount == 2 ? 125 : 65_535), "the shortest form of a length")
        guard left >= headerByteCount + length else { return nil }
        offset += headerByteCount + length
        return Frame(opcode: first & 0x0F, payload: Array(bytes[offset - length..<offset]))
    }

    private mutating func take(_ frame: Frame) {
        let payload = frame.payload
        if frame.opcode >= 8 { check(payload.count <= 125, "a short control frame") }
        switch frame.opcode {
        case 1: takeText(payload)
        case 2: takeBinary(payload)
        case 8:
            isClosed = true
            let code = payload.prefix(2).reduce(0) { $0 << 8 | Int($1) }
            check(payload.isEmpty || payload.count >= 2, "a close code of two bytes")
            check(payload.isEmpty || [1000...1003, 1007...1014, 3000...4999].contains { $0.contains(code) }, "\(code)")
            check(String(validating: payload.dropFirst(2), as: UTF8.self) != nil, "a reason of UTF-8")
        case 9: pingCount += 1
        case 10: break
        case let opcode: faults.append("opcode \(opcode)")
        }
    }

    // MARK: Messages

    private static let requiredMembers: [String: [String: Kind]] = [
        "serverInfo": ["name": .string, "capabilities": .array], "status": ["level": .level, "message": .string],
        "removeStatus": ["statusIds": .array], "advertise": ["channels": .array], "unadvertise": ["channelIds": .array],
        "advertiseServices": ["services": .array], "unadvertiseServices": ["serviceIds": .array],
        "parameterValues": ["parameters": .array],
        "connectionGraphUpdate": [
            "publishedTopics": .array, "subscribedTopics": .array, "advertisedServices": .array,
            "removedTopics": .array, "removedServices": .array,
        ],
        "serviceCallFailure": ["serviceId": .number, "callId": .number, "message": .string],
    ]

    private enum Kind {
        case string, number, array, level

        func fits(_ value: Any?) -> Bool {
            switch self {
            case .string: value is String
            case .number: value is NSNumber
            case .array: value is [Any]
            case .level: (value as? Int).map { (0...2).contains($0) } ?? false
            }
        }
    }

    private mutating func takeText(_ payload: [UInt8]) {
        guard let object = (try? JSONSerialization.jsonObject(with: Data(payload))) as? [String: Any],
            let op = object["op"] as? String, let members = Self.requiredMembers[op]
        else {
            faults.append("no message of a server: \(String(decoding: payload.prefix(200), as: UTF8.self))")
            return
        }
        for (name, kind) in members { check(kind.fits(object[name]), "\(op) without a proper \(name)") }
        if op == "status", let message = object["message"] as? String { statuses.append(message) }
    }

    private mutating func takeBinary(_ payload: [UInt8]) {
        func length(at offset: Int) -> Int {
            guard payload.count >= offset + 4 else { return .max }
            return payload[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        let isWhole =
            switch payload.first {
            case 1: payload.count >= 13
            case 2: payload.count == 9
            case 3: length(at: 9) <= payload.count - 13
            case 4: payload.count >= 10 && payload[5] <= 1 && length(at: 6) <= payload.count - 10
            case 5: payload.count >= 19 && payload[1] <= 3 && length(at: 15) == payload.count - 19
            default: false
            }
        check(isWhole, "a binary message that begins with \(payload.prefix(20))")
        if payload.first == 1 { dataCount += 1 }
    }
}
