import HostMetrics
import Telemetry
import Testing

struct ParserTests {
    private func statistics(_ text: String) -> KernelStatistics {
        let bytes = Array(text.utf8)
        var statistics = KernelStatistics()
        statistics.parse(bytes.span)
        return statistics
    }

    private func memory(_ text: String) -> MemoryInfo {
        let bytes = Array(text.utf8)
        var info = MemoryInfo()
        info.parse(bytes.span)
        return info
    }

    @Test(arguments: [
        ("cpu  1 2 3", 1), ("cpu  1 2 3 x", 1), ("cpu  1 2 3 -4", 1), ("cpu", 1), ("cpu  1 2 3 4", 0),
        ("cpu  1 2 3 4 5 6 7 8 9 10 11 12", 0), ("cpu  1 2 3 4 x 6 18446744073709551616", 2), ("cpux 1 2 3 4", 0),
    ])
    func theTotalLineNeedsFourColumns(line: String, errors: Int) {
        let statistics = statistics(line + "\nctxt 5\n")
        #expect(statistics.totalParseErrorCount == errors)
        #expect((statistics.total == nil) == (errors == 1 || line == "cpux 1 2 3 4"))
        #expect(statistics.activity.contextSwitches == 5)
    }

    @Test func coresComeInOrderWhateverTheText() {
        let statistics = statistics(
            "cpu3 1 1 1 1\ncpu1 2 2 2 2\ncpu3 9 9 9 9\ncpu12 1 1 1 1\ncpu999999 1 1 1 1\ncpu2x 1 1 1 1")
        #expect(statistics.cores.map(\.id) == [1, 3, 12])
        #expect(statistics.cores[1].times.columns[0] == 1)
    }

    @Test func theFirstLineOfANameCountsEvenIfItIsInvalid() {
        let statistics = statistics("ctxt x\nctxt 5\nintr 7 1 2 3\nintr 8\nprocs_running 18446744073709551615")
        #expect(statistics.activity.contextSwitches == nil)
        #expect(statistics.activity.interrupts == 7)
        #expect(statistics.activityParseErrorCount == 1)
        #expect(statistics.activity.running == .max)
    }

    @Test func memoryLinesAreFoundAgainWhenTheyMove() {
        var info = MemoryInfo()
        for text in [
            "MemTotal: 10 kB\nMemFree: 3 kB\nCached: 2 kB\n", "MemTotal: 11 kB\nMemFree: 4 kB\nCached: 3 kB\n",
            "MemTotal: 12 kB\nNew: 1 kB\nMemFree: 5 kB\nCached: 4 kB", "Cached:5\nMemTotal:13 kB\nMemFree:6\n",
        ] {
            let bytes = Array(text.utf8)
            info.parse(bytes.span)
        }
        #expect(info[.total] == 13 * 1_024 && info[.free] == 6 * 1_024 && info[.cached] == 5 * 1_024)
        #expect(info.parseErrorCount == 0)
        info.parse(Array("MemFree: 7 kB\n".utf8).span)
        #expect(info[.total] == nil && info[.free] == 7 * 1_024)
    }

    @Test(arguments: [
        ("MemFree: -5 kB", 1), ("MemFree:", 1), ("MemFree: 18446744073709551615 kB", 1), ("MemFree 5 kB", 1),
        (": 7 kB", 1),
        ("", 0), ("Unknown: x", 0), ("MemFree: 18014398509481984 kB", 1),
    ])
    func badMemoryLinesAreLeftOut(line: String, errors: Int) {
        let info = memory("MemTotal: 8 kB\n\(line)\nCached: 1 kB\n")
        #expect(info[.free] == nil && info[.cached] == 1_024 && info.parseErrorCount == errors)
        #expect(memory("\(line)\nMemFree: 2 kB")[.free] == 2_048)
    }

    /// Lines are learned at the first reading; the second goes by what was learned.
    @Test(arguments: ["", "\n", "MemTotal", "x: 1", String(repeating: "n", count: 60) + ": 1 kB"])
    func theSecondReadingFindsWhatTheFirstDid(line: String) {
        let text = Array("\(line)\nMemTotal: 8 kB\n\(line)\nMemFree: 2 kB\n\(line)\n\nCached: 1 kB\n".utf8)
        var info = MemoryInfo()
        for _ in 1...3 {
            info.parse(text.span)
            #expect(info[.total] == 8_192 && info[.free] == 2_048 && info[.cached] == 1_024)
        }
    }

    @Test func hugePagesAreCountsAndTheFirstOfANameCounts() {
        let info = memory("HugePages_Total: 4\nHugePages_Total: 5\nHugepagesize: 2048 kB\n")
        #expect(info[.hugePagesTotal] == 4 && info[.hugePageSize] == 2_097_152)
    }

    @Test func threadsAreCountedBehindTheLastParenthesis() {
        let bytes = Array("12 (a) b) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 0 5".utf8)
        #expect(ProcessStat(parsing: bytes.span)?.threadCount == 17)
    }

    @Test(arguments: [
        ("0-3,8", 5), ("0-,3,x-5,7", 2), ("", 0), ("3-1", 0), ("0-1,1-2", 3), ("100000", 0), ("99999", 1),
    ])
    func cpuListsAreCounted(text: String, count: Int) {
        var list = CPUList()
        let bytes = Array(text.utf8)
        list.parse(bytes.span)
        #expect(list.count == count)
    }

    @Test func lowWatermarksAreSummed() {
        let bytes = Array("Node 0\n  pages free 5\n        low      12\n low x\n low 3 4\nlow 30\n lowmem 9".utf8)
        #expect(ZoneInfo.lowPageCount(parsing: bytes.span) == 42)
    }

    /// Whatever the bytes, every parser comes to an end and does not trap.
    @Test func randomBytesAreSurvived() {
        var random = SeededGenerator.announced()
        let seeds = [
            "cpu  1 2 3 4\ncpu0 1 2 3 4\nintr 5 6\nbtime 7\nprocs_running 1\n", "MemTotal: 5 kB\nHugePages_Free: 3\n",
            "0.1 0.2 0.3 4/5 6\n", "1.5 2.5\n", "  lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", "0-3,5\n",
            "model name : x\nphysical id : 0\ncore id : 1\n", "ID=\"x\"\nPRETTY_NAME='y'\n", "1 (x) S 1 2 3\n low 7\n",
        ]
        var statistics = KernelStatistics()
        var memory = MemoryInfo()
        var list = CPUList()
        var cpuInfo = CPUInfo()
        var release = OSRelease()
        for _ in 0..<3_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                bytes += Array(seeds[Int.random(in: 0..<seeds.count, using: &random)].utf8)
            }
            for _ in 0..<Int.random(in: 0...30, using: &random) {
                let index = Int.random(in: 0...bytes.count, using: &random)
                let byte = UInt8.random(in: 0...255, using: &random)
                if Bool.random(using: &random) || bytes.isEmpty {
                    bytes.insert(byte, at: index)
                } else {
                    bytes[index % bytes.count] = byte
                }
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...400, using: &random)))
            let span = bytes.span
            statistics.parse(span)
            memory.parse(span)
            list.parse(span)
            cpuInfo.parse(span)
            release.parse(span)
            _ = LoadAverages(parsing: span)
            _ = UptimeText(parsing: span)
            _ = ZoneInfo.lowPageCount(parsing: span)
            _ = ProcessStat(parsing: span)
            _ = NetworkDevices.forEach(in: span) { _, _ in }
            #expect(statistics.cores.map(\.id) == statistics.cores.map(\.id).sorted())
        }
    }
}
