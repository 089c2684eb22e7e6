/// What well-behaved clients send, of every operation that the protocol has: what the fuzz test makes its inputs of.
enum FuzzCorpus {
    static let handshakes = [
        ["foxglove.sdk.v1"], ["foxglove.websocket.v1, foxglove.sdk.v1"], ["foxglove.websocket.v1", "foxglove.sdk.v1"],
    ].map { offers in
        let offered = offers.map { "Sec-WebSocket-Protocol: \($0)\r\n" }.joined()
        return Array(
            ("GET /path?query HTTP/1.1\r\nHost: localhost:8765\r\nUpgrade: websocket\r\n"
                + "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\nOrigin: http://localhost:8080\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
                + offered + "\r\n").utf8)
    }

    /// RFC 9112.
    static let plainRequests = [
        "GET /?token=a&b=c HTTP/1.1\r\nHost: localhost:8765\r\nAccept: */*\r\n\r\n",
        "HEAD /t/token/x HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:8080\r\nContent-Length: 0\r\n\r\n",
        "OPTIONS /shared/a HTTP/1.1\r\nHost: [::1]:8765\r\nOrigin: http://localhost\r\n"
            + "Access-Control-Request-Private-Network: true\r\n\r\n",
        "GET /open HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ].map { Array($0.utf8) }

    /// protocol.md, section 2.3.
    static let operations = [
        #"{"op":"subscribe","subscriptions":[{"id":0,"channelId":1},{"id":1,"channelId":2}]}"#,
        #"{"op":"unsubscribe","subscriptionIds":[0,1]}"#,
        #"{"op":"advertise","channels":[{"id":7,"topic":"/config","encoding":"json","schemaName":"Config"},"#
            + #"{"id":8,"topic":"/x","encoding":"protobuf","schemaName":"X","schema":"","#
            + #""schemaEncoding":"protobuf"}]}"#,
        #"{"op":"unadvertise","channelIds":[7,8]}"#,
        #"{"op":"getParameters","parameterNames":[],"id":"get-all-params"}"#,
        #"{"op":"getParameters","parameterNames":["/0.rate_hertz","/1.enabled"],"id":"some"}"#,
        #"{"op":"setParameters","parameters":[{"name":"/0.rate_hertz","value":5,"type":"float64"},"#
            + #"{"name":"/0.window_seconds","value":[0.5,1],"type":"float64_array"},{"name":"b","value":"AAEC","#
            + #""type":"byte_array"},{"name":"/1.enabled","value":true},{"name":"gone"}],"id":"set"}"#,
        #"{"op":"subscribeParameterUpdates","parameterNames":["/0.rate_hertz","/1.enabled"]}"#,
        #"{"op":"unsubscribeParameterUpdates","parameterNames":["/0.rate_hertz","/1.enabled"]}"#,
        #"{"op":"subscribeConnectionGraph"}"#, #"{"op":"unsubscribeConnectionGraph"}"#,
        #"{"op":"fetchAsset","uri":"package://sysmon/../etc/passwd","requestId":41}"#,
        #"{"op":"fetchAsset","uri":"test://a","requestId":42}"#,
    ].map { Array($0.utf8) }

    /// An operation with more to be told of than a queue holds.
    static let manyMistakes = Array(
        #"{"op":"unadvertise","channelIds":[\#(String(repeating: "9,", count: 1_500))9]}"#.utf8)

    /// protocol.md, section 2.5.
    static let binaryMessages =
        [
            publish(7, #"{"channels":{"/0":{"rate_hertz":5,"enabled":true,"window_seconds":0.5}}}"#),
            publish(8, "anything"),
            serviceCall(#"{"channels":{"/0":{"rate_hertz":5}}}"#), serviceCall(#"{"path":"/cpu","value":[1,2,null]}"#),
            playbackControl(command: 0, hasSeek: 1), playbackControl(command: 1, hasSeek: 0),
        ] as [[UInt8]]

    private static func little(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
    }
    private static func counted(_ text: String) -> [UInt8] { little(UInt32(text.utf8.count)) + Array(text.utf8) }

    private static func publish(_ channel: UInt32, _ payload: String) -> [UInt8] {
        [1] + little(channel) + Array(payload.utf8)
    }
    private static func serviceCall(_ payload: String) -> [UInt8] {
        [2] + little(1) + little(12) + counted("json") + Array(payload.utf8)
    }
    private static func playbackControl(command: UInt8, hasSeek: UInt8) -> [UInt8] {
        [3, command] + little(Float(1.5).bitPattern) + [hasSeek] + little(123_456_789) + little(0) + counted("some-id")
    }

    // MARK: What servers are caught with

    /// Numbers around what an integer, a double or a length may hold, and what only looks like a number.
    static let numbers = [
        "0", "-0", "-1", "0.5", "1e0", "1E400", "-1e400", "1e-400", "2147483648", "4294967295", "4294967296",
        "9007199254740993", "18446744073709551616", "01", "+1", ".5", "1.", "0x10", "NaN", "-Infinity", "1e", "-",
        String(repeating: "9", count: 5_000),
    ]
    static let strings = [
        #""""#, #""\u0000""#, #""\ud800""#, #""\udc00\ud834""#, #""\ud834\udd1e""#, #""\x""#, #"""#,
        "\"\u{7F}\u{202E}\"",
        #""subscribe""#, #""advertise""#, #""/config""#, #""json""#, #""__proto__""#, "\"a\nb\"",
        "\"" + String(repeating: "é", count: 40_000) + "\"",
    ]
    static let otherValues = ["true", "false", "null", "[]", "{}", "[[]]", #"{"":{}}"#, "nul", "", ",", "[", "}", ":"]
    static let values = (numbers + strings + otherValues).map { Array($0.utf8) }

    static let invalidUTF8: [[UInt8]] = [
        [0x80], [0xC0, 0xAF], [0xC3], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF8], [0xFF], [0xEF, 0xBB, 0xBF],
        [0],
    ]
    static let integers: [UInt64] = [
        0, 1, 0x7D, 0x7E, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x1_0000, 0x10_0000, 0x10_0001, 0x7FFF_FFFF, 0x8000_0000,
        0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, .max,
    ]
}
