import HostMetrics
import Telemetry
import Testing

struct SourceTests {
    private let facts = HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE")

    private func host(_ root: TemporaryDirectory, clock: @escaping () -> ClockReading) -> HostMetrics.Host {
        HostMetrics.Host(
            procfs: root.path + "/proc", sysfs: root.path + "/sys", rootfs: root.path, facts: facts,
            clock: clock)
    }

    private func registration(_ topic: String) throws -> Registration {
        try #require(allCollectors.first { $0.channel.topic == topic })
    }

    @Test func topicsAreUniqueAndNeedNoQuotes() {
        let topics = allCollectors.map(\.channel.topic)
        #expect(Set(topics).count == topics.count)
        for topic in topics {
            #expect(topic.hasPrefix("/"))
            #expect(topic.utf8.allSatisfy { $0 == 0x2F || $0 == 0x5F || (0x61...0x7A).contains($0) }, "\(topic)")
        }
    }

    @Test func statIsReadOncePerTick() throws {
        let root = try TemporaryDirectory()
        try root.write("cpu  1 2 3 4\ncpu0 1 2 3 4\nctxt 5\n", to: "proc/stat")
        let clock = ManualClock()
        var readings = 0
        let host = host(root) {
            readings += 1
            return clock.reading
        }
        let topics = ["/cpu", "/cpu/cores", "/kernel"]
        let registrations = try topics.map(registration)
        let samplers = try registrations.map { try $0.makeSampler(on: host) }
        for tick in 1...3 as ClosedRange<UInt64> {
            readings = 0
            for (sampler, registration) in zip(samplers, registrations) {
                _ = try sampler.sample(registration.context(tick: tick))
            }
            #expect(readings == 2)
        }
    }

    @Test func stampIsTheMidpointOfTheRead() throws {
        let root = try TemporaryDirectory()
        try root.write("1.0 2.0\n", to: "proc/uptime")
        let clock = ManualClock()
        let host = host(root) {
            clock.advance(nanoseconds: 4_000)
            return clock.reading
        }
        let uptime = try registration("/system/uptime")
        let start = clock.reading.realtime.unixNanoseconds
        let sample = try uptime.makeSampler(on: host).sample(uptime.context(tick: 1))
        #expect(sample.time.realtime.unixNanoseconds == start + 6_000)
    }

    @Test func aLineOverSixtyFourKilobytesIsReadWhole() throws {
        let root = try TemporaryDirectory()
        let interrupts = String(repeating: " 12345", count: 40_000)
        try root.write("cpu  1 2 3 4\nintr 99\(interrupts)\nctxt 77\nprocs_running 3\n", to: "proc/stat")
        let clock = ManualClock()
        let kernel = try registration("/kernel")
        let sampler = try kernel.makeSampler(on: host(root) { clock.reading })
        _ = try sampler.sample(kernel.context(tick: 1))
        let message = try decode(sampler, schema: kernel.channel.schema)
        #expect(message["interrupts_total"] == .unsigned(99) && message["context_switches_total"] == .unsigned(77))
        #expect(message["tasks_running"] == .unsigned(3))
    }

    @Test(arguments: [31, 32, 33, 255, 256, 257, 100_000])
    func aBufferGrowsUntilTheTextFits(byteCount: Int) throws {
        let root = try TemporaryDirectory()
        let bytes = (0..<byteCount).map { UInt8($0 % 251) }
        try root.write(bytes, to: "file")
        let clock = ManualClock()
        var file = try ProcFile(path: root.path + "/file", byteCapacity: 32)
        for _ in 0..<2 {
            _ = try file.read { clock.reading }
            let whole = file.text.indices.map { file.text[$0] }
            #expect(whole == bytes)
            _ = try file.readByLines { clock.reading }
            let lines = file.text.indices.map { file.text[$0] }
            #expect(lines == bytes)
        }
    }

    @Test func aMissingSourceIsAnErrorAtTheStartAndServesOnceItIsThere() throws {
        let root = try TemporaryDirectory()
        let clock = ManualClock()
        let host = host(root) { clock.reading }
        let load = try registration("/load")
        #expect(throws: CollectError.open(errno: 2)) { try load.makeSampler(on: host) }
        #expect(throws: CollectError.open(errno: 2)) { try registration("/cpu").makeSampler(on: host) }
        try root.write("0.5 0.4 0.3 1/2 3\n", to: "proc/loadavg")
        try root.write("cpu0 1 2 3 4\ncpu5 1 2 3 4\n", to: "proc/stat")
        let sampler = try load.makeSampler(on: host)
        _ = try sampler.sample(load.context(tick: 1))
        #expect(try decode(sampler, schema: load.channel.schema)["load1_per_cpu"]?.number == 0.25)
    }

    @Test func aFileThatVanishesFailsThatSampleOnly() throws {
        let root = try TemporaryDirectory()
        try root.write("MemTotal: 10 kB\n", to: "proc/meminfo")
        let clock = ManualClock()
        let memory = try registration("/memory")
        let sampler = try memory.makeSampler(on: host(root) { clock.reading })
        _ = try sampler.sample(memory.context(tick: 1))
        try root.write("", to: "proc/meminfo")
        #expect(throws: CollectError.nothingUsable) { try sampler.sample(memory.context(tick: 2)) }
        try root.write("MemTotal: 12 kB\n", to: "proc/meminfo")
        _ = try sampler.sample(memory.context(tick: 3))
        let message = try decode(sampler, schema: memory.channel.schema)
        #expect(message["total_bytes"]?.number == 12_288)
        #expect(message["header.sequence"] == .unsigned(2))
    }

    @Test func aDirectoryCannotBeRead() throws {
        let root = try TemporaryDirectory()
        try root.write("x", to: "proc/loadavg/file")
        let clock = ManualClock()
        let load = try registration("/load")
        let sampler = try load.makeSampler(on: host(root) { clock.reading })
        #expect(throws: CollectError.read(errno: 21)) { try sampler.sample(load.context(tick: 1)) }
    }

    @Test func moreCoresThanAMessageHoldsCanBeChosen() throws {
        var settings = EntrySettings()
        settings.entryCountMax = 2
        settings.exclude = try Pattern("0|1.*")
        let lines = (0..<14).map { "cpu\($0) 1 2 3 4\n" }.joined()
        let collector = try CollectorUnderTest("/cpu/cores", files: ["proc/stat": lines], settings: settings)
        let (sample, message) = try collector.sample()
        #expect(message.ids("cores") == ["2", "3"] && sample.suppressedCount == 6)
    }

    @Test func theAgentTellsOfItself() throws {
        let clock = ManualClock()
        let host = HostMetrics.Host(facts: facts) { clock.reading }
        host.agent.clientCount = 3
        host.agent.sentByteCount = 1_000
        var record = AgentReport.CollectorRecord(topic: "/cpu", requestedHertz: 1_000, resolutionSeconds: 0.01)
        record.lastError = .read(errno: 13)
        host.agent.collectors = [
            record, AgentReport.CollectorRecord(topic: "/load", requestedHertz: 0.2, resolutionSeconds: 5),
        ]
        host.agent.limits = [AgentReport.LimitRecord(name: "clients", limit: 64, reachedCount: 2)]
        let agent = try registration("/agent")
        let sampler = try agent.makeSampler(on: host)
        _ = try sampler.sample(agent.context(tick: 1))
        clock.advance(nanoseconds: 2_000_000_000)
        host.agent.sentByteCount = 5_000
        let sample = try sampler.sample(agent.context(tick: 2))
        #expect(sample.intervalSeconds == 2 && sample.entryCount == 2)
        let message = try decode(sampler, schema: agent.channel.schema)
        #expect(message["clients"] == .unsigned(3) && message["sent_bytes_per_second"]?.number == 2_000)
        #expect(try #require(message["cpu_ratio"]?.number) >= 0)
        #expect(try #require(message["resident_bytes"]?.number) > 100_000)
        #expect(try #require(message["threads"]?.number) >= 1)
        #expect(try #require(message["open_fds"]?.number) >= 4)
        #expect(try #require(message["max_fds"]?.number) >= 64)
        #expect(message["collectors[0].faster_than_source"] == .bool(true))
        #expect(message["collectors[0].last_error"]?.text == "cannot read: EACCES")
        #expect(message["collectors[1].faster_than_source"] == .bool(false))
        #expect(message["collectors[1].last_error"]?.text == "")
        #expect(message["limits[0].id"]?.text == "clients")
    }

    @Test func thisMachineIsSampled() throws {
        let clock = ManualClock()
        let host = HostMetrics.Host(facts: facts) {
            clock.advance(nanoseconds: 1_000)
            return clock.reading
        }
        for registration in allCollectors where !registration.isEventDriven {
            let sampler: any Sampling
            do throws(CollectError) {
                sampler = try registration.makeSampler(on: host)
            } catch .open {
                // This machine has no such source.
                continue
            }
            // An event-driven source has no news after the first sample.
            for tick in 1...(registration.isEventDriven ? 1 : 3) as ClosedRange<UInt64> {
                clock.advance(nanoseconds: 200_000_000)
                let sample = try sampler.sample(registration.context(tick: tick))
                #expect(sample.parseErrorCount == 0, "\(registration.channel.topic)")
            }
            _ = try decode(sampler, schema: registration.channel.schema)
        }
    }
}
