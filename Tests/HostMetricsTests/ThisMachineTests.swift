import Foundation
import HostMetrics
import Telemetry
import Testing

/// What collectors tell of this machine beside what another reader of the same files finds.
struct ThisMachineTests {
    private final class Source {
        let registration: Registration
        let sampler: any Sampling
        private var tick: UInt64 = 0

        /// nil: this machine does not have it.
        init?(_ topic: String) throws {
            registration = try #require(allCollectors.first { $0.channel.topic == topic })
            let clock = SystemClock()
            let facts = HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE")
            do throws(CollectError) {
                sampler = try registration.makeSampler(on: HostMetrics.Host(facts: facts, clock: clock.reading))
            } catch { return nil }
        }

        func sample() throws -> WireValue {
            tick += 1
            _ = try sampler.sample(registration.context(tick: tick))
            return try decode(sampler, schema: registration.channel.schema)
        }
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    private func words(_ line: some StringProtocol) -> [String] {
        String(line).split { $0.isWhitespace }.map(String.init)
    }

    /// The sum of each line of /proc/interrupts or /proc/softirqs.
    private func sums(_ path: String) throws -> [(id: String, sum: UInt64)] {
        let lines = try text(path).split(separator: "\n")
        let columnCount = words(lines[0]).count
        return lines.dropFirst().map { line in
            let parts = words(line)
            return (
                String(parts[0].dropLast()),
                parts.dropFirst().prefix(columnCount).compactMap { UInt64($0) }.reduce(0, +)
            )
        }
    }

    @Test(arguments: [("/cpu/softirq", "/proc/softirqs", "vectors"), ("/cpu/interrupts", "/proc/interrupts", "lines")])
    func countersLieBetweenThoseReadBeforeAndAfter(topic: String, path: String, list: String) throws {
        guard let source = try Source(topic) else { return }
        for _ in 0..<3 {
            let before = try sums(path)
            let message = try source.sample()
            let after = try sums(path)
            #expect(message.ids(list) == before.map(\.id))
            for (index, entry) in (message[list]?.entries ?? []).enumerated() {
                guard case .unsigned(let total) = entry["total"] else { continue }
                #expect(before[index].sum <= total && total <= after[index].sum, "\(before[index].id)")
            }
        }
    }

    @Test func nodesAreAsTheirFilesSay() throws {
        guard let source = try Source("/memory/numa") else { return }
        let folder = "/sys/devices/system/node/node0"
        func hits() throws -> UInt64? {
            try text(folder + "/numastat").split(separator: "\n").first { $0.hasPrefix("numa_hit ") }
                .flatMap { UInt64(words($0)[1]) }
        }
        let before = try #require(try hits())
        let node = try #require(try source.sample()["nodes[0]"])
        let after = try #require(try hits())
        let total = try text(folder + "/meminfo").split(separator: "\n").first { $0.contains(" MemTotal:") }
        #expect(node["total_bytes"]?.number == total.flatMap { Double(words($0)[3]) }.map { $0 * 1_024 })
        guard case .unsigned(let told) = node["numa_hit_total"] else { return }
        #expect(before <= told && told <= after)
    }

    @Test func compressedMemoryIsAsItsFilesSay() throws {
        guard let source = try Source("/memory/compressed") else { return }
        let message = try source.sample()
        for device in message["zram"]?.entries ?? [] {
            let id = try #require(device["id"]?.text)
            #expect(device["disk_bytes"]?.number == Double(words(try text("/sys/block/\(id)/disksize"))[0]))
        }
        if let run = try? text("/sys/kernel/mm/ksm/run") {
            #expect(
                message["ksm_state"]?.text == ["KSM_STOPPED", "KSM_RUNNING", "KSM_UNMERGING"][Int(words(run)[0]) ?? 0])
        }
    }

    @Test func frequenciesAreThoseOfTheMachine() throws {
        guard let source = try Source("/cpu/frequency") else { return }
        let message = try source.sample()
        let online = try text("/proc/stat").split(separator: "\n").filter { $0.hasPrefix("cpu") }.count - 1
        #expect(message["cpus"]?.entries.count == min(online, 256))
        for cpu in message["cpus"]?.entries ?? [] {
            let hertz = try #require(cpu["current_hertz"]?.number)
            #expect(hertz.isNaN || (1e7...1e10).contains(hertz))
        }
    }
}
