import Foundation
import FoxgloveProtocol
import FoxgloveServer
import HostMetrics
import SysmonAgent
import Telemetry
import TestSupport
import Testing
import WebSocketProtocol

/// An agent on a made-up host, in virtual time, with clients made of calls.
final class AgentWorld {
    let agent: Agent
    private let clock = VirtualClock()
    private let reports = Reports()
    let procfs: URL
    private var clients: [ConnectionID: TestClient] = [:]
    private let topics: [String]

    /// Topics in the order of their ids, which count from 1, unless there are registrations beside these.
    static let topics = ["/cpu", "/load", "/memory", "/system/uptime", "/agent", "/log", "/config"]

    init(
        without missing: [String] = [], rates: [String: Double] = [:], limits: ServerLimits = ServerLimits(),
        options: Agent.Options = Agent.Options(), beside others: [Registration] = [],
        prepare: (_ procfs: URL) throws -> Void = { _ in }
    ) throws {
        procfs = FileManager.default.temporaryDirectory.appendingPathComponent("agent-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: procfs, withIntermediateDirectories: true)
        let registrations = allCollectors.filter { Self.topics.contains($0.channel.topic) } + others
        // What a worker has to find is advertised last.
        let found = others.filter { !$0.isBlocking }.map(\.channel.topic)
        let foundLater = others.filter(\.isBlocking).map(\.channel.topic)
        topics = Self.topics.dropLast(2) + found + Self.topics.suffix(2) + foundLater
        let (clock, reports) = (clock, reports)
        let host = HostMetrics.Host(
            procfs: procfs.path, sysfs: "/nowhere", rootfs: "/nowhere",
            facts: HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE"),
            clock: { clock.read() })
        var configuration = Agent.defaultConfiguration(
            registrations, hostSettings: [Parameter(name: "server.host", value: .json(.string("127.0.0.1")))])
        for (topic, rate) in rates { try configuration.set("rate_hertz", of: topic, to: .number(rate)) }
        for (name, text) in Self.files where !missing.contains(name) {
            try text.write(to: procfs.appendingPathComponent(name), atomically: false, encoding: .utf8)
        }
        try prepare(procfs)
        agent = Agent(
            registrations, host: host, configuration: configuration,
            identity: Server.Identity(name: "test", metadata: [:], sessionID: "1"), options: options, limits: limits,
            suspendedNanoseconds: { 0 }, report: { reports.all.append($0) })
    }

    deinit { try? FileManager.default.removeItem(at: procfs) }

    private static let files = [
        "stat": "cpu  10 0 10 80 0 0 0 0 0 0\ncpu0 10 0 10 80 0 0 0 0 0 0\nintr 5 1\nctxt 7\nbtime 100\nprocesses 3\n",
        "loadavg": "0.50 0.40 0.30 1/200 4242\n",
        "meminfo": "MemTotal: 1000 kB\nMemFree: 400 kB\nMemAvailable: 600 kB\n",
        "uptime": "1000.00 900.00\n",
    ]

    func write(_ name: String, _ text: String? = nil) throws {
        try (text ?? Self.files[name] ?? "").write(
            to: procfs.appendingPathComponent(name), atomically: false, encoding: .utf8)
    }

    /// Passes on what the loop would be told by another thread, or by a descriptor.
    func wake() {
        agent.woken(now: now)
        for id in clients.keys { drain(id) }
    }

    func ready(_ descriptor: Int32) {
        agent.ready(descriptor, now: now)
        for id in clients.keys { drain(id) }
    }

    // MARK: Time

    var now: Instant { clock.reading.monotonic }

    /// Plays the loop: calls the agent at each of its deadlines and drains every client, until `seconds` have passed.
    func run(seconds: Double) {
        let end = Instant(nanoseconds: now.nanoseconds + UInt64(seconds * 1e9))
        while let deadline = agent.nextDeadline, deadline <= end {
            clock.set(max(deadline, now))
            agent.tick(now: now)
            for id in clients.keys { drain(id) }
        }
        clock.set(max(end, now))
    }

    /// Lets time pass without the loop running, as when the process is stopped.
    func stall(seconds: Double) { clock.set(Instant(nanoseconds: now.nanoseconds + UInt64(seconds * 1e9))) }

    /// Every look at the clock costs the agent this much time from now on.
    func slowDown(secondsPerReading: Double) { clock.nanosecondsPerReading = UInt64(secondsPerReading * 1e9) }

    func takeReports() -> [Agent.Report] {
        defer { reports.all = [] }
        return reports.all
    }

    // MARK: Clients

    /// `fields` are further lines of the request, `peerNames` those of a certificate.
    func connect(
        subscribedTo topics: [String] = [], fields: [String] = [], peerNames: [String]? = nil
    ) -> ConnectionID {
        let id = ConnectionID(index: clients.count)
        clients[id] = TestClient()
        agent.opened(id, from: "10.0.0.1", now: now)
        if let peerNames { agent.secured(id, peerNames: peerNames) }
        receive(Array((upgradeRequest + fields.map { $0 + "\r\n" }.joined() + "\r\n").utf8), from: id)
        drain(id)
        if !topics.isEmpty { subscribe(id, topics) }
        return id
    }

    func subscribe(_ id: ConnectionID, _ topics: [String]) {
        let entries = topics.compactMap { self.topics.firstIndex(of: $0) }.map {
            "{\"id\":\($0 + 1),\"channelId\":\($0 + 1)}"
        }
        send("{\"op\":\"subscribe\",\"subscriptions\":[\(entries.joined(separator: ","))]}", from: id)
    }

    func send(_ text: String, from id: ConnectionID) { receive(maskedFrame(1, Array(text.utf8)), from: id) }

    /// Several operations in one segment.
    func sendTogether(_ texts: [String], from id: ConnectionID) {
        receive(texts.flatMap { maskedFrame(1, Array($0.utf8)) }, from: id)
    }

    /// Publishes a patch on `/config` as Studio does, and returns what the agent says to it.
    func patch(_ json: String, from id: ConnectionID) -> [String] {
        publish(Array(json.utf8), encoding: "json", from: id)
    }

    /// Services in the order of their ids, which count from 1.
    static let services = ["/config/set", "/config/reset", "/session/clear", "/agent/status", "/channels/sample"]

    /// Calls a service and returns the payload of its response; nil if there is none.
    func call(_ name: String, encoding: String = "json", _ payload: [UInt8], from id: ConnectionID) -> [UInt8]? {
        let service = UInt8((Self.services.firstIndex(of: name) ?? 99) + 1)
        let encodingBytes = [UInt8(encoding.utf8.count), 0, 0, 0] + encoding.utf8
        receive(maskedFrame(2, [2, service, 0, 0, 0, 77, 0, 0, 0] + encodingBytes + payload), from: id)
        drain(id)
        let expected = [3, service, 0, 0, 0, 77, 0, 0, 0] + encodingBytes
        defer { clients[id]?.messages.removeAll { if case .binary = $0 { true } else { false } } }
        for case .binary(let bytes) in clients[id]?.messages ?? [] where bytes.starts(with: expected) {
            return Array(bytes.dropFirst(expected.count))
        }
        return nil
    }

    /// Calls a service in JSON and returns the members of its response.
    func call(_ name: String, _ payload: String = "{}", from id: ConnectionID) -> [String: JSONValue] {
        guard let bytes = call(name, Array(payload.utf8), from: id), let value = try? JSONValue(parsing: bytes),
            case .object(let members) = value
        else { return [:] }
        return members
    }

    func publish(_ payload: [UInt8], encoding: String, from id: ConnectionID) -> [String] {
        send(
            #"{"op":"advertise","channels":[{"id":1,"topic":"/config","encoding":"\#(encoding)","schemaName":"x"}]}"#,
            from: id)
        _ = texts(id)
        receive(maskedFrame(2, [1, 1, 0, 0, 0] + payload), from: id)
        send(#"{"op":"unadvertise","channelIds":[1]}"#, from: id)
        return texts(id)
    }

    func texts(_ id: ConnectionID) -> [String] {
        drain(id)
        defer { clients[id]?.messages.removeAll { if case .text = $0 { true } else { false } } }
        return (clients[id]?.messages ?? []).compactMap { if case .text(let text) = $0 { text } else { nil } }
    }

    /// Log times in seconds since `origin`, of the messages of one topic.
    func arrivals(_ id: ConnectionID, _ topic: String, since origin: Instant) -> [Double] {
        data(id, topic).map { Double(Int64(bitPattern: $0.logTime &- clock.realtime(at: origin))) / 1e9 }
    }

    func data(_ id: ConnectionID, _ topic: String) -> [TestClient.Data] {
        let channel = UInt32((topics.firstIndex(of: topic) ?? 0) + 1)
        return (clients[id]?.messages ?? []).compactMap { message in
            if case .data(let data) = message, data.subscription == channel { data } else { nil }
        }
    }

    /// Of data, time and the other binary messages, in the order of their arrival.
    func binaryOpcodes(_ id: ConnectionID) -> [UInt8] {
        (clients[id]?.messages ?? []).compactMap { message in
            switch message {
            case .data: 1
            case .binary(let bytes): bytes.first
            default: nil
            }
        }
    }

    /// Of service responses in JSON: what follows the header.
    func binaryPayloads(_ id: ConnectionID) -> [[UInt8]] {
        (clients[id]?.messages ?? []).compactMap { message in
            if case .binary(let bytes) = message, bytes.first == 3 { Array(bytes.dropFirst(17)) } else { nil }
        }
    }

    /// Asks for an asset; what comes is among ``assets(_:)``.
    func fetch(_ uri: String, from id: ConnectionID) {
        send(#"{"op":"fetchAsset","uri":"\#(uri)","requestId":5}"#, from: id)
        drain(id)
    }

    /// Those that came, as text, once.
    func assets(_ id: ConnectionID) -> [String] {
        let header: [UInt8] = [4, 5, 0, 0, 0, 0, 0, 0, 0, 0]
        defer { clients[id]?.messages.removeAll { if case .binary = $0 { true } else { false } } }
        return (clients[id]?.messages ?? []).compactMap { message in
            guard case .binary(let bytes) = message, bytes.starts(with: header) else { return nil }
            return String(decoding: bytes.dropFirst(header.count), as: UTF8.self)
        }
    }

    /// Nil: no close frame came.
    func closeCode(_ id: ConnectionID) -> UInt16? {
        drain(id)
        for case .close(let code, _) in clients[id]?.messages ?? [] { return code }
        return nil
    }

    func forgetMessages(_ id: ConnectionID) { clients[id]?.messages = [] }

    func disconnect(_ id: ConnectionID) { agent.closed(id, now: now) }

    /// All that a connection of its own is sent for `request`.
    func exchange(_ request: String) -> String {
        let id = ConnectionID(index: 10_000)
        agent.opened(id, from: "10.0.0.1", now: now)
        receive(Array(request.utf8), from: id)
        var bytes: [UInt8] = []
        _ = agent.send(to: id) { outgoing in
            for index in outgoing.first.indices { bytes.append(outgoing.first[index]) }
            for range in outgoing.ranges.indices {
                for index in outgoing.ranges[range] { bytes.append(outgoing.body[index]) }
            }
            return bytes.count
        }
        disconnect(id)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func receive(_ bytes: [UInt8], from id: ConnectionID) { agent.received(bytes.span, from: id, now: now) }

    private func drain(_ id: ConnectionID) {
        _ = agent.send(to: id) { outgoing in
            var bytes: [UInt8] = []
            for index in outgoing.first.indices { bytes.append(outgoing.first[index]) }
            for range in outgoing.ranges.indices {
                for index in outgoing.ranges[range] { bytes.append(outgoing.body[index]) }
            }
            clients[id]?.take(bytes[...])
            return bytes.count
        }
        #expect(clients[id]?.violations ?? [] == [])
        guard clients[id]?.messages.contains(.ping) == true else { return }
        clients[id]?.messages.removeAll { $0 == .ping }
        receive(maskedFrame(10, []), from: id)
    }
}

private final class VirtualClock {
    private(set) var reading = ClockReading(
        monotonic: Instant(nanoseconds: 1_000_000_000_000),
        realtime: Timestamp(unixNanoseconds: 1_795_000_000_000_000_000))

    /// How long whatever is between two readings takes.
    var nanosecondsPerReading: UInt64 = 0

    /// As the agent reads it.
    func read() -> ClockReading {
        if nanosecondsPerReading > 0 {
            set(Instant(nanoseconds: reading.monotonic.nanoseconds + nanosecondsPerReading))
        }
        return reading
    }

    func set(_ instant: Instant) {
        reading = ClockReading(monotonic: instant, realtime: Timestamp(unixNanoseconds: realtime(at: instant)))
    }

    func realtime(at instant: Instant) -> UInt64 {
        reading.realtime.unixNanoseconds &+ instant.nanoseconds &- reading.monotonic.nanoseconds
    }
}

private final class Reports {
    var all: [Agent.Report] = []
}

/// Without the empty line that ends it.
private let upgradeRequest =
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: foxglove.sdk.v1\r\n"
