internal import FoxgloveProtocol
internal import WebSocketProtocol

/// The client's half of the opening handshake (RFC 6455, section 4.1).
struct ClientHandshake {
    let key: String
    let url: ServerURL

    init(_ url: ServerURL, random: inout some RandomNumberGenerator) {
        self.url = url
        key = Base64.encode((0..<16).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    var request: [UInt8] {
        var lines = [
            "GET \(url.target) HTTP/1.1", "Host: \(url.authority)", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: \(key)",
            "Sec-WebSocket-Protocol: \(foxgloveSubprotocols.joined(separator: ", "))",
        ]
        if let token = url.token { lines.append("Authorization: Bearer \(token)") }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// Nil: the answer makes the connection a WebSocket.
    func refusal(in answer: HTTPAnswer) -> ClientConnection.End? {
        guard answer.status == 101 else { return .refused(status: answer.status) }
        guard answer.value(of: "upgrade")?.lowercased() == "websocket",
            answer.value(of: "connection")?.lowercased().split(separator: ",").contains(where: {
                $0.drop { $0 == " " } == "upgrade"
            }) ?? false
        else { return .violation("the answer does not change to WebSocket") }
        guard answer.value(of: "sec-websocket-accept") == Upgrade.acceptance(of: key) else {
            return .violation("the answer is not to our request")
        }
        guard let subprotocol = answer.value(of: "sec-websocket-protocol"), foxgloveSubprotocols.contains(subprotocol)
        else { return .violation("it does not speak \(foxgloveSubprotocols.joined(separator: " or "))") }
        guard answer.value(of: "sec-websocket-extensions") == nil else {
            return .violation("it uses an extension that was not offered")
        }
        return nil
    }
}

/// The head of an HTTP/1.1 answer, as far as a handshake needs it.
struct HTTPAnswer: Equatable {
    var status: Int
    private var fields: [(name: String, value: String)]

    /// Parses a head up to and without the empty line that ends it; nil: it is none.
    init?(parsing head: [UInt8], fieldCountMax: Int) {
        guard head.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || [0x09, 0x0A, 0x0D].contains($0) }) else { return nil }
        let lines = String(decoding: head, as: UTF8.self).split(
            separator: "\r\n" as Character, omittingEmptySubsequences: false)
        let status = lines[0].split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard status.count >= 2, status[0] == "HTTP/1.1", status[1].utf8.count == 3, let code = Int(status[1]),
            code >= 100, lines.count - 1 <= fieldCountMax
        else { return nil }
        self.status = code
        fields = []
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields.append((line[..<colon].lowercased(), String(value.reversed().drop { $0 == " " }.reversed())))
        }
    }

    /// Nil: there is none, or more than one, which no field here may have.
    func value(of name: String) -> String? {
        let values = fields.filter { $0.name == name }
        return values.count == 1 ? values[0].value : nil
    }

    static func == (left: Self, right: Self) -> Bool {
        left.status == right.status && left.fields.elementsEqual(right.fields, by: ==)
    }
}
