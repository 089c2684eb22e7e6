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
        var known: [String: Int] = [:]
        while fuzzer.parseCount < count {
            if step % Self.stepsOfAnEra == 0 { try fuzzer.beginEra() }
            fuzzer.playStep()
            step += 1
            if environment["SOURCE_FUZZ_TELL"] != nil, !fuzzer.faults.isEmpty {
                let key = fuzzer.faults[0].prefix { !$0.isNumber && $0 != "-" }
                if known[String(key), default: 0] < 2 { print("FAULT", step, half, fuzzer.faults) }
                known[String(key), default: 0] += 1
                fuzzer.faults = []
            }
            guard fuzzer.faults.isEmpty else {
                Issue.record(
                    "step \(step) of half \(half) of FUZZ_SEED=\(seed): \(fuzzer.faults.joined(separator: "\n"))")
                return
            }
        }
        let sampleCount = fuzzer.sampleCounts.values.reduce(0, +)
        print(
            "\(fuzzer.parseCount) parses in \(step) steps and \(sampleCount) samples;",
            "longest \(fuzzer.longestSample), largest \(fuzzer.largestMessage)")
        fflush(nil)
        if environment["SOURCE_FUZZ_TELL"] != nil {
            print("KNOWN", known)
            for topic in allCollectors.map(\.channel.topic) {
                print(
                    topic, fuzzer.sampleCounts[topic] ?? 0, fuzzer.refusalCounts[topic] ?? 0,
                    fuzzer.parseErrorCounts[topic] ?? 0)
            }
        }
    }
}
