import HostMetrics
import Telemetry
import Testing

/// Dumps and notifications, as a kernel on paper tells them.
struct NetlinkTests {
    private let asked = ScriptedKernel()
    private let notifying = ScriptedKernel()
    private let reading = ManualClock().reading

    private func monitor() -> LinkMonitor<ScriptedTransport> {
        LinkMonitor(
            requests: ScriptedTransport(asked), notifications: ScriptedTransport(notifying), sysfs: "/nowhere")
    }

    private func refresh(_ monitor: inout LinkMonitor<ScriptedTransport>, _ table: inout InterfaceTable) throws {
        _ = try monitor.refresh(&table) { reading }
    }

    private func links(_ names: [UInt32: String], flags: UInt16 = 2) -> ScriptedKernel.Answer {
        { sequence in
            [
                .datagram(
                    names.sorted { $0.key < $1.key }.flatMap {
                        Wire.link($0.key, $0.value, sequence: sequence, flags: flags)
                    }), .datagram(Wire.done(sequence)),
            ]
        }
    }

    private func statistics(_ values: KeyValuePairs<UInt32, UInt64>, flags: UInt16 = 2) -> ScriptedKernel.Answer {
        { sequence in
            [
                .datagram(
                    values.flatMap { Wire.statistics($0.key, $0.value, sequence: sequence, flags: flags) }
                        + Wire.done(sequence))
            ]
        }
    }

    private func names(_ table: InterfaceTable) -> [String] {
        table.entries.indices.filter { table.isPresent($0) }.map {
            String(decoding: table.entries[$0].name, as: UTF8.self)
        }
    }

    @Test func aDumpThatWasInterruptedIsMadeAgain() throws {
        asked.answers = [
            Wire.getLink: [links([1: "lo", 2: "eth0"])],
            Wire.getStats: [statistics([1: 5], flags: 2 | Wire.interrupted), statistics([1: 6, 2: 7])],
        ]
        var monitor = monitor()
        var table = InterfaceTable()
        try refresh(&monitor, &table)
        #expect(names(table) == ["lo", "eth0"] && asked.requestCounts == [Wire.getLink: 1, Wire.getStats: 2])
        #expect(table.entries.map { $0.counters.columns[0] } == [6, 7])
    }

    @Test func anInterruptionMayBeToldAtTheEndOnly() throws {
        asked.answers = [
            Wire.getLink: [links([1: "lo"])],
            Wire.getStats: [
                { [.datagram(Wire.statistics(1, 5, sequence: $0) + Wire.done($0, flags: 2 | Wire.interrupted))] },
                statistics([1: 6]),
            ],
        ]
        var monitor = monitor()
        var table = InterfaceTable()
        try refresh(&monitor, &table)
        #expect(asked.requestCounts[Wire.getStats] == 2 && table.entries[0].counters.columns[0] == 6)
    }

    @Test func whatIsInterruptedAgainAndAgainIsTakenAsItIs() throws {
        asked.answers = [
            Wire.getLink: [links([1: "lo"])], Wire.getStats: [statistics([1: 5], flags: 2 | Wire.interrupted)],
        ]
        var monitor = monitor()
        var table = InterfaceTable()
        try refresh(&monitor, &table)
        #expect(names(table) == ["lo"] && asked.requestCounts == [Wire.getLink: 1, Wire.getStats: 4])
    }

    @Test func linksOfAnInterruptedDumpAreNotBelieved() throws {
        asked.answers = [
            Wire.getLink: [links([1: "lo", 9: "gone"], flags: 2 | Wire.interrupted), links([1: "lo"])],
            Wire.getStats: [statistics([1: 5])],
        ]
        var monitor = monitor()
        var table = InterfaceTable()
        try refresh(&monitor, &table)
        #expect(table.entries.count == 1 && asked.requestCounts == [Wire.getLink: 2, Wire.getStats: 1])
        try refresh(&monitor, &table)
        #expect(asked.requestCounts == [Wire.getLink: 2, Wire.getStats: 2])
    }

    @Test func linksThatAreNeverDumpedWholeAreAskedForInEachSample() throws {
        asked.answers = [
            Wire.getLink: [links([1: "lo"], flags: 2 | Wire.interrupted)], Wire.getStats: [statistics([1: 5])],
        ]
        var monitor = monitor()
        var table = InterfaceTable()
        try refresh(&monitor, &table)
        #expect(asked.requestCounts[Wire.getLink] == 4 && names(table) == ["lo"])
        try refresh(&monitor, &table)
        #expect(asked.requestCounts[Wire.getLink] == 8)
    }

    @Test func lostNotificationsMakeTheLinksDumpedAgain() throws {
        asked.answers = [
            Wire.getLink: [links([1: "lo", 2: "eth0"]), links([1: "lo", 3: "eth1"])],
            Wire.getStats: [statistics([1: 5, 2: 6]), statistics([1: 5, 3: 6])],
        ]
        var monitor = monitor()
        var table = InterfaceTable()
        try refresh(&monitor, &table)
        notifying.pending = [.lost]
        try refresh(&monitor, &table)
        #expect(names(table) == ["lo", "eth1"] && asked.requestCounts[Wire.getLink] == 2)
        notifying.pending = [.failed(5)]
        try refresh(&monitor, &table)
        #expect(asked.requestCounts[Wire.getLink] == 3)
        try refresh(&monitor, &table)
        #expect(asked.requestCounts[Wire.getLink] == 3)
    }

    @Test func aDumpThatLostAPartIsReadToItsEndAndMadeAgain() throws {
        asked.answers = [
            Wire.getLink: [links([1: "lo", 2: "eth0"])],
            Wire.getStats: [
                { [.lost, .datagram(Wire.statistics(2, 6, sequence: $0)), .datagram(Wire.done($0))] },
                // The end itself is lost.
                { [.datagram(Wire.statistics(2, 6, sequence: $0)), .lost] }, statistics([1: 7, 2: 8]),
            ],
        ]
        var monitor = monitor()
        var table = InterfaceTable()
        try refresh(&monitor, &table)
        #expect(asked.requestCounts[Wire.getStats] == 3 && table.entries.map { $0.counters.columns[0] } == [7, 8])
    }

    @Test func anIndexWithoutANameIsAskedFor() throws {
        asked.answers = [
            Wire.getLink: [links([1: "lo"]), links([1: "lo", 2: "eth0"])],
            Wire.getStats: [statistics([1: 5, 2: 6])],
        ]
        var monitor = monitor()
        var table = InterfaceTable()
        try refresh(&monitor, &table)
        #expect(names(table) == ["lo", "eth0"] && asked.requestCounts == [Wire.getLink: 2, Wire.getStats: 2])
    }

    @Test func refusalsAndSilenceAreErrors() throws {
        var table = InterfaceTable()
        var monitor = monitor()
        asked.sendErrno = 13
        #expect(throws: CollectError.read(errno: 13)) { try refresh(&monitor, &table) }
        asked.sendErrno = 0
        #expect(throws: CollectError.nothingUsable) { try refresh(&monitor, &table) }
        asked.answers = [Wire.getLink: [{ [.datagram(Wire.error(1, $0))] }, { _ in [.failed(5)] }, links([1: "lo"])]]
        #expect(throws: CollectError.read(errno: 1)) { try refresh(&monitor, &table) }
        #expect(throws: CollectError.read(errno: 5)) { try refresh(&monitor, &table) }
        asked.answers[Wire.getStats] = [statistics([1: 5])]
        try refresh(&monitor, &table)
        #expect(names(table) == ["lo"])
    }

    @Test func whatIsLeftOfAnotherDumpIsIgnored() throws {
        let answer = statistics([1: 5])
        asked.answers = [
            Wire.getLink: [links([1: "lo"])],
            Wire.getStats: [
                { [.datagram(Wire.done($0 &- 1) + Wire.statistics(1, 9, sequence: $0 &- 1))] + answer($0) }
            ],
        ]
        var monitor = monitor()
        var table = InterfaceTable()
        try refresh(&monitor, &table)
        #expect(table.entries[0].counters.columns[0] == 5)
    }

    @Test func notificationsBeyondTheLimitWaitForTheNextSample() throws {
        asked.answers = [
            Wire.getLink: [links([1: "a"])], Wire.getStats: [statistics([1: 5])],
        ]
        var monitor = monitor()
        var table = InterfaceTable()
        try refresh(&monitor, &table)
        let limit = LinkMonitor<ScriptedTransport>.notificationCountMax
        notifying.pending =
            Array(repeating: .datagram(Wire.link(1, "b")), count: limit) + [.datagram(Wire.link(1, "c"))]
        try refresh(&monitor, &table)
        #expect(names(table) == ["b"])
        try refresh(&monitor, &table)
        #expect(names(table) == ["c"])
    }

    /// Of the answer that is too long the rest is still to come, when the next is asked for.
    @Test(arguments: [0, 1])
    func noAnswerIsEndless(more: Int) throws {
        let limit = Limits.dumpDatagramCountMax
        asked.answers = [
            Wire.getLink: [{ [.datagram(Wire.done($0))] }],
            Wire.getNeighbour: [
                { sequence in
                    let one = Wire.neighbour(2, 1, state: 2, sequence: sequence)
                    return Array(repeating: .datagram(one), count: limit - 1 + more) + [.datagram(Wire.done(sequence))]
                }
            ],
        ]
        var monitor = NeighbourMonitor(requests: ScriptedTransport(asked))
        var table = NeighbourTable()
        guard more > 0 else {
            try monitor.refresh(&table)
            #expect(table.rows.first?.ipv4Count == limit - 1)
            return
        }
        #expect(throws: CollectError.read(errno: 16)) { try monitor.refresh(&table) }
    }

    @Test func eventsAreToldOnce() throws {
        asked.answers = [
            Wire.getLink: [links([1: "lo", 2: "eth0"])],
            Wire.getStats: [statistics([1: 5, 2: 6]), statistics([1: 5, 2: 6]), statistics([1: 5])],
        ]
        var monitor = monitor()
        var table = InterfaceTable()
        try refresh(&monitor, &table)
        #expect(table.events == [.appeared(Array("lo".utf8)), .appeared(Array("eth0".utf8))])
        table.removeEvents()
        // Down, still down, then another name.
        notifying.pending = [
            .datagram(Wire.link(2, "eth0", state: 2)), .datagram(Wire.link(2, "eth0", state: 3)),
            .datagram(Wire.link(2, "wan", state: 2)),
        ]
        try refresh(&monitor, &table)
        #expect(
            table.events == [.lost(Array("eth0".utf8)), .vanished(Array("eth0".utf8)), .appeared(Array("wan".utf8))])
        table.removeEvents()
        notifying.pending = [.datagram(Wire.link(2, "wan", isGone: true)), .datagram(Wire.link(7, "x", isGone: true))]
        try refresh(&monitor, &table)
        #expect(table.events == [.vanished(Array("wan".utf8))])
    }

    @Test(arguments: [Limits.linkEventCountMax, Limits.linkEventCountMax + 1])
    func noMoreEventsThanTheLimitAreKept(count: Int) {
        var table = InterfaceTable()
        for index in 1...count {
            var attributes = LinkAttributes()
            attributes.index = UInt32(index)
            table.update(name: Array("a\(index)".utf8).span, attributes, at: nil)
        }
        #expect(table.events.count == Limits.linkEventCountMax)
        #expect(table.moreEventCount == count - Limits.linkEventCountMax)
        table.removeEvents()
        #expect(table.events.isEmpty && table.moreEventCount == 0)
    }
}
