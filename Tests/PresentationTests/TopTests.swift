import TelemetrySchema
import Testing

@testable import Presentation

@Suite struct TopModelTests {
    @Test func ratesGoInStepsOf1And2And5() {
        let up: [(Double, Double)] = [
            (0.2, 0.5), (0.5, 1), (1, 2), (3, 5), (10, 20), (1_000, 2_000), (1.0 / 60, 0.02), (0.1, 0.2),
        ]
        for (from, to) in up { #expect(TopModel.step(from: from, up: true) == to) }
        let down: [(Double, Double)] = [(0.5, 0.2), (1, 0.5), (3, 2), (10, 5), (1.0 / 60, 0.01)]
        for (from, to) in down { #expect(TopModel.step(from: from, up: false) == to) }
    }

    @Test func keysChangeTheRateOfAllOrOfWhatIsChosen() {
        var model = TopModel()
        #expect(model.press(.faster) == nil && model.notice != nil)
        for (topic, hertz) in [("/cpu", 10.0), ("/memory", 1), ("/elsewhere", 1)] { model.take(rate: hertz, of: topic) }
        #expect(model.press(.faster) == .setRates([("/cpu", 20), ("/memory", 2)]))
        #expect(model.notice == nil)
        #expect(model.press(.next) == nil && model.chosenTopic == "/cpu")
        // From what was asked for, though the server has not answered yet.
        #expect(model.press(.slower) == .setRates([("/cpu", 10)]))
        #expect(model.press(.slower) == .setRates([("/cpu", 5)]))
        model.take(refusal: "no")
        #expect(model.notice == "no")
        #expect(model.press(.slower) == .setRates([("/cpu", 5)]))
        model.take(rate: 5, of: "/cpu")
        #expect(model.press(.slower) == .setRates([("/cpu", 2)]))
        #expect(model.press(.previous) == nil && model.chosenTopic == nil)
        #expect(model.press(.previous) == nil && model.chosenTopic == "/memory")
        // The server says what came of it.
        #expect(model.rates["/cpu"] == 5)
    }

    @Test func whatIsShownStaysWhilePaused() {
        var model = TopModel()
        model.take(message(["load1": .number(1)]), of: "/load")
        _ = model.press(.pause)
        model.take(message(["load1": .number(2)]), of: "/load")
        model.forget("/load")
        #expect(model.messages["/load"]?["load1"] == .number(1))
        _ = model.press(.pause)
        model.take(message(["load1": .number(2)]), of: "/load")
        #expect(model.messages["/load"]?["load1"] == .number(2))
    }

    @Test func theFirstQuitOnlyClosesTheHelp() {
        var model = TopModel()
        _ = model.press(.help)
        #expect(model.press(.quit) == nil && !model.isHelpShown)
        #expect(model.press(.quit) == .quit)
    }
}

/// A host of as many CPUs as one likes.
func model(cores: Int, processes: Int = 20) -> TopModel {
    var model = TopModel()
    model.name = "box"
    model.take(rate: 1, of: "/cpu")
    model.take(rate: 2, of: "/memory")
    model.take(
        message([
            "usage_ratio": .number(0.25), "user_ratio": .number(0.2), "system_ratio": .number(0.05),
            "iowait_ratio": .number(.nan), "steal_ratio": .number(0),
        ]), of: "/cpu")
    model.take(
        message([
            "cores": .list(
                (0..<cores).map { core in
                    .message(
                        message([
                            "id": .unsigned(UInt64(core)),
                            "usage_ratio": .number(Double(core) / Double(max(1, cores - 1))),
                        ]))
                })
        ]), of: "/cpu/cores")
    model.take(
        message([
            "total_bytes": .number(8_589_934_592), "used_bytes": .number(4_294_967_296), "used_ratio": .number(0.5),
            "available_bytes": .number(4_294_967_296), "swap_total_bytes": .number(1_073_741_824),
            "swap_used_bytes": .number(0), "swap_used_ratio": .number(0),
        ]), of: "/memory")
    model.take(
        message([
            "load1": .number(0.77), "load5": .number(1.96), "load15": .number(2.4), "tasks_runnable": .unsigned(2),
            "tasks_total": .unsigned(312),
        ]), of: "/load")
    model.take(message(["uptime_seconds": .number(273_700)]), of: "/system/uptime")
    model.take(message(["cpu": .message(message(["some_ratio": .number(0.125)]))]), of: "/pressure")
    model.take(
        message([
            "interfaces": .list(
                [("eth0", "OPER_UP"), ("eth1", "OPER_DOWN")].map { id, state in
                    .message(
                        message([
                            "id": .text(id), "oper_state": .name(state), "rx_bytes_per_second": .number(1_500_000),
                            "tx_bytes_per_second": .number(0),
                        ]))
                })
        ]), of: "/net")
    model.take(
        message([
            "devices": .list([
                .message(
                    message([
                        "id": .text("nvme0n1"), "read_bytes_per_second": .number(0),
                        "write_bytes_per_second": .number(2_000), "utilization_ratio": .number(0.95),
                    ]))
            ])
        ]), of: "/disk")
    model.take(
        message([
            "temperatures": .list([
                .message(
                    message(["label": .text("Core 0"), "celsius": .number(101), "critical_celsius": .number(100)]))
            ])
        ]), of: "/sensors")
    model.take(
        message([
            "top": .list(
                (0..<processes).map { place in
                    .message(
                        message([
                            "id": .unsigned(UInt64(100 + place)), "name": .text("worker \u{1B}[31m\(place)"),
                            "user": .text("ann"), "cpu_ratio": .number(1.5), "resident_bytes": .number(1_048_576),
                            "read_bytes_per_second": .number(.nan), "write_bytes_per_second": .number(0),
                        ]))
                })
        ]), of: "/processes")
    return model
}

@Suite struct ScreenTests {
    @Test func aSmallHostOnASmallTerminal() {
        let lines = Screen(model(cores: 2, processes: 2), columns: 80, rows: 24, isUnicode: true).lines.map(\.text)
        #expect(
            lines.map(trimmed) == [
                "box  up 3 d 4 h  load 0.77 1.96 2.40  2 of 312 tasks run",
                "CPU   25.0 % ━━━━━━─────────────────         user 20.0 %  system 5.0 %  iowait -",
                "  0 ───────────────────────────   0.0 %    1 ━━━━━━━━━━━━━━━━━━━━━━━━━━━ 100.0 %",
                "Mem   50.0 % ━━━━━━━━━━━━╸────────────  4.00 GiB of 8.00 GiB, 4.00 GiB available",
                "Swap   0.0 % ─────────────────────────────────────────────       0 B of 1.00 GiB",
                "Wait  cpu  12.5 %",
                "",
                "Network         receive       send   Disk            read      write     busy",
                "eth0          1.50 MB/s      0 B/s   nvme0n1        0 B/s  2.00 kB/s   95.0 %",
                "",
                "Temperature",
                "Core 0                 101.0 °C",
                "",
                "Process          user       CPU     memory       read      write  name",
                "100               ann   150.0 %   1.00 MiB          -      0 B/s  worker ?[31m0",
                "101               ann   150.0 %   1.00 MiB          -      0 B/s  worker ?[31m1",
                "", "", "", "", "", "", "",
                "q quit   p pause   + - rate   tab choose   ? help               all at 1 to 2 Hz",
            ])
    }

    @Test func manyCPUsFold() {
        let lines = Screen(model(cores: 64), columns: 80, rows: 24, isUnicode: true).lines.map(\.text)
        #expect(lines[2].hasPrefix("  0 ▁▁▁▁▁▁▁▁▂▂▂▂▂▂▂▂▃"))
        #expect(lines[3].hasPrefix("Mem"))
        let ascii = Screen(model(cores: 256), columns: 80, rows: 24, isUnicode: false).lines.map(\.text)
        #expect(ascii.allSatisfy { $0.utf8.count == $0.count })
        #expect(ascii[2].hasPrefix("  0 0000000"))
        #expect(ascii[2...5].map { $0.count } == [76, 76, 76, 44])
        let wide = Screen(model(cores: 16), columns: 200, rows: 50, isUnicode: true).lines.map(\.text)
        #expect(wide[2].hasPrefix("  0 ───") && wide[2].contains("  2 ━"))
    }

    /// None of them traps, or has a line too many or too long.
    @Test(arguments: [0, 1, 2, 7, 300])
    func everySizeIsKept(cores: Int) {
        var model = model(cores: cores)
        for columns in [0, 1, 2, 5, 19, 39, 40, 60, 79, 80, 81, 109, 110, 133, 200, 500] {
            for rows in [0, 1, 2, 3, 5, 8, 12, 23, 24, 25, 50, 120] {
                for isHelpShown in [false, true] {
                    if model.isHelpShown != isHelpShown { _ = model.press(.help) }
                    let lines = Screen(model, columns: columns, rows: rows, isUnicode: true).lines
                    #expect(lines.count == (columns > 0 ? rows : 0))
                    #expect(lines.allSatisfy { $0.text.count <= columns })
                }
            }
        }
        #expect(Screen(TopModel(), columns: 80, rows: 24, isUnicode: true).lines.count == 24)
    }

    @Test(arguments: [1e300, -1e300, .infinity, -.infinity, .nan, -0.0])
    func noNumberOfAServerTraps(number: Double) {
        var model = model(cores: 100)
        func spoilt(_ message: DecodedMessage) -> DecodedMessage {
            DecodedMessage(
                message.fields.map { field in
                    switch field.value {
                    case .number, .unsigned: DecodedMessage.Field(field.name, .number(number))
                    case .message(let inner): DecodedMessage.Field(field.name, .message(spoilt(inner)))
                    case .list(let elements):
                        DecodedMessage.Field(
                            field.name, .list(elements.map { $0.message.map { .message(spoilt($0)) } ?? $0 }))
                    default: field
                    }
                })
        }
        for (topic, message) in model.messages { model.take(spoilt(message), of: topic) }
        for topic in TopModel.topics { model.take(rate: number, of: topic) }
        #expect(Screen(model, columns: 80, rows: 24, isUnicode: true).lines.count == 24)
        _ = model.press(.faster)
    }

    @Test func aLostConnectionAndARefusalAreTold() throws {
        var model = model(cores: 1)
        model.connectionFault = "no connection, trying again"
        model.notice = "/cpu.rate_hertz: 2000 is not a number from 0.001 to 1000"
        let lines = Screen(model, columns: 80, rows: 24, isUnicode: true).lines
        #expect(try #require(lines.last).text.hasSuffix("  all at 1 to 2 Hz"))
        #expect(lines[0].text.hasSuffix("  no connection, trying again") && lines[0].text.count == 80)
        #expect(lines[0].runs.last?.style == .bad)
        #expect(try #require(lines.last).text.hasPrefix("/cpu.rate_hertz: 2000 is not"))
    }
}

@Suite struct FrameWriterTests {
    @Test func onlyWhatChangedIsSent() {
        var writer = FrameWriter(hasColor: true)
        let first = [StyledLine("one"), StyledLine("two", .bad), StyledLine("thr33")]
        let second = [StyledLine("one"), StyledLine("2", .good), StyledLine("thr33")]
        let sent = String(decoding: writer.bytes(for: first, columns: 5), as: UTF8.self)
        #expect(sent.hasPrefix("\u{1B}[?2026h\u{1B}[2J") && sent.hasSuffix("\u{1B}[?2026l"))
        // At the right edge nothing is erased.
        #expect(sent.contains("\u{1B}[3;1H\u{1B}[0mthr33\u{1B}[0m\u{1B}[?2026l"))
        #expect(
            String(decoding: writer.bytes(for: second, columns: 5), as: UTF8.self)
                == "\u{1B}[?2026h\u{1B}[2;1H\u{1B}[0;32m2\u{1B}[0m\u{1B}[K\u{1B}[?2026l")
        #expect(writer.bytes(for: second, columns: 5) == [])
        writer.forget()
        #expect(String(decoding: writer.bytes(for: second, columns: 5), as: UTF8.self).contains("one"))
    }

    @Test func withoutColorTheresBoldAndFaintOnly() {
        var writer = FrameWriter(hasColor: false)
        let lines = [StyledLine("a", .good), StyledLine("b", .bad)]
        #expect(!String(decoding: writer.bytes(for: lines, columns: 5), as: UTF8.self).contains("0;3"))
    }
}
