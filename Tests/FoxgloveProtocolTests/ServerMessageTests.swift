import FoxgloveProtocol
import Telemetry
import Testing

@Suite("Server messages")
struct ServerMessageTests {
    @Test func serverInfoIsJSON() {
        let info = ServerInfo(
            name: "sysmon-agent", capabilities: [.clientPublish, .services], supportedEncodings: ["json", "protobuf"],
            metadata: ["host": "box1", "fg-library": "x"], sessionID: "1764000000000")
        #expect(
            info.json == #"{"capabilities":["clientPublish","services"],"metadata":{"fg-library":"x","host":"box1"},"#
                + #""name":"sysmon-agent","op":"serverInfo","sessionId":"1764000000000","#
                + #""supportedEncodings":["json","protobuf"]}"#)
    }

    @Test func advertiseIsJSON() {
        // Descriptor bytes whose base 64 holds every special sign: + / =
        let channel = Channel(
            topic: "/cpu", schema: Schema(name: "sysmon.v1.CpuUsage", descriptorSet: [0xFB, 0xFF, 0xBF, 0x00]))
        #expect(
            Advertise(channels: [AdvertisedChannel(id: 1, channel)]).json
                == #"{"channels":[{"encoding":"protobuf","id":1,"schema":"+/+/AA==","schemaEncoding":"protobuf","#
                + #""schemaName":"sysmon.v1.CpuUsage","topic":"/cpu"}],"op":"advertise"}"#)
    }

    @Test func unadvertiseIsJSON() {
        let message = Unadvertise(channelIDs: [1, 4_294_967_295])
        #expect(message.json == #"{"channelIds":[1,4294967295],"op":"unadvertise"}"#)
    }

    @Test(arguments: [(Status.Level.info, 0), (.warning, 1), (.error, 2)])
    func statusIsJSON(level: Status.Level, number: Int) {
        #expect(Status(level, "é").json == #"{"level":\#(number),"message":"é","op":"status"}"#)
    }

    @Test func serviceCallFailureIsJSON() {
        #expect(
            ServiceCallFailure(serviceID: 9, callID: 2, message: "Unknown service").json
                == #"{"callId":2,"message":"Unknown service","op":"serviceCallFailure","serviceId":9}"#)
    }

    @Test(arguments: ["\"", "\\", "/", "\n", "\u{0}", "\u{1F}", "\u{7F}", "\u{2028}", "😀", "</script>", "\u{FEFF}"])
    func textOfAClientSurvives(text: String) throws {
        let json = Status(.error, text).json
        #expect(
            try JSONValue(parsing: Array(json.utf8))
                == .object([
                    "op": .string("status"), "level": .number(2), "message": .string(text),
                ]))
    }

    @Test func newerSubprotocolIsPreferred() {
        #expect(foxgloveSubprotocols == ["foxglove.sdk.v1", "foxglove.websocket.v1"])
    }

    @Test(
        arguments: [
            (.clientPublish, "clientPublish"), (.parameters, "parameters"),
            (.parametersSubscribe, "parametersSubscribe"),
            (.time, "time"), (.services, "services"), (.connectionGraph, "connectionGraph"), (.assets, "assets"),
            (.playbackControl, "playbackControl"),
        ] as [(Capability, String)])
    func capabilityHasItsNameOnTheWire(capability: Capability, name: String) {
        #expect(capability.rawValue == name)
    }
}
