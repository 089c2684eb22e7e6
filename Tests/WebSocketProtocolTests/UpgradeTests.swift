import Testing
import WebSocketProtocol

private let subprotocols = ["foxglove.sdk.v1", "foxglove.websocket.v1"]
private let key = "dGhlIHNhbXBsZSBub25jZQ=="

/// A good request for the newer subprotocol, with the lines of some fields replaced.
private func request(_ method: String = "GET", _ replaced: [String: [String]] = [:]) -> HTTPRequest? {
    let fields = [
        "Host": ["box:8765"], "Upgrade": ["websocket"], "Connection": ["Upgrade"], "Sec-WebSocket-Version": ["13"],
        "Sec-WebSocket-Key": [key], "Sec-WebSocket-Protocol": ["foxglove.sdk.v1"],
    ].merging(replaced) { $1 }
    let lines = fields.flatMap { name, values in values.map { "\r\n\(name): \($0)" } }
    return try? HTTPRequest(
        parsing: Array("\(method) /any/path?x=1 HTTP/1.1\(lines.joined())".utf8).span, fieldLimit: 64)
}

@Suite("Upgrade")
struct UpgradeTests {
    /// The table of protocol.md, section 1.2, and HS-01 to HS-10.
    @Test(
        arguments: [
            (["foxglove.websocket.v1"], "foxglove.websocket.v1"), (["foxglove.sdk.v1"], "foxglove.sdk.v1"),
            (["foxglove.websocket.v1, foxglove.sdk.v1"], "foxglove.sdk.v1"),
            (["foxglove.sdk.v1, foxglove.websocket.v1"], "foxglove.sdk.v1"),
            (["unknown, foxglove.sdk.v1, another"], "foxglove.sdk.v1"),
            (["x,foxglove.sdk.v1 ,  foxglove.websocket.v1"], "foxglove.sdk.v1"),
            (["x", "foxglove.sdk.v1"], "foxglove.sdk.v1"),
            (["foxglove.websocket.v1", "foxglove.sdk.v1"], "foxglove.sdk.v1"),
            ([], nil), ([""], nil), (["bogus.v9"], nil), (["Foxglove.SDK.v1"], nil), (["foxglove.sdk.v1x"], nil),
            (["foxglove.sdk.v1 foxglove.websocket.v1"], nil), (["foxglove.sdk.v1; q=1"], nil),
        ] as [([String], String?)])
    func newestSubprotocolThatIsOfferedIsChosen(offered: [String], chosen: String?) throws {
        let upgrade = Upgrade(
            try #require(request("GET", ["Sec-WebSocket-Protocol": offered])), subprotocols: subprotocols)
        if let chosen {
            #expect(upgrade == .accept(subprotocol: chosen, key: key))
        } else {
            #expect(
                upgrade
                    == .refuse(
                        HTTPResponse(
                            400, "Bad Request",
                            text: "Sec-WebSocket-Protocol must offer foxglove.sdk.v1 or foxglove.websocket.v1.")))
        }
    }

    @Test(
        arguments: [
            [:], ["Upgrade": ["WebSocket"], "Connection": ["keep-alive, Upgrade"]],
            ["Connection": ["keep-alive", "UPGRADE"]],
            ["Upgrade": ["h2c, websocket"]], ["Host": [""]], ["Sec-WebSocket-Extensions": ["permessage-deflate"]],
            ["Origin": ["https://app.foxglove.dev"]], ["Sec-WebSocket-Key": ["////////////////////AA=="]],
            ["Cookie": ["a=b"]],
        ] as [[String: [String]]])
    func goodRequestIsAccepted(fields: [String: [String]]) throws {
        guard case .accept = Upgrade(try #require(request("GET", fields)), subprotocols: subprotocols) else {
            Issue.record("refused")
            return
        }
    }

    /// The rows of protocol.md, section 1.3, that are decided by the request alone, and RFC 6455, section 4.2.1.
    @Test(
        arguments: [
            ("GET", ["Upgrade": [], "Connection": []], 426), ("GET", ["Upgrade": []], 426),
            ("GET", ["Upgrade": ["h2c"]], 426),
            ("GET", ["Upgrade": ["websockets"]], 426), ("GET", ["Connection": []], 426),
            ("GET", ["Connection": ["close"]], 426),
            ("POST", [:], 405), ("HEAD", [:], 405), ("OPTIONS", [:], 405), ("get", [:], 405),
            ("POST", ["Upgrade": []], 405),
            ("GET", ["Sec-WebSocket-Version": ["12"]], 426), ("GET", ["Sec-WebSocket-Version": ["8"]], 426),
            ("GET", ["Sec-WebSocket-Version": []], 426), ("GET", ["Sec-WebSocket-Version": [""]], 426),
            ("GET", ["Sec-WebSocket-Version": ["13", "13"]], 426), ("GET", ["Sec-WebSocket-Version": ["13, 8"]], 426),
            ("GET", ["Sec-WebSocket-Key": []], 400), ("GET", ["Sec-WebSocket-Key": [""]], 400),
            ("GET", ["Sec-WebSocket-Key": ["short"]], 400), ("GET", ["Sec-WebSocket-Key": [key, key]], 400),
            ("GET", ["Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ="]], 400),
            ("GET", ["Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZWU="]], 400),
            ("GET", ["Host": []], 400), ("GET", ["Host": ["a", "b"]], 400), ("GET", ["Host": ["a", "a"]], 400),
        ] as [(String, [String: [String]], Int)])
    func badRequestIsRefused(method: String, fields: [String: [String]], status: Int) throws {
        guard
            case .refuse(let response) = Upgrade(
                try #require(request(method, fields)), subprotocols: subprotocols)
        else {
            Issue.record("accepted")
            return
        }
        #expect(response.status == status)
        #expect(!response.body.isEmpty)
        #expect(response.fields.contains("Allow: GET") == (status == 405))
        #expect(response.fields.contains("Upgrade: websocket") == (status == 426))
        #expect(response.fields.contains("Sec-WebSocket-Version: 13") == (status == 426))
    }

    /// The example of RFC 6455, section 1.3.
    @Test func answerIsThatOfTheStandard() {
        #expect(
            String(decoding: Upgrade.response(subprotocol: "chat", key: key), as: UTF8.self)
                == "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n")
    }

    @Test func refusalIsAWholeAnswer() {
        let response = HTTPResponse(405, "Method Not Allowed", fields: ["Allow: GET"], text: "Nö.")
        #expect(
            String(decoding: response.head + response.body, as: UTF8.self)
                == "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Type: text/plain; charset=utf-8\r\n"
                + "Content-Length: 5\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\nNö.\n")
    }

    @Test(
        arguments: [
            (HTTPResponse.malformedRequest, 400, []), (.headTooLarge, 431, []),
            (.tooManyClients, 503, ["Retry-After: 5"]),
        ] as [(HTTPResponse, Int, [String])])
    func standingAnswersHaveTheirStatus(response: HTTPResponse, status: Int, fields: [String]) {
        #expect(response.status == status)
        #expect(response.fields == fields)
    }
}
