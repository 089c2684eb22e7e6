import HostMetrics
import Telemetry
import Testing

struct NumberedEntriesTests {
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: UInt64(seconds * 1e9)) }

    @Test func onlyNumbersAsTheKernelWritesThemCount() throws {
        let root = try TemporaryDirectory()
        for name in ["n10", "n9", "n0", "n00", "n01", "n", "n1x", "m1", "n99999", "n100000", "n-1", "N2"] {
            try root.write("", to: name)
        }
        var entries = NumberedEntries(directory: root.path, prefix: "n")
        #expect(entries.refresh(at: at(0)) && entries.numbers == [0, 9, 10, 99_999])
    }

    @Test func theyAreListedEveryTenSecondsOrWhenOneIsGone() throws {
        let root = try TemporaryDirectory()
        try root.write("", to: "folder/n1")
        var entries = NumberedEntries(directory: root.path + "/folder", prefix: "n")
        #expect(entries.refresh(at: at(100)) && entries.numbers == [1])
        try root.write("", to: "folder/n2")
        #expect(!entries.refresh(at: at(109.9)) && entries.numbers == [1])
        #expect(entries.refresh(at: at(110)) && entries.numbers == [1, 2])
        entries.forget()
        // A clock that steps back is none to wait by.
        for time in [110.1, 50] {
            let wasListed = entries.refresh(at: at(time))
            #expect(wasListed)
        }
    }

    @Test func aFolderThatIsMadeAgainIsSeen() throws {
        let root = try TemporaryDirectory()
        var entries = NumberedEntries(directory: root.path + "/folder", prefix: "n")
        #expect(entries.refresh(at: at(0)) && entries.numbers.isEmpty)
        for round in 1...3 {
            try root.write("", to: "folder/n\(round)")
            #expect(entries.refresh(at: at(Double(round) * 20)) && entries.numbers == [UInt32(round)])
            try root.remove("folder/n\(round)")
            try root.remove(folder: "folder")
        }
        #expect(entries.refresh(at: at(100)) && entries.numbers.isEmpty)
    }

    @Test func asManyAreListedAsThereMayBe() throws {
        let root = try TemporaryDirectory()
        for number in 0..<NumberedEntries.countMax { try root.make("n\(number)") }
        var entries = NumberedEntries(directory: root.path, prefix: "n")
        entries.refresh(at: at(0))
        #expect(entries.numbers == Array(0..<8_192))
        try root.write("", to: "n50000")
        entries.refresh(at: at(10))
        #expect(entries.numbers.count == 8_192)
    }
}
