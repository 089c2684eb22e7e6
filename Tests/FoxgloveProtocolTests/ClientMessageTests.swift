import FoxgloveProtocol
import TestSupport
import Testing

@Suite("Client messages, JSON")
struct ClientMessageTests {
    static let operations: [(String, ClientMessage)] = [
        (#"{"op":"subscribe","subscriptions":[]}"#, .subscribe([])),
        (
            #"{"op":"subscribe","subscriptions":[{"id":0,"channelId":1},"#
                + #"{"channelId":4294967295,"id":4294967295,"x":0}]}"#,
            .subscribe([
                .init(id: 0, channelID: 1), .init(id: 4_294_967_295, channelID: 4_294_967_295),
            ])
        ),
        (#"{"op":"unsubscribe","subscriptionIds":[0,7]}"#, .unsubscribe([0, 7])),
        (
            #"{"op":"advertise","channels":[{"id":1,"topic":"/config","encoding":"json","schemaName":"a.Config"}]}"#,
            .advertise([ClientChannel(id: 1, topic: "/config", encoding: "json", schemaName: "a.Config")])
        ),
        (
            // Unknown members, whatever their type, and the optional ones that Studio does not send.
            #"{"x":0,"op":"advertise","channels":[{"id":2,"topic":"","encoding":"json","schemaName":"","y":5}]}"#,
            .advertise([ClientChannel(id: 2, topic: "", encoding: "json")])
        ),
        (
            #"{"op":"advertise","channels":[{"id":2,"topic":"","encoding":"protobuf","schemaName":"","#
                + #""schema":"AAEC","schemaEncoding":"protobuf"}]}"#,
            .advertise([ClientChannel(id: 2, topic: "", encoding: "protobuf")])
        ),
        (
            #"{"op":"advertise","channels":[{"id":2,"topic":"","encoding":"protobuf","schemaName":"","#
                + #""schema":"AAE","schemaEncoding":"protobuf"}]}"#,
            .advertise([ClientChannel(id: 2, topic: "", encoding: "protobuf", isSchemaReadable: false)])
        ),
        (#"{"op":"unadvertise","channelIds":[1]}"#, .unadvertise([1])),
        (
            #"{"op":"getParameters","parameterNames":[],"id":"get-all-params"}"#,
            .getParameters(names: [], requestID: "get-all-params")
        ),
        (#"{"op":"getParameters","parameterNames":["a"],"id":null}"#, .getParameters(names: ["a"], requestID: nil)),
        (#"{"op":"setParameters","parameters":[]}"#, .setParameters([], requestID: nil)),
        (
            #"{"op":"setParameters","parameters":[{"name":"a"},"#
                + #"{"name":"b","value":3,"type":"float64","x":1}],"id":"q"}"#,
            .setParameters(
                [Parameter(name: "a", value: nil), Parameter(name: "b", value: .float(3))], requestID: "q")
        ),
        (#"{"op":"subscribeParameterUpdates","parameterNames":["a"]}"#, .subscribeParameterUpdates(names: ["a"])),
        (#"{"op":"unsubscribeParameterUpdates","parameterNames":[]}"#, .unsubscribeParameterUpdates(names: [])),
        (#"{"op":"subscribeConnectionGraph"}"#, .subscribeConnectionGraph),
        (#"{"op":"unsubscribeConnectionGraph"}"#, .unsubscribeConnectionGraph),
        (#"{"op":"fetchAsset","uri":"x","requestId":1}"#, .fetchAsset(uri: "x", requestID: 1)),
    ]

    @Test(arguments: operations)
    func operationIsRead(text: String, expected: ClientMessage) throws {
        #expect(try ClientMessage(parsing: Array(text.utf8)) == expected)
    }

    private static let wantsID = "must be an integer from 0 to 4294967295"

    @Test(arguments: [
        // ML-01 to ML-06.
        ("{nope", "not JSON"), ("", "not JSON"), ("[1]", "not a JSON object"), ("5", "not a JSON object"),
        ("{}", "\"op\" must be a string"), (#"{"op":5}"#, "\"op\" must be a string"),
        (#"{"op":null}"#, "\"op\" must be a string"), (#"{"op":"bogusOperation"}"#, "unknown op"),
        (#"{"op":"Subscribe"}"#, "unknown op"), (#"{"op":""}"#, "unknown op"),
        // A server's operations are none of a client.
        (#"{"op":"serverInfo"}"#, "unknown op"), (#"{"op":"status"}"#, "unknown op"),

        (#"{"op":"subscribe"}"#, "\"subscriptions\" must be an array"),
        (#"{"op":"subscribe","subscriptions":{}}"#, "\"subscriptions\" must be an array"),
        (#"{"op":"subscribe","subscriptions":[1]}"#, "\"subscriptions\" must hold objects"),
        (#"{"op":"subscribe","subscriptions":[{"channelId":1}]}"#, "\"id\" \(wantsID)"),
        (#"{"op":"subscribe","subscriptions":[{"id":1}]}"#, "\"channelId\" \(wantsID)"),
        (#"{"op":"subscribe","subscriptions":[{"id":-1,"channelId":1}]}"#, "\"id\" \(wantsID)"),
        (#"{"op":"subscribe","subscriptions":[{"id":1.5,"channelId":1}]}"#, "\"id\" \(wantsID)"),
        (#"{"op":"subscribe","subscriptions":[{"id":"1","channelId":1}]}"#, "\"id\" \(wantsID)"),
        (#"{"op":"subscribe","subscriptions":[{"id":true,"channelId":1}]}"#, "\"id\" \(wantsID)"),
        (#"{"op":"subscribe","subscriptions":[{"id":4294967296,"channelId":1}]}"#, "\"id\" \(wantsID)"),
        (#"{"op":"subscribe","subscriptions":[{"id":1,"channelId":1e999}]}"#, "\"channelId\" \(wantsID)"),
        (#"{"op":"unsubscribe"}"#, "\"subscriptionIds\" must be an array"),
        (
            #"{"op":"unsubscribe","subscriptionIds":[1,"2"]}"#,
            "\"subscriptionIds\" must hold integers from 0 to 4294967295"
        ),
        (#"{"op":"advertise","channels":null}"#, "\"channels\" must be an array"),
        (#"{"op":"advertise","channels":[{"topic":"/a","encoding":"json","schemaName":""}]}"#, "\"id\" \(wantsID)"),
        (#"{"op":"advertise","channels":[{"id":1,"encoding":"json","schemaName":""}]}"#, "\"topic\" must be a string"),
        (#"{"op":"advertise","channels":[{"id":1,"topic":"/a","schemaName":""}]}"#, "\"encoding\" must be a string"),
        (
            #"{"op":"advertise","channels":[{"id":1,"topic":"/a","encoding":"json"}]}"#,
            "\"schemaName\" must be a string"
        ),
        (#"{"op":"unadvertise","channelIds":[-1]}"#, "\"channelIds\" must hold integers from 0 to 4294967295"),
    ])
    func mistakeIsNamed(text: String, reason: String) {
        #expect(throws: InvalidMessage(reason)) { try ClientMessage(parsing: Array(text.utf8)) }
    }

    @Test func nestingBeyondTheLimitIsNamed() throws {
        func padded(_ depth: Int) -> [UInt8] {
            let brackets = (String(repeating: "[", count: depth), String(repeating: "]", count: depth))
            return Array(#"{"op":"unsubscribe","subscriptionIds":[],"x":\#(brackets.0)\#(brackets.1)}"#.utf8)
        }
        #expect(try ClientMessage(parsing: padded(31)) == .unsubscribe([]))
        #expect(throws: InvalidMessage("nested deeper than 32 levels", bound: .depth)) {
            try ClientMessage(parsing: padded(32))
        }
    }

    @Test(arguments: ["topic", "encoding", "schemaName"])
    func usedStringsAreLimited(member: String) throws {
        #expect(ClientMessage.stringByteLimit == 65_536)
        func advertise(_ string: String) -> [UInt8] {
            var members = ["topic": "/a", "encoding": "json", "schemaName": ""]
            members[member] = string
            let text = members.map { ",\"\($0)\":\"\($1)\"" }.joined()
            return Array(#"{"op":"advertise","channels":[{"id":1\#(text)}]}"#.utf8)
        }
        // Bytes count, not characters.
        let longest = String(repeating: "é", count: 32_768)
        #expect(throws: Never.self) { try ClientMessage(parsing: advertise(longest)) }
        #expect(throws: InvalidMessage("\"\(member)\" is longer than 65536 bytes", bound: .string)) {
            try ClientMessage(parsing: advertise(longest + "a"))
        }
    }

    @Test func unusedStringsAreNotLimited() throws {
        let padding = String(repeating: "x", count: 200_000)
        let text = #"{"op":"subscribe","subscriptions":[],"padding":"\#(padding)"}"#
        #expect(try ClientMessage(parsing: Array(text.utf8)) == .subscribe([]))
    }

    @Test(
        arguments: [
            (.parameters, "Server does not support parameters capability"),
            (.parametersSubscribe, "Server does not support parametersSubscribe capability"),
            (.connectionGraph, "Server does not support connection graph capability"),
            (.assets, "Server does not support assets capability"),
            (.services, "Server does not support services"),
            (.playbackControl, "Server does not support playback control capability"),
        ] as [(Capability, String)])
    func missingCapabilityIsNamed(capability: Capability, text: String) {
        #expect(capability.missingText == text)
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func mutatedOperationsNeverTrap(round: UInt64) {
        var generator = SeededGenerator(round: round)
        let text = #"{"op":"advertise","channels":[{"id":1,"topic":"/c","encoding":"json","schemaName":"x"}],"s":[-1]}"#
        for _ in 0..<300 {
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8(truncatingIfNeeded: generator.next())
            }
            _ = try? ClientMessage(parsing: bytes)
        }
    }
}
