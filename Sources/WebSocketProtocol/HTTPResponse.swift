/// An answer that ends the connection: what a client gets instead of a WebSocket.
package struct HTTPResponse: Equatable, Sendable {
    package var status: Int
    package var reason: String
    package var fields: [String]
    package var text: String

    package init(_ status: Int, _ reason: String, fields: [String] = [], text: String) {
        self.status = status
        self.reason = reason
        self.fields = fields
        self.text = text
    }

    package var encoded: [UInt8] {
        let body = text + "\n"
        let head =
            ["HTTP/1.1 \(status) \(reason)"] + fields + [
                "Content-Type: text/plain; charset=utf-8", "Content-Length: \(body.utf8.count)",
                "X-Content-Type-Options: nosniff",
                // A field that concerns only this connection is named in it (RFC 9110, section 7.8).
                fields.contains { $0.hasPrefix("Upgrade:") } ? "Connection: close, Upgrade" : "Connection: close",
            ]
        return Array((head.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
    }
}

extension HTTPResponse {
    package static let malformedRequest = Self(400, "Bad Request", text: "This is not an HTTP/1.1 request.")
    package static let headTooLarge = Self(
        431, "Request Header Fields Too Large", text: "The request head is larger than this server accepts.")
    package static let tooManyClients = Self(
        503, "Service Unavailable", fields: ["Retry-After: 5"], text: "Too many clients are connected.")
}
