import Foundation
import FoxgloveProtocol
import SysmonAgent
import Testing

/// What Lichtblick and Foxglove demand of a server beyond the protocol, by the numbers of the list of demands.
@Suite struct StudioTests {
    private func greeting(_ options: Agent.Options = Agent.Options()) throws -> [[String: JSONValue]] {
        let world = try AgentWorld(options: options)
        return try world.texts(world.connect()).map { text in
            guard case .object(let members) = try JSONValue(parsing: Array(text.utf8)) else { return [:] }
            return members
        }
    }

    private func objects(_ name: String, _ message: [String: JSONValue]) -> [[String: JSONValue]] {
        guard case .array(let elements)? = message[name] else { return [] }
        return elements.compactMap { if case .object(let members) = $0 { members } else { nil } }
    }

    private func string(_ value: JSONValue?) -> String { if case .string(let text)? = value { text } else { "" } }

    @Test("2, 12: capabilities are a list, and publishing begins with JSON") func capabilities() throws {
        let info = try greeting()[0]
        guard case .array(let capabilities)? = info["capabilities"] else {
            Issue.record("no list of capabilities")
            return
        }
        #expect(capabilities.contains(.string("clientPublish")) && !capabilities.contains(.string("time")))
        #expect(info["supportedEncodings"] == .array([.string("json"), .string("protobuf")]))
    }

    @Test("3: a Time message comes before any data, after every connect") func time() throws {
        var options = Agent.Options()
        options.tellsTime = true
        let world = try AgentWorld(options: options)
        for _ in 0..<2 {
            let id = world.connect(subscribedTo: ["/cpu"])
            world.run(seconds: 0.3)
            let kinds = world.binaryOpcodes(id)
            #expect(kinds.first == 2 && kinds.contains(1))
            for (before, after) in zip(kinds, kinds.dropFirst()) where after == 1 {
                #expect(before == 2, "one Time for each tick, before its data")
            }
        }
    }

    @Test("5: no first sample within 50 ms of its subscription") func firstSample() throws {
        let world = try AgentWorld(rates: ["/cpu": 1000])
        let first = world.connect(subscribedTo: ["/cpu"])
        world.run(seconds: 0.5)
        #expect(!world.data(first, "/cpu").isEmpty)
        // Somebody listens already, and the configuration is latched.
        let second = world.connect(subscribedTo: ["/cpu", "/config"])
        world.run(seconds: 0.0499)
        #expect(world.data(second, "/cpu").isEmpty && world.data(second, "/config").isEmpty)
        world.run(seconds: 0.0111)
        #expect(!world.data(second, "/cpu").isEmpty && world.data(second, "/config").count == 1)
    }

    @Test("6: both sides of every service are JSON objects by a schema") func services() throws {
        let services = objects("services", try greeting()[2])
        #expect(services.count == AgentWorld.services.count)
        for service in services {
            for side in ["request", "response"] {
                guard case .object(let members)? = service[side] else {
                    Issue.record("\(service) has no \(side)")
                    continue
                }
                #expect(members["encoding"] == .string("json") && members["schemaEncoding"] == .string("jsonschema"))
                let schema = try JSONValue(parsing: Array(string(members["schema"]).utf8))
                guard case .object(let root) = schema, case .object? = root["properties"] else {
                    Issue.record("\(schema) is no object schema")
                    continue
                }
                #expect(root["type"] == .string("object"))
            }
        }
    }

    @Test("7: a mistake that is made again is told in the same words") func statuses() throws {
        let world = try AgentWorld()
        let id = world.connect()
        _ = world.texts(id)
        let mistakes = [
            #"{"op":"subscribe","subscriptions":[{"id":1,"channelId":99}]}"#, "{", #"{"op":"what"}"#,
            #"{"op":"unadvertise","channelIds":[9]}"#,
            #"{"op":"setParameters","parameters":[{"name":"/cpu.rate_hertz","value":5000}]}"#,
        ]
        for mistake in mistakes {
            world.send(mistake, from: id)
            let first = world.texts(id)
            world.run(seconds: 3)
            _ = world.texts(id)
            world.send(mistake, from: id)
            #expect(first.count == 1 && world.texts(id) == first)
        }
    }

    @Test("8: types that channels share are the same in all their descriptor sets") func sharedTypes() throws {
        let channels = objects("channels", try greeting()[1])
        #expect(channels.count == AgentWorld.topics.count)
        var known: [String: [UInt8]] = [:]
        for channel in channels {
            let package = channel["topic"] == .string("/log") ? "foxglove." : "sysmon.v1."
            #expect(string(channel["schemaName"]).hasPrefix(package))
            let set = try #require(Data(base64Encoded: string(channel["schema"])))
            for file in files(in: Array(set)) {
                let (name, content) = file
                #expect(known[name] == nil || known[name] == content, "\(name) differs")
                known[name] = content
            }
        }
        #expect(known.keys.contains("google/protobuf/timestamp.proto") && known.keys.contains("sysmon/v1/header.proto"))
        #expect(Set(channels.map { string($0["topic"]) }).count == channels.count, "one channel per topic")
    }

    @Test("11: the answer to all parameters carries its id, a refused set the true value") func parameters() throws {
        let world = try AgentWorld()
        let id = world.connect()
        _ = world.texts(id)
        world.send(#"{"op":"getParameters","parameterNames":[],"id":"get-all-params"}"#, from: id)
        #expect(world.texts(id)[0].contains(#""id":"get-all-params""#))
        world.send(
            #"{"op":"setParameters","parameters":[{"name":"/load.rate_hertz","value":-1}],"id":"r"}"#, from: id)
        #expect(
            world.texts(id).last
                == #"{"id":"r","op":"parameterValues","parameters":[{"#
                + #""name":"/load.rate_hertz","type":"float64","value":0.2}]}"#
        )
    }

    @Test("13: who comes back finds the same session, who is sent away gets a close frame") func reconnect() throws {
        let world = try AgentWorld()
        let first = world.connect()
        let session = world.texts(first)[0]
        world.disconnect(first)
        let second = world.connect()
        #expect(world.texts(second)[0] == session)
        world.agent.close()
        #expect(world.closeCode(second) == 1001)
    }

    // MARK: Reading

    /// The files of a FileDescriptorSet (field 1, each a message whose field 1 is its name).
    private func files(in set: [UInt8]) -> [(name: String, content: [UInt8])] {
        var files: [(String, [UInt8])] = []
        var rest = set[...]
        func length() -> Int {
            var value = 0
            var shift = 0
            while let byte = rest.popFirst() {
                value |= Int(byte & 127) << shift
                shift += 7
                if byte < 128 { break }
            }
            return value
        }
        while rest.popFirst() == 0x0A {
            let count = length()
            let content = Array(rest.prefix(count))
            rest = rest.dropFirst(content.count)
            files.append((String(decoding: content.dropFirst(2).prefix(Int(content[1])), as: UTF8.self), content))
        }
        return files
    }
}
