/// The server's half of the opening handshake (RFC 6455, section 4.2).
package enum Upgrade: Equatable, Sendable {
    case accept(subprotocol: String, key: String)
    case refuse(HTTPResponse)

    /// `subprotocols` are what the server speaks, the preferred one first; a client must offer one of them.
    package init(_ request: HTTPRequest, subprotocols: [String]) {
        func has(_ token: String, in name: String) -> Bool {
            request.list(of: name).contains { $0.lowercased() == token }
        }
        let keys = request.values(of: "sec-websocket-key")
        let offered = request.list(of: "sec-websocket-protocol")
        if request.method != "GET" {
            self = .refuse(
                HTTPResponse(405, "Method Not Allowed", fields: ["Allow: GET"], text: "Only GET is understood here."))
        } else if request.values(of: "host").count != 1 {
            self = .refuse(HTTPResponse(400, "Bad Request", text: "A request needs one Host header."))
        } else if !has("websocket", in: "upgrade") || !has("upgrade", in: "connection") {
            self = .refuse(.upgradeRequired("This is a WebSocket server. Open it from Foxglove or Lichtblick."))
        } else if request.values(of: "sec-websocket-version") != ["13"] {
            self = .refuse(.upgradeRequired("Only WebSocket version 13 is understood here."))
        } else if keys.count != 1 || !Base64.isEncoding(keys[0], ofByteCount: 16) {
            self = .refuse(HTTPResponse(400, "Bad Request", text: "Sec-WebSocket-Key is missing or malformed."))
        } else if let subprotocol = subprotocols.first(where: offered.contains) {
            self = .accept(subprotocol: subprotocol, key: keys[0])
        } else {
            let names = subprotocols.joined(separator: " or ")
            self = .refuse(HTTPResponse(400, "Bad Request", text: "Sec-WebSocket-Protocol must offer \(names)."))
        }
    }

    /// The answer that makes the connection a WebSocket. Extensions are declined by not naming them.
    package static func response(subprotocol: String, key: String) -> [UInt8] {
        let lines = [
            "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Accept: \(acceptance(of: key))", "Sec-WebSocket-Protocol: \(subprotocol)",
        ]
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// What shows a client that its key was read by a WebSocket server.
    package static func acceptance(of key: String) -> String {
        Base64.encode(SHA1.digest(of: Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    }
}

extension HTTPResponse {
    fileprivate static func upgradeRequired(_ text: String) -> Self {
        Self(426, "Upgrade Required", fields: ["Upgrade: websocket", "Sec-WebSocket-Version: 13"], text: text)
    }
}
