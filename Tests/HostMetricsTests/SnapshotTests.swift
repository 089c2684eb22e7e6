import Foundation
import HostMetrics
import Telemetry
import TelemetrySchema
import Testing

@Suite struct SnapshotTests {
    /// Rates of the second snapshot, which were computed by another program.
    @Test(arguments: ["laptop", "server-64cpu"])
    func twoSamplesTellRates(name: String) throws {
        let fixture = try FixtureHost(name)
        let topics = ["/cpu", "/disk", "/net", "/memory", "/pressure"]
        let registrations = try topics.map { topic in
            try #require(allCollectors.first { $0.channel.topic == topic })
        }
        var pauses: [Double] = []
        let outcomes = Snapshot.take(registrations, on: fixture.host) { seconds in
            pauses.append(seconds)
            try? fixture.advance()
        }
        #expect(pauses == [Snapshot.spanSeconds])
        for (registration, outcome) in zip(registrations, outcomes) {
            guard case .message(let payload) = outcome else {
                Issue.record("\(registration.channel.topic): \(outcome)")
                continue
            }
            let golden = try #require(fixture.expected["t1"]?[registration.channel.topic])
            let value = try decode(payload, schema: registration.channel.schema)
            #expect(golden.differences(from: value, at: registration.channel.topic) == [])
        }
    }

    @Test func whatIsMissingIsAbsentAndWhatHangsIsSilent() throws {
        let fixture = try FixtureHost("laptop")
        try FileManager.default.removeItem(atPath: fixture.host.procfs + "/loadavg")
        let load = try #require(allCollectors.first { $0.channel.topic == "/load" })
        let registrations = [
            load, Registration(HangingCollector<Never>.self), Registration(HangingCollector<Int>.self),
            Registration(FailingCollector.self),
        ]
        let outcomes = Snapshot.take(registrations, on: fixture.host, patienceSeconds: 0.2) { _ in }
        let texts = outcomes.map { outcome in
            switch outcome {
            case .message(let payload): "told \(payload.isEmpty ? "nothing" : "something")"
            case .absent(let error): "absent: \(error)"
            case .silent: "silent"
            }
        }
        // What hangs or fails the second time has told something before.
        #expect(texts == ["absent: open(errno: 2)", "silent", "told something", "told something"])
    }
}

/// Hangs when it starts, or (`Int`) with its second sample.
private struct HangingCollector<When>: Collector, ~Copyable {
    static var topic: String { "/hanging" }
    static var defaultHertz: Double { 1 }
    static var isBlocking: Bool { true }

    private let clock: () -> ClockReading
    private var count = 0

    init(host: HostMetrics.Host) throws(CollectError) {
        clock = host.clock
        if When.self == Never.self { hang() }
    }

    mutating func sample(_ context: SampleContext, into message: inout LoadMessage) throws(CollectError) -> Sample {
        count += 1
        if count == 2 { hang() }
        return Sample(time: clock())
    }
}

private struct FailingCollector: Collector, ~Copyable {
    static let topic = "/failing"
    static let defaultHertz = 1.0

    private let clock: () -> ClockReading
    private var count = 0

    init(host: HostMetrics.Host) throws(CollectError) { clock = host.clock }

    mutating func sample(_ context: SampleContext, into message: inout LoadMessage) throws(CollectError) -> Sample {
        count += 1
        guard count < 2 else { throw .nothingUsable }
        return Sample(time: clock())
    }
}

/// For as long as the tests run.
private func hang() { while true { sleep(1_000) } }
