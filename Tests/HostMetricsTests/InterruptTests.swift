import HostMetrics
import Testing

struct InterruptTests {
    /// The lines of a text: name, counters by CPU or one for all, description.
    private struct Line: Equatable {
        var name: String
        var counts: [UInt64]
        var description = ""
        var isPerCPU = true
    }

    private func lines(_ text: String, errorCount: Int = 0) -> [Line] {
        let bytes = Array(text.utf8)
        func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        var table = PerCPUTable()
        var cursor = ByteCursor(bytes.span)
        guard table.readHeading(&cursor) else { return [] }
        var lines: [Line] = []
        while let row = table.next(&cursor) {
            let counts = row.isPerCPU ? table.cpus.indices.map { table.counts[$0] } : [table.counts[0]]
            lines.append(
                Line(
                    name: string(row.name), counts: counts, description: string(row.description),
                    isPerCPU: row.isPerCPU))
        }
        #expect(table.parseErrorCount == errorCount)
        return lines
    }

    @Test func linesOfX86() {
        let lines = lines(
            """
                       CPU0       CPU1       \n\
              24:          1          0  IO-APIC   5-edge      ACPI:Ged
              36:          0    1629067 PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0
             NMI:          0          0   Non-maskable interrupts
             ERR:          0
             MIS:          7
             PIN:          2          3   Posted-interrupt notification event

            """)
        #expect(
            lines == [
                Line(name: "24", counts: [1, 0], description: "IO-APIC   5-edge      ACPI:Ged"),
                Line(
                    name: "36", counts: [0, 1_629_067],
                    description: "PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0"),
                Line(name: "NMI", counts: [0, 0], description: "Non-maskable interrupts"),
                Line(name: "ERR", counts: [0], isPerCPU: false), Line(name: "MIS", counts: [7], isPerCPU: false),
                Line(name: "PIN", counts: [2, 3], description: "Posted-interrupt notification event"),
            ])
    }

    @Test func linesOfARM() {
        let lines = lines(
            """
                        CPU0       CPU2       CPU3
              11:       9612       9424          1     GICv3  27 Level     arch_timer
            IPI0:        100        200        300       Rescheduling interrupts
             FIQ:              usb_fiq
             Err:          0
            """)
        #expect(
            lines == [
                Line(name: "11", counts: [9_612, 9_424, 1], description: "GICv3  27 Level     arch_timer"),
                Line(name: "IPI0", counts: [100, 200, 300], description: "Rescheduling interrupts"),
                Line(name: "Err", counts: [0], isPerCPU: false),
            ])
    }

    @Test func aMachineWithOneCPUCountsByCPUToo() {
        #expect(
            lines("     CPU0\n ERR:  5\n  1: 6 x") == [
                Line(name: "ERR", counts: [5]), Line(name: "1", counts: [6], description: "x"),
            ])
    }

    @Test(arguments: [
        "1 2 3", ": 1 2", "a:", "a: x", "a: 1 x", "a: 1 -2", "a: 1 2x", "a: 1 18446744073709551616 x", "a'b: 1 2",
        "a\"b: 1 2", "a\u{7F}: 1 2", "é: 1 2", "abcdefghijklmnopq: 1 2", "NMI:1 2",
    ])
    func badLinesAreCountedAndLeftOut(line: String) {
        let lines = lines("CPU0 CPU1\n\(line)\nb: 3 4\n", errorCount: 1)
        #expect(lines == [Line(name: "b", counts: [3, 4])])
    }

    @Test(arguments: ["abcdefghijklmnop: 1 2", "  \tx:\t18446744073709551615  0  "])
    func oddLinesAreRead(line: String) { #expect(lines("CPU0 CPU1\n\n\(line)\n\n").count == 1) }

    @Test func aHeadingMustNameCPUs() {
        for heading in ["", "\n", "HI: 1 2", "CPU CPUx CPU-1 CPU8192 CPU99999 cpu0"] {
            #expect(lines(heading + "\na: 1 2\n").isEmpty, "\(heading)")
        }
        #expect(lines("CPU8191 CPU3\na: 1 2\n", errorCount: 1) == [Line(name: "a", counts: [1, 2])])
    }

    @Test func asManyCPUsAreReadAsThereMayBe() {
        func text(_ count: Int) -> String {
            let headings = (0..<count).map { $0 < 8_192 ? "CPU\($0)" : "CPU" }.joined(separator: " ")
            return "\(headings)\na: \(String(repeating: "7 ", count: count))\n"
        }
        #expect(lines(text(8_192)).first?.counts.count == 8_192)
        #expect(lines(text(8_193)).isEmpty)
    }

    /// Counters as `PerCPUCounters` follows them from text to text.
    private func follow(_ texts: [String], lineCountMax: Int = 10, _ body: (borrowing PerCPUCounters, Int) -> Void) {
        var counters = PerCPUCounters(lineCountMax: lineCountMax, filter: EntryFilter(EntrySettings()))
        for (index, text) in texts.enumerated() {
            counters.parse(Array(text.utf8).span)
            body(counters, index)
        }
    }

    @Test func countersOf32BitsWrapByCPU() {
        var totals: [UInt64] = []
        var moved: [UInt64] = []
        var generations: Set<UInt64> = []
        follow([
            "CPU0 CPU1\na: 4294967290 10\n", "CPU0 CPU1\na: 4 11\n", "CPU0 CPU1\na: 5 12\n",
        ]) { counters, _ in
            totals.append(counters[0].total)
            moved.append(counters[0].moved)
            generations.insert(counters[0].generation)
        }
        #expect(totals == [4_294_967_300, 4_294_967_311, 4_294_967_313])
        #expect(moved == [0, 11, 13] && generations.count == 1)
    }

    @Test func whatFallsOtherwiseWasReset() {
        // From 2³¹ on it is a wrap; a counter of more than 32 bits cannot.
        for (old, new, wasReset) in [
            (100, 99, true), (2_147_483_648, 0, true), (2_147_483_649, 0, false), (4_294_967_296, 1, true),
        ] as [(UInt64, UInt64, Bool)] {
            var generations: [UInt64] = []
            follow(["CPU0 CPU1\na: \(old) 50\n", "CPU0 CPU1\na: \(new) 51\n"]) { counters, index in
                generations.append(counters[0].generation)
                guard index == 1 else { return }
                #expect(counters[0].wasReset == wasReset, "\(old) to \(new)")
                #expect(counters[0].total == (wasReset ? new + 51 : new + (1 << 32) + 51))
                #expect(counters[0].busiestShare.isNaN == wasReset)
            }
            #expect((generations[0] != generations[1]) == wasReset)
        }
    }

    @Test func aCPUThatWasOfflineGoesOnWhereItWas() {
        var moved: [UInt64] = []
        var totals: [UInt64] = []
        follow([
            "CPU0 CPU1\na: 10 100\n", "CPU0\na: 11\n", "CPU0 CPU1\na: 12 103\n", "CPU0 CPU1 CPU5\na: 12 103 1000\n",
            "CPU0 CPU1 CPU5\na: 12 103 1001\n",
        ]) { counters, _ in
            moved.append(counters[0].moved)
            totals.append(counters[0].total)
        }
        // What a CPU counted before it was ever seen is in the sum, but no rate.
        #expect(moved == [0, 1, 5, 5, 6])
        #expect(totals == [110, 111, 115, 1_115, 1_116])
    }

    @Test func linesComeAndGo() {
        let texts = ["a: 1\nb: 1\nc: 1", "b: 2\nc: 2", "a: 5\nb: 3\nc: 3", "c: 4\nb: 4\na: 6\nb: 9"]
        var seen: [[String]] = []
        follow(texts.map { "CPU0\n\($0)\n" }) { counters, index in
            let lines = (0..<counters.count).map { counters[$0] }
            seen.append(lines.map { "\(name($0)) \($0.total) \($0.moved)" })
            #expect(counters.parseErrorCount == (index == 3 ? 1 : 0))
        }
        #expect(
            seen == [
                ["a 1 0", "b 1 0", "c 1 0"], ["b 2 1", "c 2 1"], ["a 5 0", "b 3 2", "c 3 2"],
                ["c 4 3", "b 4 3", "a 6 1"],
            ])
    }

    private func name(_ line: PerCPUCounters.Line) -> String {
        String(decoding: line.name.bytes.indices.map { line.name.bytes[$0] }, as: UTF8.self)
    }

    @Test func whatIsTooMuchIsCounted() {
        let texts = ["a: 1\nb: 1", "a: 1\nb: 1\nc: 1", "x: 1\ny: 1\nz: 1\na: 1", "a: 1\nb: 1"]
        var suppressed: [Int] = []
        follow(texts.map { "CPU0\n\($0)\n" }, lineCountMax: 2) { counters, _ in
            #expect(counters.count == 2)
            suppressed.append(counters.suppressedCount)
        }
        #expect(suppressed == [0, 1, 2, 0])
    }

    @Test func linesWithNamesStayWhereNotAllFit() {
        func told(_ names: [String], _ lineCountMax: Int) -> [String] {
            var lines: [String] = []
            follow(["CPU0\n" + names.map { "\($0): 1\n" }.joined()], lineCountMax: lineCountMax) { counters, _ in
                lines = (0..<counters.count).map { name(counters[$0]) }
                #expect(counters.suppressedCount == names.count - lines.count)
            }
            return lines
        }
        let names = ["1", "2", "3", "NMI", "LOC"]
        #expect(told(names, 5) == names)
        #expect(told(names, 4) == ["1", "2", "NMI", "LOC"])
        #expect(told(names, 2) == ["NMI", "LOC"])
        #expect(told(names, 1) == ["NMI"])
        #expect(told(["1", "2", "3"], 2) == ["1", "2"])
    }

    @Test func aThousandCPUsGiveTheSumsThatAreThere() {
        var generator = SeededGenerator.announced()
        let cpuCount = 1_024
        var counts = (0..<300).map { _ in (0..<cpuCount).map { _ in UInt64.random(in: 0..<1 << 32, using: &generator) }
        }
        func text() -> String {
            var text = (0..<cpuCount).map { "CPU\($0)" }.joined(separator: " ") + "\n"
            for (line, values) in counts.enumerated() {
                text += " \(line): \(values.map(String.init).joined(separator: "  ")) PCI-MSI \(line)-edge eth\(line)\n"
            }
            return text
        }
        var counters = PerCPUCounters(lineCountMax: 400, filter: EntryFilter(EntrySettings()))
        counters.parse(Array(text().utf8).span)
        #expect(counters.count == 300 && counters.parseErrorCount == 0)
        for line in 0..<300 { #expect(counters[line].total == counts[line].reduce(0, +)) }
        var moved = [UInt64](repeating: 0, count: 300)
        var busiest = moved
        for line in 0..<300 {
            for cpu in 0..<cpuCount {
                let step = UInt64.random(in: 0..<1_000_000, using: &generator)
                counts[line][cpu] = (counts[line][cpu] + step) % (1 << 32)
                moved[line] += step
                busiest[line] = max(busiest[line], step)
            }
        }
        counters.parse(Array(text().utf8).span)
        for line in 0..<300 {
            #expect(counters[line].moved == moved[line] && !counters[line].wasReset)
            #expect(counters[line].busiestShare == Double(busiest[line]) / Double(moved[line]))
        }
    }

    @Test func softirqsAreTold() throws {
        let host = try CollectorUnderTest("/cpu/softirq")
        #expect(throws: CollectError.open(errno: 2)) { try host.start() }
        try host.write(
            "                 CPU0       CPU1       \n       HI:          0          0\n    TIMER:     100     300\n",
            to: "proc/softirqs")
        let (first, before) = try host.sample()
        #expect(before.ids("vectors") == ["HI", "TIMER"] && first.intervalSeconds.isNaN)
        #expect(before["vectors[1].total"] == .unsigned(400) && before["vectors[1].per_second"]?.isNaN == true)
        #expect(before["vectors[1].cpu_share_max_ratio"]?.isNaN == true)
        try host.write("CPU0 CPU1\nHI: 0 0\nTIMER: 130 310\n", to: "proc/softirqs")
        let (second, after) = try host.sample(after: 2)
        #expect(second.intervalSeconds == 2 && second.entryCount == 2)
        #expect(after["vectors[0].per_second"]?.number == 0)
        #expect(after["vectors[0].cpu_share_max_ratio"]?.isNaN == true)
        #expect(after["vectors[1].per_second"]?.number == 20 && after["vectors[1].total"] == .unsigned(440))
        #expect(after["vectors[1].cpu_share_max_ratio"]?.number == 0.75)
        try host.write("no heading\n", to: "proc/softirqs")
        #expect(throws: CollectError.nothingUsable) { try host.sample() }
    }

    @Test func interruptsAreTold() throws {
        let host = try CollectorUnderTest("/cpu/interrupts")
        let long = String(repeating: "long name ", count: 20)
        try host.write(
            "  CPU0 CPU1\n 24: 1 0 IO-APIC   5-edge \t ACPI:Ged\n 25: 1 1 \(long)\nLOC: 7 7 Local timer\nERR: 3\n",
            to: "proc/interrupts")
        let (_, before) = try host.sample()
        #expect(before.ids("lines") == ["24", "25", "LOC", "ERR"])
        #expect(before["lines[0].description"]?.text == "IO-APIC 5-edge ACPI:Ged")
        #expect(before["lines[1].description"]?.text == String(long.prefix(128)))
        #expect(before["lines[3].total"] == .unsigned(3) && before["lines[3].description"]?.text == "")
        try host.write(
            "  CPU0 CPU1\n 24: 0 0 new\n 25: 1 1 x\nLOC: 10 16 Local timer interrupts\nERR: 5\n", to: "proc/interrupts")
        let (sample, after) = try host.sample(after: 4)
        #expect(sample.resetCount == 1 && sample.parseErrorCount == 0)
        #expect(after["lines[0].per_second"]?.isNaN == true && after["lines[0].total"] == .unsigned(0))
        #expect(after["lines[0].description"]?.text == "new")
        #expect(before["lines[1].description"]?.text?.utf8.count == PerCPUCounters.descriptionByteCountMax)
        #expect(after["lines[2].per_second"]?.number == 3 && after["lines[2].cpu_share_max_ratio"]?.number == 0.75)
        #expect(after["lines[3].per_second"]?.number == 0.5)
        #expect(after["lines[3].cpu_share_max_ratio"]?.isNaN == true)
        // After a suspend there is nothing to compare with.
        try host.write("  CPU0 CPU1\nNMI: 0 0\n 24: 0 0\nLOC: 20 16\n", to: "proc/interrupts")
        host.suspendedNanoseconds = 5_000_000_000
        let (_, resumed) = try host.sample()
        #expect(resumed["lines[2].per_second"]?.isNaN == true)
        #expect(resumed["lines[2].cpu_share_max_ratio"]?.isNaN == true)
    }

    @Test func theOwnerChoosesLines() throws {
        var settings = EntrySettings()
        settings.include = try Pattern("[A-Z]+")
        settings.entryCountMax = 2
        let host = try CollectorUnderTest("/cpu/interrupts", settings: settings)
        try host.write("CPU0\n1: 1\n2: 1\nNMI: 1\nLOC: 2\nERR: 3\n", to: "proc/interrupts")
        let (sample, message) = try host.sample()
        #expect(message.ids("lines") == ["NMI", "LOC"] && sample.suppressedCount == 1)
    }
}
