import Foundation
import FoxgloveProtocol
import SysmonAgent
import TestSupport
import Testing

/// Payloads that are nearly right, in JSON and protobuf, for everything of the agent that decodes them.
///
/// `FUZZ_COUNT` and `FUZZ_SEED` as for the server's own fuzz test.
@Suite struct PayloadFuzzTests {
    private static let json = [
        #"{"channels":{"/cpu":{"rate_hertz":20,"enabled":true,"window_seconds":0.1}},"log":{"level":"info"}}"#,
        #"{"channels":[{"id":"/load","rate_hertz":5},{"id":"/config","enabled":true}],"header":{}}"#,
        #"{"topic":"/memory"}"#, "{}",
    ].map { Array($0.utf8) }
    private static let protobuf: [[UInt8]] = [
        // Config{header{stamp{}, sequence}, channels: [{id, rate_hertz, enabled, window_seconds}, {id}], log{level}}
        [0x0A, 6, 0x0A, 2, 0x08, 5, 0x18, 7, 0x12, 26, 0x0A, 4] + Array("/cpu".utf8)
            + [0x11, 0, 0, 0, 0, 0, 0, 0x3E, 0x40, 0x18, 1, 0x21, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F]
            + [0x12, 7, 0x0A, 5] + Array("/load".utf8) + [0x1A, 6, 0x0A, 4] + Array("info".utf8),
        // SampleRequest{topic}
        [0x0A, 5] + Array("/load".utf8),
        [],
    ]

    @Test func everyPayloadIsAnswered() throws {
        let environment = ProcessInfo.processInfo.environment
        let count = (environment["FUZZ_COUNT"].flatMap(Int.init) ?? 5_000) / 5
        let seed = environment["FUZZ_SEED"].flatMap(UInt64.init) ?? SeededGenerator.seed
        print("FUZZ_SEED=\(seed)")
        var random = SeededGenerator(seed: seed)
        let world = try AgentWorld()
        let client = world.connect()
        _ = world.texts(client)
        var answered = 0
        for index in 0..<count {
            world.stall(seconds: 0.06)
            let isJSON = Bool.random(using: &random)
            let payload = mutated((isJSON ? Self.json : Self.protobuf).randomElement(using: &random) ?? [], &random)
            let encoding = isJSON ? "json" : "protobuf"
            let input = "input \(index) of FUZZ_SEED=\(seed): \(payload)"
            if Int.random(in: 0..<4, using: &random) == 0 {
                // Nothing is said to a patch that is taken.
                let answers = world.publish(payload, encoding: encoding, from: client)
                #expect(answers.allSatisfy { $0.contains(#""op":"status""#) || $0.contains("advertise") }, "\(input)")
            } else {
                let service = AgentWorld.services.randomElement(using: &random) ?? ""
                let response = world.call(service, encoding: encoding, payload, from: client)
                let failures = world.texts(client).filter { $0.contains("serviceCallFailure") }.count
                #expect((response != nil) != (failures == 1), "\(input) to \(service)")
                if response != nil { answered += 1 }
                if isJSON, let response {
                    #expect((try? JSONValue(parsing: response)) != nil, "\(input) to \(service)")
                }
            }
            for channel in world.agent.configuration.channels {
                guard let sampling = channel.sampling else { continue }
                #expect(Configuration.rateHertzRange.contains(sampling.rateHertz), "\(input)")
                #expect(Configuration.windowSecondsRange.contains(sampling.windowSeconds), "\(input)")
            }
        }
        #expect(answered > count / 10)
    }

    private func mutated(_ payload: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = payload
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes.removeSubrange(place...)
            case 2: bytes.insert(contentsOf: bytes[place...], at: place)
            case 3: bytes.insert([0, 0x7F, 0x80, 0xFF, 0x22, 0x7B].randomElement(using: &random) ?? 0, at: place)
            case 4 where place < bytes.count: bytes[place] = .random(in: 0...255, using: &random)
            default: bytes.insert(contentsOf: Self.json.randomElement(using: &random) ?? [], at: place)
            }
        }
        return bytes
    }
}
