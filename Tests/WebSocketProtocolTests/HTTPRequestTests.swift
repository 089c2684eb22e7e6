import TestSupport
import Testing
import WebSocketProtocol

private func parse(_ head: String, fieldLimit: Int = 64) throws(HTTPRequest.Malformation) -> HTTPRequest {
    try HTTPRequest(parsing: Array(head.utf8).span, fieldLimit: fieldLimit)
}

@Suite("HTTP request")
struct HTTPRequestTests {
    @Test func requestLineAndFieldsAreRead() throws {
        let request = try parse(
            "GET /a/b?c=d%20e HTTP/1.1\r\nHost: box:8765\r\nX-One:1\r\nx-ONE: \t 2 3\t \r\nEmpty:\r\nBlank: ")
        #expect(request.method == "GET")
        #expect(request.target == "/a/b?c=d%20e")
        #expect(request.fields.map(\.name) == ["host", "x-one", "x-one", "empty", "blank"])
        #expect(request.fields.map(\.value) == ["box:8765", "1", "2 3", "", ""])
        #expect(request.values(of: "x-one") == ["1", "2 3"])
        #expect(request.values(of: "missing") == [])
    }

    @Test func requestNeedsNoFields() throws {
        #expect(try parse("OPTIONS * HTTP/1.1").fields == [])
    }

    @Test func everySignOfATokenMayStandInAName() throws {
        let name = "!#$%&'*+-.^_`|~09azAZ"
        #expect(try parse("GET / HTTP/1.1\r\n\(name): x").values(of: "!#$%&'*+-.^_`|~09azaz") == ["x"])
    }

    @Test func bytesAbove127AreLatin1() throws {
        let head = Array("GET / HTTP/1.1\r\nX: ".utf8) + [0xE9, 0x20, 0xFF]
        #expect(try HTTPRequest(parsing: head.span, fieldLimit: 1).values(of: "x") == ["é ÿ"])
    }

    @Test(arguments: [
        "", " ", "GET", "GET /", "GET / ", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET  HTTP/1.1",
        " / HTTP/1.1", "GET\t/\tHTTP/1.1", "GET / x HTTP/1.1", "G(T / HTTP/1.1", "GÉT / HTTP/1.1", "GET / HTTP/1.0",
        "GET / HTTP/2.0", "GET / HTTP/1.11", "GET / http/1.1", "\r\nGET / HTTP/1.1", "GET / HTTP/1.1\nHost: x",
        "GET /\u{1} HTTP/1.1", "GET /\u{7F} HTTP/1.1", "GET /é HTTP/1.1", "GET /\r HTTP/1.1",
    ])
    func brokenRequestLineIsRefused(head: String) {
        #expect(throws: HTTPRequest.Malformation.malformed) { try parse(head) }
    }

    @Test(arguments: [
        "", "Host", ": x", "Host : x", " Host: x", "\tHost: x", "Ho st: x", "Ho\"st: x", "Hóst: x", "Host\u{0}: x",
        // Folded lines, and an empty one in the middle.
        "A: b\r\n c", "A: b\r\n c: d", "A: b\r\n\tc: d", "A: b\r\n\r\nC: d",
        // A line ends with CR and LF together, and neither may stand alone.
        "A: b\nC: d", "A: b\rC: d", "A: b\r", "A: b\n", "A: b\r\r\nC: d", "A: b\n\r\nC: d", "A:\n",
        // Control characters.
        "A: b\u{0}c", "A: b\u{1}", "A: \u{7F}", "A: b\u{B}c", "A: \u{1B}[0m",
    ])
    func brokenFieldIsRefused(field: String) {
        #expect(throws: HTTPRequest.Malformation.malformed) { try parse("GET / HTTP/1.1\r\nHost: x\r\n" + field) }
        #expect(throws: HTTPRequest.Malformation.malformed) { try parse("GET / HTTP/1.1\r\n" + field + "\r\nHost: x") }
    }

    @Test func fieldsAreLimited() throws {
        func head(_ count: Int) -> String { "GET / HTTP/1.1" + String(repeating: "\r\nA: b", count: count) }
        #expect(try parse(head(64)).fields.count == 64)
        #expect(throws: HTTPRequest.Malformation.tooManyFields) { try parse(head(65)) }
        #expect(try parse(head(0), fieldLimit: 0).fields == [])
    }

    @Test(arguments: [
        ("A: b", ["b"]), ("A: b,c", ["b", "c"]),
        (
            "A: x,foxglove.sdk.v1 ,\t foxglove.websocket.v1",
            ["x", "foxglove.sdk.v1", "foxglove.websocket.v1"]
        ),
        ("A: b\r\nB: x\r\na: c , d", ["b", "c", "d"]), ("A: ,, b ,", ["b"]), ("A:", []), ("A: ,", []), ("B: x", []),
        ("A: B", ["B"]),
    ])
    func listRunsOverAllLines(fields: String, elements: [String]) throws {
        #expect(try parse("GET / HTTP/1.1\r\n" + fields).list(of: "a") == elements)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func randomBytesNeverTrap(round: UInt64) {
        var generator = SeededGenerator(round: round)
        let valid = Array("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket, a\r\nConnection:\tUpgrade".utf8)
        for _ in 0..<200 {
            _ = try? HTTPRequest(parsing: generator.bytes(.random(in: 0..<60, using: &generator)).span, fieldLimit: 4)
            var head = valid
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                head[.random(in: head.indices, using: &generator)] = UInt8(truncatingIfNeeded: generator.next())
            }
            guard let request = try? HTTPRequest(parsing: head.span, fieldLimit: 4) else { continue }
            // What was taken holds nothing that could end a line somewhere else.
            let texts = [request.method, request.target] + request.fields.flatMap { [$0.name, $0.value] }
            #expect(texts.allSatisfy { $0.unicodeScalars.allSatisfy { $0 == "\t" || $0 >= " " && $0 != "\u{7F}" } })
            _ = Upgrade(request, subprotocols: ["a"])
        }
    }
}
