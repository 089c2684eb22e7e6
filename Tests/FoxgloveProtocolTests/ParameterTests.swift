import FoxgloveProtocol
import Testing

/// Values and their types, as they come and as they go (protocol.md, 2.2 and 4.5).
@Suite struct ParameterTests {
    private func parse(_ entry: String) throws -> Parameter? {
        let text = #"{"op":"setParameters","parameters":[\#(entry)]}"#
        guard case .setParameters(let parameters, _) = try ClientMessage(parsing: Array(text.utf8)) else { return nil }
        return parameters.first
    }

    static let values: [(String, ParameterValue?)] = [
        (#"{"name":"p"}"#, nil),
        (#"{"name":"p","value":true}"#, .json(.bool(true))),
        (#"{"name":"p","value":"s"}"#, .json(.string("s"))),
        (#"{"name":"p","value":3}"#, .json(.number(3))),
        (#"{"name":"p","value":-2.5}"#, .float(-2.5)),
        (#"{"name":"p","value":3,"type":"float64"}"#, .float(3)),
        (#"{"name":"p","value":3,"type":null}"#, .json(.number(3))),
        (#"{"name":"p","value":[]}"#, .json(.array([]))),
        (#"{"name":"p","value":[1,2]}"#, .json(.array([.number(1), .number(2)]))),
        (#"{"name":"p","value":[1,2.5]}"#, .floats([1, 2.5])),
        (#"{"name":"p","value":[1,2],"type":"float64_array"}"#, .floats([1, 2])),
        (#"{"name":"p","value":[],"type":"float64_array"}"#, .floats([])),
        (#"{"name":"p","value":["a",true]}"#, .json(.array([.string("a"), .bool(true)]))),
        (#"{"name":"p","value":{"a":1}}"#, .json(.object(["a": .number(1)]))),
        (#"{"name":"p","value":"AAEC","type":"byte_array"}"#, .bytes("AAEC")),
        (#"{"name":"p","value":"","type":"byte_array"}"#, .bytes("")),
    ]

    @Test(arguments: values) func valueIsRead(entry: String, value: ParameterValue?) throws {
        #expect(try parse(entry) == Parameter(name: "p", value: value))
    }

    static let refused: [(String, String)] = [
        (#"{"value":1}"#, #""name" must be a string"#),
        (#"{"name":"p","value":null}"#, #""p" is null; leave the value out to unset it"#),
        (#"{"name":"p","value":"s","type":"float64"}"#, #""p" is no float64"#),
        (#"{"name":"p","value":1,"type":"float64_array"}"#, #""p" is no float64_array"#),
        (#"{"name":"p","value":[1,"s"],"type":"float64_array"}"#, #""p" is no float64_array"#),
        (#"{"name":"p","value":"AAE","type":"byte_array"}"#, #""p" is no byte_array"#),
        (#"{"name":"p","value":"A?==","type":"byte_array"}"#, #""p" is no byte_array"#),
        (#"{"name":"p","value":[0],"type":"byte_array"}"#, #""p" is no byte_array"#),
        (#"{"name":"p","value":1,"type":"int"}"#, #""p" has the unknown type "int""#),
        (#"{"name":"p","value":1,"type":5}"#, #""type" must be a string"#),
        (#"{"name":"p","value":[1,true]}"#, #""p" mixes numbers and other values"#),
        (#"{"name":"p","value":1e999}"#, #""p" holds a number out of range"#),
        (#"{"name":"p","value":[{"a":[-1e999]}]}"#, #""p" holds a number out of range"#),
    ]

    @Test(arguments: refused) func valueThatDoesNotFitIsRefused(entry: String, reason: String) {
        #expect(throws: InvalidMessage(reason)) { try parse(entry) }
    }

    static let written: [(ParameterValue?, String)] = [
        (.float(1), #"{"name":"p","type":"float64","value":1}"#),
        (.float(0.1), #"{"name":"p","type":"float64","value":0.1}"#),
        (.floats([1, 2.5]), #"{"name":"p","type":"float64_array","value":[1,2.5]}"#),
        (.bytes("AAEC"), #"{"name":"p","type":"byte_array","value":"AAEC"}"#),
        (.json(.number(9_007_199_254_740_992)), #"{"name":"p","value":9007199254740992}"#),
        (.json(.array([.null, .bool(false)])), #"{"name":"p","value":[null,false]}"#),
        (.json(.object(["b": .string("é"), "a": .number(-1)])), #"{"name":"p","value":{"a":-1,"b":"é"}}"#),
    ]

    @Test(arguments: written) func valueIsWritten(value: ParameterValue?, json: String) {
        let message = ParameterValues([Parameter(name: "p", value: value)], requestID: "q")
        #expect(message.json == #"{"id":"q","op":"parameterValues","parameters":[\#(json)]}"#)
    }

    @Test func unsetParametersAndAMissingIdAreLeftOut() {
        let message = ParameterValues([Parameter(name: "p", value: nil)])
        #expect(message.json == #"{"op":"parameterValues","parameters":[]}"#)
    }
}
