/// An answer that ends the connection: what a client gets instead of a WebSocket.
package struct HTTPResponse: Equatable, Sendable {
    package var status: Int
    package var reason: String
    /// Lines of the head, besides those that every answer has.
    package var fields: [String]
    package var contentType: String
    package var body: [UInt8]

    package init(_ status: Int, _ reason: String, fields: [String] = [], contentType: String, body: [UInt8]) {
        self.status = status
        self.reason = reason
        self.fields = fields
        self.contentType = contentType
        self.body = body
    }

    /// One line of text.
    package init(_ status: Int, _ reason: String, fields: [String] = [], text: String) {
        self.init(
            status, reason, fields: fields, contentType: "text/plain; charset=utf-8", body: Array((text + "\n").utf8))
    }

    /// What comes before the body, up to and with the empty line.
    package var head: [UInt8] {
        var lines = ["HTTP/1.1 \(status) \(reason)"] + fields
        // An answer that cannot have a body has no length either (RFC 9110, section 8.6).
        if status != 204 { lines += ["Content-Type: \(contentType)", "Content-Length: \(body.count)"] }
        lines += [
            "X-Content-Type-Options: nosniff",
            // A field that concerns only this connection is named in it (RFC 9110, section 7.8).
            fields.contains { $0.hasPrefix("Upgrade:") } ? "Connection: close, Upgrade" : "Connection: close",
        ]
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}

extension HTTPResponse {
    package static let noContent = Self(204, "No Content", contentType: "", body: [])
    package static let malformedRequest = Self(400, "Bad Request", text: "This is not an HTTP/1.1 request.")
    package static let headTooLarge = Self(
        431, "Request Header Fields Too Large", text: "The request head is larger than this server accepts.")
    package static let tooManyClients = Self(
        503, "Service Unavailable", fields: ["Retry-After: 5"], text: "Too many clients are connected.")
}
