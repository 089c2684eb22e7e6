internal import FoundationEssentials
internal import Glibc

/// Random numbers that can be had again: SplitMix64.
///
/// All generators of a run grow from one seed, which is printed before the first is used, so that it is known even if
/// the test crashes. `SYSMON_TEST_SEED=<seed> swift test` repeats the run.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// - Parameter round: tells the generators of a run apart.
    package init(round: UInt64) { state = Self.seed &+ round &* 0x9E37_79B9_7F4A_7C15 }

    /// One of its own, whatever the run's seed is.
    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    package static let seed: UInt64 = {
        let given = ProcessInfo.processInfo.environment["SYSMON_TEST_SEED"]
        let seed = given.flatMap(UInt64.init) ?? .random(in: 0..<1_000_000_000)
        print("SYSMON_TEST_SEED=\(seed)")
        fflush(nil)
        return seed
    }()
}

extension SeededGenerator {
    package mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

    /// True once in `count` times.
    package mutating func isOne(in count: UInt64) -> Bool { next() % count == 0 }

    /// Cuts `bytes` at random places into pieces, most of them short.
    package mutating func pieces<Element>(of elements: [Element]) -> [ArraySlice<Element>] {
        var pieces: [ArraySlice<Element>] = []
        var start = 0
        while start < elements.count {
            let longest = [1, 3, 20, 1_000].randomElement(using: &self) ?? 1
            let end = min(elements.count, start + .random(in: 1...longest, using: &self))
            pieces.append(elements[start..<end])
            start = end
        }
        return pieces
    }
}
