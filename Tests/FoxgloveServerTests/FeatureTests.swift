import FoxgloveProtocol
import FoxgloveServer
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

extension World {
    /// A server with everything that there is.
    static var complete: ServerFeatures {
        var features = ServerFeatures()
        features.capabilities = [
            .clientPublish, .parameters, .parametersSubscribe, .services, .connectionGraph, .assets, .playbackControl,
        ]
        features.encodings = ["json", "protobuf"]
        features.commandTopics = ["/config"]
        features.assets = ["test://a": [1, 2, 3]]
        features.madeAssets = ["test://made"]
        var http = HTTPFeatures()
        http.openPaths = ["/open"]
        http.sharedPath = "/shared/"
        features.http = http
        features.playbackRange = Timestamp(unixNanoseconds: 1)...Timestamp(unixNanoseconds: 2_000_000_003)
        return features
    }

    static let service = Service(
        name: "/do", type: "Do", request: .json(name: "Request", "{}"), response: .json(name: "Response", "{}"),
        otherEncodings: ["protobuf"])

    func call(
        _ serviceID: UInt8, _ callID: UInt8, encoding: String = "json", _ payload: String = "{}", from id: ConnectionID
    ) {
        let header = [2, serviceID, 0, 0, 0, callID, 0, 0, 0, UInt8(encoding.utf8.count), 0, 0, 0]
        send(.binary, header + encoding.utf8 + payload.utf8, from: id)
    }

    /// Lets the client take everything and returns texts and binary messages other than data.
    func take(_ id: ConnectionID) -> [TestClient.Message] {
        drain(id)
        return messages(id)
    }

    func calls() -> [ServiceCall] {
        events().compactMap { if case .serviceCalled(let call) = $0 { call } else { nil } }
    }

    func assetRequests() -> [AssetRequest] {
        events().compactMap { if case .assetRequested(let request) = $0 { request } else { nil } }
    }

    func requests() -> [ParameterRequest] {
        events().compactMap { if case .parametersRequested(let request) = $0 { request } else { nil } }
    }
}

private func failure(_ service: Int, _ call: Int, _ text: String) -> [TestClient.Message] {
    [
        .text(#"{"callId":\#(call),"message":"\#(text)","op":"serviceCallFailure","serviceId":\#(service)}"#),
        .text(status(2, text)),
    ]
}

@Suite struct CapabilityTests {
    static let operations: [(String, String)] = [
        (#"{"op":"advertise","channels":[]}"#, "clientPublish capability"),
        (#"{"op":"unadvertise","channelIds":[]}"#, "clientPublish capability"),
        (#"{"op":"getParameters","parameterNames":[]}"#, "parameters capability"),
        (#"{"op":"setParameters","parameters":[]}"#, "parameters capability"),
        (#"{"op":"subscribeParameterUpdates","parameterNames":[]}"#, "parametersSubscribe capability"),
        (#"{"op":"unsubscribeParameterUpdates","parameterNames":[]}"#, "parametersSubscribe capability"),
        (#"{"op":"subscribeConnectionGraph"}"#, "connection graph capability"),
        (#"{"op":"unsubscribeConnectionGraph"}"#, "connection graph capability"),
        (#"{"op":"fetchAsset","uri":"x","requestId":1}"#, "assets capability"),
    ]

    @Test(arguments: operations) func aMissingCapabilityIsNamed(operation: String, name: String) {
        let world = World(features: ServerFeatures())
        let id = world.connect()
        _ = world.messages(id)
        world.send(text: operation, from: id)
        #expect(world.take(id) == [.text(status(2, "Server does not support \(name)"))])
        #expect(!world.events().contains { if case .connected = $0 { false } else { true } })
    }

    @Test func binaryOperationsOfMissingCapabilitiesAreRefused() {
        let world = World(features: ServerFeatures())
        let id = world.connect()
        _ = world.messages(id)
        world.send(.binary, [1, 1, 0, 0, 0], from: id)
        #expect(world.take(id) == [.text(status(2, "Server does not support clientPublish capability"))])
        world.call(9, 7, from: id)
        #expect(world.take(id) == failure(9, 7, "Server does not support services"))
        world.send(.binary, [3, 0, 0, 0, 0x80, 0x3F] + [UInt8](repeating: 0, count: 13), from: id)
        #expect(world.take(id) == [.text(status(2, "Server does not support playback control capability"))])
    }

    @Test func theGreetingListsWhatThereIs() {
        let world = World(channelCount: 1, features: World.complete)
        world.server.add(World.service)
        world.server.setStatus("s", .warning, "careful")
        let texts = world.texts(world.connect())
        #expect(texts.count == 4)
        #expect(
            texts[0]
                == #"{"capabilities":["clientPublish","parameters","parametersSubscribe","services","connectionGraph","#
                + #""assets","playbackControl"],"dataEndTime":{"nsec":3,"sec":2},"dataStartTime":{"nsec":1,"sec":0},"#
                + #""metadata":{"k":"v"},"name":"test","op":"serverInfo","sessionId":"s1","#
                + #""supportedEncodings":["json","protobuf"]}"#)
        #expect(texts[1].contains(#""op":"advertise""#))
        #expect(
            texts[2]
                == #"{"op":"advertiseServices","services":[{"id":1,"name":"/do","request":{"encoding":"json","#
                + #""schema":"{}","schemaEncoding":"jsonschema","schemaName":"Request"},"response":{"encoding":"json","#
                + #""schema":"{}","schemaEncoding":"jsonschema","schemaName":"Response"},"type":"Do"}]}"#)
        #expect(texts[3] == #"{"id":"s","level":1,"message":"careful","op":"status"}"#)
    }

    @Test func theOlderSubprotocolHasNoPlayback() {
        let world = World(channelCount: 0, features: World.complete)
        let id = world.connect(subprotocol: "foxglove.websocket.v1")
        let info = world.texts(id)[0]
        #expect(!info.contains("playbackControl") && !info.contains("dataStartTime"))
        world.send(.binary, [3, 0, 0, 0, 0x80, 0x3F] + [UInt8](repeating: 0, count: 13), from: id)
        #expect(world.take(id) == [.text(status(2, "Server does not support playback control capability"))])
    }
}

@Suite struct ParameterRequestTests {
    private let world = World(channelCount: 0, features: World.complete)

    private func client() -> ConnectionID {
        let id = world.connect()
        _ = world.messages(id)
        return id
    }

    private let value = [Parameter(name: "a", value: .float(1))]
    private func news(_ id: String = "") -> TestClient.Message {
        .text(#"{\#(id)"op":"parameterValues","parameters":[{"name":"a","type":"float64","value":1}]}"#)
    }

    @Test func anAnswerGoesToWhoAskedWithItsId() {
        let (asker, other) = (client(), client())
        world.send(text: #"{"op":"getParameters","parameterNames":["a"],"id":"q"}"#, from: asker)
        world.send(text: #"{"op":"getParameters","parameterNames":[]}"#, from: asker)
        let requests = world.requests()
        #expect(requests.map(\.names) == [["a"], []])
        #expect(requests.allSatisfy { $0.assignments == nil && $0.client == asker })
        for request in requests { world.server.answer(request, with: value) }
        #expect(world.take(asker) == [news(#""id":"q","#), news()])
        #expect(world.take(other) == [])
    }

    @Test func onlyWhoSetsWithAnIdIsAnswered() {
        let id = client()
        world.send(text: #"{"op":"setParameters","parameters":[{"name":"a","value":1}],"id":"q"}"#, from: id)
        world.send(text: #"{"op":"setParameters","parameters":[{"name":"a"}]}"#, from: id)
        let requests = world.requests()
        #expect(requests[0].assignments == [Parameter(name: "a", value: .json(.number(1)))])
        #expect(requests[1].assignments == [Parameter(name: "a", value: nil)])
        for request in requests { world.server.answer(request, with: value) }
        #expect(world.take(id) == [news(#""id":"q","#)])
    }

    @Test func subscribersHearOfChangesOnceEach() {
        let (first, second, third) = (client(), client(), client())
        for _ in 0..<2 {
            world.send(text: #"{"op":"subscribeParameterUpdates","parameterNames":["a","z"]}"#, from: first)
        }
        world.send(text: #"{"op":"subscribeParameterUpdates","parameterNames":["b"]}"#, from: second)
        world.send(text: #"{"op":"subscribeParameterUpdates","parameterNames":["a"]}"#, from: third)
        world.send(text: #"{"op":"unsubscribeParameterUpdates","parameterNames":["a","unknown"]}"#, from: third)
        world.server.publish(value + [Parameter(name: "gone", value: nil)])
        #expect(world.take(first) == [news()])
        #expect(world.take(second) == [])
        #expect(world.take(third) == [])
    }

    @Test func requestsInFlightAreBounded() {
        let id = client()
        let limit = world.server.limits.requestsPerClient
        for index in 0..<limit + 1 {
            world.send(text: #"{"op":"getParameters","parameterNames":[],"id":"\#(index)"}"#, from: id)
        }
        #expect(world.take(id) == [.text(status(2, "Too many concurrent parameter requests"))])
        let requests = world.requests()
        #expect(requests.count == limit && world.server.limitCounts[.parameterRequests] == 1)
        world.server.answer(requests[0], with: [])
        world.send(text: #"{"op":"getParameters","parameterNames":[]}"#, from: id)
        #expect(world.requests().count == 1)
    }

    @Test func namesOfARequestAreBounded() {
        let id = client()
        func getting(_ count: Int) -> String {
            let names = Array(repeating: "\"a\"", count: count).joined(separator: ",")
            return #"{"op":"getParameters","parameterNames":[\#(names)]}"#
        }
        world.send(text: getting(1_024), from: id)
        #expect(world.requests().count == 1)
        world.send(text: getting(1_025), from: id)
        #expect(world.requests().isEmpty)
        #expect(world.take(id) == [.text(status(2, "A request may name 1024 parameters at most"))])
        #expect(world.server.limitCounts[.parametersPerRequest] == 1)
    }

    @Test func subscriptionsAreBoundedInNumberAndLength() {
        var limits = ServerLimits()
        limits.parameterSubscriptionsPerClient = 3
        limits.parameterNameByteCount = 4
        let world = World(channelCount: 0, features: World.complete, limits: limits)
        let id = world.connect()
        _ = world.messages(id)
        world.send(text: #"{"op":"subscribeParameterUpdates","parameterNames":["abcd","b","abcde","c"]}"#, from: id)
        #expect(world.take(id) == [.text(status(2, "No parameter name is longer than 4 bytes"))])
        world.send(text: #"{"op":"subscribeParameterUpdates","parameterNames":["b","d"]}"#, from: id)
        #expect(world.take(id) == [.text(status(2, "Too many parameter subscriptions; the limit is 3"))])
        #expect(world.server.limitCounts[.parameterSubscriptions] == 2)
        world.server.publish([Parameter(name: "d", value: .float(1)), Parameter(name: "c", value: .float(1))])
        #expect(
            world.take(id) == [
                .text(#"{"op":"parameterValues","parameters":[{"name":"c","type":"float64","value":1}]}"#)
            ])
    }

    @Test func anAnswerToSomebodyWhoLeftGoesNowhere() {
        let id = client()
        world.send(text: #"{"op":"getParameters","parameterNames":[],"id":"q"}"#, from: id)
        let request = world.requests()[0]
        world.close(id)
        let next = client()
        #expect(next == id)
        world.server.answer(request, with: value)
        #expect(world.take(next) == [])
    }
}

@Suite struct ServiceTests {
    private let world = World(channelCount: 0, features: World.complete)

    private func client() -> ConnectionID {
        let id = world.connect()
        _ = world.messages(id)
        return id
    }

    init() { world.server.add(World.service) }

    @Test func aCallIsAnsweredToItsCallerInItsEncoding() {
        let (caller, other) = (client(), client())
        world.call(1, 7, #"{"x":1}"#, from: caller)
        world.call(1, 8, encoding: "protobuf", "ab", from: caller)
        let calls = world.calls()
        #expect(calls.map(\.service) == ["/do", "/do"] && calls.map(\.encoding) == ["json", "protobuf"])
        #expect(calls.map(\.payload) == [Array(#"{"x":1}"#.utf8), Array("ab".utf8)])
        // In any order.
        world.server.respond(to: calls[1], with: [9])
        world.server.respond(to: calls[0], with: [8])
        #expect(
            world.take(caller) == [
                .binary([3, 1, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0] + Array("protobuf".utf8) + [9]),
                .binary([3, 1, 0, 0, 0, 7, 0, 0, 0, 4, 0, 0, 0] + Array("json".utf8) + [8]),
            ])
        world.server.respond(to: calls[0], with: [8])
        #expect(world.take(caller) == [] && world.take(other) == [])
    }

    @Test func whatCannotBeCalledFailsWithBothIds() {
        let id = client()
        world.call(2, 7, from: id)
        #expect(world.take(id) == failure(2, 7, "Unknown service"))
        world.call(1, 7, encoding: "cbor", from: id)
        #expect(world.take(id) == failure(1, 7, "Unsupported encoding"))
        world.call(1, 7, from: id)
        world.server.fail(world.calls()[0], "No")
        #expect(world.take(id) == failure(1, 7, "No"))
    }

    @Test func callsInFlightAreBounded() {
        let id = client()
        let limit = world.server.limits.requestsPerClient
        for index in 0..<limit { world.call(1, UInt8(index), from: id) }
        world.call(1, 99, from: id)
        #expect(world.take(id) == failure(1, 99, "Too many requests"))
        let calls = world.calls()
        #expect(calls.count == limit && world.server.limitCounts[.serviceCalls] == 1)
        world.server.respond(to: calls[0], with: [])
        world.call(1, 100, from: id)
        #expect(world.calls().count == 1)
    }

    @Test func aCallThatNobodyAnswersFailsInTheEnd() {
        let id = client()
        world.call(1, 7, from: id)
        let call = world.calls()[0]
        world.wait(milliseconds: 9_000)
        #expect(world.take(id).allSatisfy { $0 == .ping })
        world.wait(milliseconds: 1_000)
        #expect(world.take(id) == failure(1, 7, "Internal server error: service failed to send a response"))
        world.server.respond(to: call, with: [])
        #expect(world.take(id) == [])
    }

    @Test func aCallOfSomebodyWhoLeftIsAnsweredToNobody() {
        let id = client()
        world.call(1, 7, from: id)
        let call = world.calls()[0]
        world.close(id)
        let next = client()
        #expect(next == id)
        world.call(1, 7, from: next)
        world.server.respond(to: call, with: [])
        #expect(world.take(next) == [])
    }

    @Test func servicesComeAndGo() {
        let id = client()
        var extra = World.service
        extra.name = "/extra"
        world.server.add(extra)
        world.server.add(extra)
        let texts = world.take(id)
        #expect(texts.count == 1)
        guard case .text(let advertised)? = texts.first else { return }
        #expect(advertised.contains(#""op":"advertiseServices""#) && advertised.contains(#""id":2,"name":"/extra""#))
        world.server.removeService("/extra")
        world.server.removeService("/extra")
        #expect(world.take(id) == [.text(#"{"op":"unadvertiseServices","serviceIds":[2]}"#)])
        world.call(2, 1, from: id)
        #expect(world.take(id) == failure(2, 1, "Unknown service"))
        world.server.add(extra)
        #expect(world.texts(world.connect())[2 - 1].contains(#""id":3,"name":"/extra""#))
    }
}

@Suite struct AssetTests {
    @Test func onlyTheTableIsServed() {
        let world = World(channelCount: 0, features: World.complete)
        let id = world.connect()
        _ = world.messages(id)
        world.send(text: #"{"op":"fetchAsset","uri":"test://a","requestId":41}"#, from: id)
        #expect(world.take(id) == [.binary([4, 41, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3])])
        for uri in ["test://b", "test://a/../a", "file:///etc/passwd", "/etc/passwd", "test://A", "test://a%00", ""] {
            world.send(text: #"{"op":"fetchAsset","uri":"\#(uri)","requestId":1}"#, from: id)
            let reason = Array("Unknown asset \"\(uri)\"".utf8)
            #expect(world.take(id) == [.binary([4, 1, 0, 0, 0, 1, UInt8(reason.count), 0, 0, 0] + reason)])
        }
    }

    @Test func assetsInFlightAreBounded() {
        let world = World(channelCount: 0, features: World.complete)
        let id = world.connect()
        _ = world.messages(id)
        let limit = world.server.limits.requestsPerClient
        for _ in 0...limit { world.send(text: #"{"op":"fetchAsset","uri":"test://a","requestId":1}"#, from: id) }
        let answers = world.take(id)
        #expect(answers.count == limit + 1 && Set(answers.prefix(limit).map { "\($0)" }).count == 1)
        let reason = Array("Too many concurrent fetch asset requests".utf8)
        #expect(answers.last == .binary([4, 1, 0, 0, 0, 1, UInt8(reason.count), 0, 0, 0] + reason))
        #expect(world.server.limitCounts[.assetRequests] == 1)
        world.send(text: #"{"op":"fetchAsset","uri":"test://a","requestId":1}"#, from: id)
        #expect(world.take(id) == Array(answers.prefix(1)))
    }

    @Test func anAssetThatTheOwnerMakesComesWhenItIsMade() {
        let world = World(channelCount: 0, features: World.complete)
        let id = world.connect()
        _ = world.messages(id)
        for request in [7, 8] {
            world.send(text: #"{"op":"fetchAsset","uri":"test://made","requestId":\#(request)}"#, from: id)
        }
        let requests = world.assetRequests()
        #expect(requests.map(\.uri) == ["test://made", "test://made"])
        #expect(world.take(id) == [])
        for request in requests.reversed() { world.server.answer(request, with: [9]) }
        #expect(world.take(id) == [8, 7].map { .binary([4, $0, 0, 0, 0, 0, 0, 0, 0, 0, 9]) })
        // Once is enough.
        world.server.answer(requests[0], with: [9])
        #expect(world.take(id) == [])
    }

    @Test func assetsThatAreNotMadeYetAreBounded() {
        let world = World(channelCount: 0, features: World.complete)
        let id = world.connect()
        _ = world.messages(id)
        let limit = world.server.limits.requestsPerClient
        let fetch = #"{"op":"fetchAsset","uri":"test://made","requestId":1}"#
        for _ in 0..<limit { world.send(text: fetch, from: id) }
        #expect(world.take(id) == [] && world.server.limitCounts[.assetRequests] == nil)
        world.send(text: fetch, from: id)
        #expect(world.take(id).count == 1 && world.server.limitCounts[.assetRequests] == 1)
        #expect(world.assetRequests().count == limit)
    }

    @Test func aMadeAssetIsNotForWhoeverComesNext() {
        let world = World(channelCount: 0, features: World.complete)
        let id = world.connect()
        world.send(text: #"{"op":"fetchAsset","uri":"test://made","requestId":1}"#, from: id)
        let requests = world.assetRequests()
        world.close(id)
        let next = world.connect()
        _ = world.take(next)
        for request in requests { world.server.answer(request, with: [9]) }
        #expect(requests.count == 1 && world.take(next) == [])
    }
}

@Suite struct TextBoundTests {
    @Test func depthAndStringsAreCounted() {
        let world = World(channelCount: 0, features: World.complete)
        let id = world.connect()
        _ = world.messages(id)
        func nested(_ depth: Int) -> String {
            let brackets = String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1)
            return #"{"op":"subscribeConnectionGraph","x":\#(brackets)}"#
        }
        world.send(text: nested(32), from: id)
        #expect(world.take(id).count == 1 && world.server.limitCounts[.jsonDepth] == nil)
        world.send(text: nested(33), from: id)
        #expect(world.take(id) == [.text(status(2, "Invalid message: nested deeper than 32 levels"))])
        #expect(world.server.limitCounts[.jsonDepth] == 1)
        func fetching(_ count: Int) -> String {
            #"{"op":"fetchAsset","requestId":1,"uri":"\#(String(repeating: "x", count: count))"}"#
        }
        world.send(text: fetching(65_536), from: id)
        #expect(world.take(id).count == 1 && world.server.limitCounts[.string] == nil)
        world.send(text: fetching(65_537), from: id)
        #expect(world.take(id) == [.text(status(2, #"Invalid message: \"uri\" is longer than 65536 bytes"#))])
        #expect(world.server.limitCounts[.string] == 1)
    }
}
