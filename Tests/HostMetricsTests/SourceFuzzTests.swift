import Foundation
import HostMetrics
import Telemetry
import Testing

/// All collectors on hosts whose files are nearly right: a parse is one spoilt file that one sample reads.
///
/// `SOURCE_FUZZ_COUNT=100000 FUZZ_SEED=1 swift test --filter SourceFuzz` chooses how many parses there are, and repeats
/// a run.
struct SourceFuzzTests {
    private static let stepsOfAnEra = 400

    /// Two runs, each with half of the parses, side by side.
    @Test(arguments: 0..<2 as Range<UInt64>)
    func spoiltSourcesAreSurvivedAndToldProperly(half: UInt64) throws {
        let environment = ProcessInfo.processInfo.environment
        let count = (environment["SOURCE_FUZZ_COUNT"].flatMap(Int.init) ?? 2_000) / 2
        let seed = environment["FUZZ_SEED"].flatMap(UInt64.init) ?? .random(in: 0..<1_000_000_000)
        print("FUZZ_SEED=\(seed)")
        fflush(nil)
        let fuzzer = try SourceFuzzer(random: SeededGenerator(seed: seed &+ half))
        var step = 0
        while fuzzer.parseCount < count {
            if step % Self.stepsOfAnEra == 0 { try fuzzer.beginEra() }
            fuzzer.playStep()
            step += 1
            guard fuzzer.faults.isEmpty else {
                Issue.record(
                    "step \(step) of half \(half) of FUZZ_SEED=\(seed): \(fuzzer.faults.joined(separator: "\n"))")
                return
            }
        }
        let sampleCount = fuzzer.sampleCounts.values.reduce(0, +)
        print(
            "\(fuzzer.parseCount) parses in \(sampleCount) samples of half \(half):",
            "longest \(fuzzer.longestSample), largest \(fuzzer.largestMessage)")
        guard count >= 10_000 else { return }
        for topic in allCollectors.map(\.channel.topic) where !Self.withoutFiles.contains(topic) {
            let taken = fuzzer.sampleCounts[topic, default: 0]
            #expect(taken > 40, "\(topic): \(taken) samples")
            // What cannot be read is no longer a source; the rest is told, and garbage is counted.
            let errors = fuzzer.parseErrorCounts[topic, default: 0]
            #expect(errors > 0 || Self.refusing.contains(topic), "\(topic): no parse errors")
        }
    }

    /// Of system calls, sockets and the agent itself.
    private static let withoutFiles: Set = ["/agent", "/clock", "/jitter", "/net/addresses", "/systemd"]
    /// A single number, without which there is nothing to tell; and texts, of which any will do.
    private static let refusing: Set = ["/fds", "/hung_tasks", "/system/info"]
}
