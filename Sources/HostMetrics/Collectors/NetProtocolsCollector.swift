internal import Telemetry
internal import TelemetrySchema

/// `/net/protocols`: /proc/net/snmp, netstat and snmp6.
struct NetProtocolsCollector: Collector, ~Copyable {
    static let topic = "/net/protocols"
    static let defaultHertz = 2.0

    private var snmp: OptionalFile
    private var netstat: OptionalFile
    private var snmp6: OptionalFile
    private var snmpLines = PairedLines()
    private var netstatLines = PairedLines()
    private var snmp6Lines = ListedLines()
    private var reading: ProtocolReading
    private let clock: () -> ClockReading
    private var tcp = RepeatedField<TcpCountersMessage>(capacity: 1)
    private var udp = RepeatedField<UdpCountersMessage>(capacity: 1)
    private var udp6 = RepeatedField<UdpCountersMessage>(capacity: 1)
    private var ip = RepeatedField<IpCountersMessage>(capacity: 1)
    private var ip6 = RepeatedField<IpCountersMessage>(capacity: 1)
    private var icmp = RepeatedField<IcmpCountersMessage>(capacity: 1)
    private var icmp6 = RepeatedField<IcmpCountersMessage>(capacity: 1)

    init(host: Host) throws(CollectError) {
        // Without this one there is no network at all.
        _ = try ProcFile(path: "\(host.procfs)/net/snmp", byteCapacity: 16)
        snmp = OptionalFile(path: "\(host.procfs)/net/snmp", byteCapacity: 8_192)
        netstat = OptionalFile(path: "\(host.procfs)/net/netstat", byteCapacity: 16_384)
        snmp6 = OptionalFile(path: "\(host.procfs)/net/snmp6", byteCapacity: 16_384)
        reading = ProtocolReading(isNarrow: host.facts.is32Bit)
        clock = host.clock
        for isTaken in [
            tcp.append(), udp.append(), udp6.append(), ip.append(), ip6.append(), icmp.append(), icmp6.append(),
        ] {
            precondition(isTaken)
        }
    }

    mutating func sample(_ context: SampleContext, into message: inout NetProtocolsMessage) throws(CollectError)
        -> Sample
    {
        let before = clock()
        reading.counters.removeAll()
        var isRead = snmp.read(clock) { snmpLines.parse($0, into: &reading.counters) }
        isRead = netstat.read(clock) { netstatLines.parse($0, into: &reading.counters) } || isRead
        isRead = snmp6.read(clock) { snmp6Lines.parse($0, into: &reading.counters) } || isRead
        guard isRead else { throw .nothingUsable }
        var sample = Sample(time: before.midpoint(to: clock()))
        sample.resetCount = reading.update(at: sample.time.monotonic, context)
        setGroups(&message)
        sample.intervalSeconds = reading.intervalSeconds
        sample.entryCount = 1
        sample.parseErrorCount = reading.counters.parseErrorCount
        return sample
    }

    private func setGroups(_ message: inout NetProtocolsMessage) {
        tcp.last.setGauges(reading)
        tcp.last.setRates(reading)
        tcp.last.setTotals(reading)
        udp.last.set(reading, .udp)
        udp6.last.set(reading, .udp6)
        ip.last.set(reading, .ip)
        ip6.last.set(reading, .ip6)
        icmp.last.set(reading, .icmp)
        icmp6.last.set(reading, .icmp6)
        message.setTcp(tcp)
        message.setUdp(udp)
        message.setUdp6(udp6)
        message.setIp(ip)
        message.setIp6(ip6)
        message.setIcmp(icmp)
        message.setIcmp6(icmp6)
    }
}

/// The counters of one sample, and how fast they grow.
struct ProtocolReading {
    var counters = ProtocolCounters()
    /// By slot; NaN: unknown.
    private var rates = [Double](
        repeating: .nan, count: ProtocolGroup.allCases.count * ProtocolCounters.groupSlotCount)
    /// A row for each counter, since each may be missing by itself.
    private var baselines = Baselines(columnCount: 1, rowCapacity: 80)
    private let isNarrow: Bool

    init(isNarrow: Bool) { self.isNarrow = isNarrow }

    var intervalSeconds: Double { baselines.intervalSeconds }

    /// Computes the rates; returns how many counters were reset.
    mutating func update(at time: Instant, _ context: SampleContext) -> Int {
        var resetCount = 0
        baselines.begin(at: time, context: context)
        for group in ProtocolGroup.allCases {
            for place in 0..<ProtocolCounters.groupSlotCount {
                let slot = group.rawValue * ProtocolCounters.groupSlotCount + place
                rates[slot] = .nan
                guard let counter = counters[slot], !Self.isGauge(slot) else { continue }
                let columns: [1 of UInt64] = [counter]
                let row = baselines.addCounters(
                    id: UInt64(slot), isNarrow: isNarrow && !group.isWide, columns.span)
                if row.wasReset { resetCount += 1 }
                rates[slot] = baselines.rate(row, column: 0)
            }
        }
        baselines.end()
        return resetCount
    }

    private static func isGauge(_ slot: Int) -> Bool {
        slot == ProtocolCounters.slot(.tcp, TCPCounter.established)
            || slot == ProtocolCounters.slot(.tcp, TCPCounter.establishedLimit)
    }

    func rate<Counter: RawRepresentable<Int>>(_ group: ProtocolGroup, _ counter: Counter) -> Double {
        rates[ProtocolCounters.slot(group, counter)]
    }

    func total<Counter: RawRepresentable<Int>>(_ group: ProtocolGroup, _ counter: Counter) -> UInt64 {
        counters[ProtocolCounters.slot(group, counter)] ?? 0
    }

    func gauge(_ counter: TCPCounter) -> Double {
        counters[ProtocolCounters.slot(.tcp, counter)].map { Double($0) } ?? .nan
    }
}

extension TcpCountersMessage {
    fileprivate mutating func setGauges(_ reading: borrowing ProtocolReading) {
        established = reading.gauge(.established)
        establishedLimit = reading.gauge(.establishedLimit)
        let again = reading.rate(.tcp, TCPCounter.retransmitted)
        retransmittedRatio = again / (again + reading.rate(.tcp, TCPCounter.segmentsOut))
    }
}

extension TcpCountersMessage {
    fileprivate mutating func setRates(_ reading: borrowing ProtocolReading) {
        activeOpensPerSecond = reading.rate(.tcp, TCPCounter.activeOpens)
        passiveOpensPerSecond = reading.rate(.tcp, TCPCounter.passiveOpens)
        attemptFailsPerSecond = reading.rate(.tcp, TCPCounter.attemptFails)
        establishedResetsPerSecond = reading.rate(.tcp, TCPCounter.establishedResets)
        segmentsInPerSecond = reading.rate(.tcp, TCPCounter.segmentsIn)
        segmentsOutPerSecond = reading.rate(.tcp, TCPCounter.segmentsOut)
        retransmittedPerSecond = reading.rate(.tcp, TCPCounter.retransmitted)
        inErrorsPerSecond = reading.rate(.tcp, TCPCounter.inErrors)
        outResetsPerSecond = reading.rate(.tcp, TCPCounter.outResets)
        checksumErrorsPerSecond = reading.rate(.tcp, TCPCounter.checksumErrors)
        synRetransmittedPerSecond = reading.rate(.tcp, TCPCounter.synRetransmitted)
        fastRetransmittedPerSecond = reading.rate(.tcp, TCPCounter.fastRetransmitted)
        timeoutsPerSecond = reading.rate(.tcp, TCPCounter.timeouts)
        listenOverflowsPerSecond = reading.rate(.tcp, TCPCounter.listenOverflows)
        listenDropsPerSecond = reading.rate(.tcp, TCPCounter.listenDrops)
        syncookiesSentPerSecond = reading.rate(.tcp, TCPCounter.syncookiesSent)
        syncookiesReceivedPerSecond = reading.rate(.tcp, TCPCounter.syncookiesReceived)
        syncookiesFailedPerSecond = reading.rate(.tcp, TCPCounter.syncookiesFailed)
        outOfOrderPerSecond = reading.rate(.tcp, TCPCounter.outOfOrder)
        receiveQueueDropsPerSecond = reading.rate(.tcp, TCPCounter.receiveQueueDrops)
        backlogDropsPerSecond = reading.rate(.tcp, TCPCounter.backlogDrops)
        memoryPressuresPerSecond = reading.rate(.tcp, TCPCounter.memoryPressures)
    }

    fileprivate mutating func setTotals(_ reading: borrowing ProtocolReading) {
        activeOpensTotal = reading.total(.tcp, TCPCounter.activeOpens)
        passiveOpensTotal = reading.total(.tcp, TCPCounter.passiveOpens)
        attemptFailsTotal = reading.total(.tcp, TCPCounter.attemptFails)
        establishedResetsTotal = reading.total(.tcp, TCPCounter.establishedResets)
        segmentsInTotal = reading.total(.tcp, TCPCounter.segmentsIn)
        segmentsOutTotal = reading.total(.tcp, TCPCounter.segmentsOut)
        retransmittedTotal = reading.total(.tcp, TCPCounter.retransmitted)
        inErrorsTotal = reading.total(.tcp, TCPCounter.inErrors)
        outResetsTotal = reading.total(.tcp, TCPCounter.outResets)
        checksumErrorsTotal = reading.total(.tcp, TCPCounter.checksumErrors)
        synRetransmittedTotal = reading.total(.tcp, TCPCounter.synRetransmitted)
        fastRetransmittedTotal = reading.total(.tcp, TCPCounter.fastRetransmitted)
        timeoutsTotal = reading.total(.tcp, TCPCounter.timeouts)
        listenOverflowsTotal = reading.total(.tcp, TCPCounter.listenOverflows)
        listenDropsTotal = reading.total(.tcp, TCPCounter.listenDrops)
        syncookiesSentTotal = reading.total(.tcp, TCPCounter.syncookiesSent)
        syncookiesReceivedTotal = reading.total(.tcp, TCPCounter.syncookiesReceived)
        syncookiesFailedTotal = reading.total(.tcp, TCPCounter.syncookiesFailed)
        outOfOrderTotal = reading.total(.tcp, TCPCounter.outOfOrder)
        receiveQueueDropsTotal = reading.total(.tcp, TCPCounter.receiveQueueDrops)
        backlogDropsTotal = reading.total(.tcp, TCPCounter.backlogDrops)
        memoryPressuresTotal = reading.total(.tcp, TCPCounter.memoryPressures)
    }
}

extension UdpCountersMessage {
    fileprivate mutating func set(_ reading: borrowing ProtocolReading, _ group: ProtocolGroup) {
        setRates(reading, group)
        setTotals(reading, group)
    }

    private mutating func setRates(_ reading: borrowing ProtocolReading, _ group: ProtocolGroup) {
        datagramsInPerSecond = reading.rate(group, UDPCounter.datagramsIn)
        datagramsOutPerSecond = reading.rate(group, UDPCounter.datagramsOut)
        noPortsPerSecond = reading.rate(group, UDPCounter.noPorts)
        inErrorsPerSecond = reading.rate(group, UDPCounter.inErrors)
        receiveBufferErrorsPerSecond = reading.rate(group, UDPCounter.receiveBufferErrors)
        sendBufferErrorsPerSecond = reading.rate(group, UDPCounter.sendBufferErrors)
        checksumErrorsPerSecond = reading.rate(group, UDPCounter.checksumErrors)
    }

    private mutating func setTotals(_ reading: borrowing ProtocolReading, _ group: ProtocolGroup) {
        datagramsInTotal = reading.total(group, UDPCounter.datagramsIn)
        datagramsOutTotal = reading.total(group, UDPCounter.datagramsOut)
        noPortsTotal = reading.total(group, UDPCounter.noPorts)
        inErrorsTotal = reading.total(group, UDPCounter.inErrors)
        receiveBufferErrorsTotal = reading.total(group, UDPCounter.receiveBufferErrors)
        sendBufferErrorsTotal = reading.total(group, UDPCounter.sendBufferErrors)
        checksumErrorsTotal = reading.total(group, UDPCounter.checksumErrors)
    }
}

extension IpCountersMessage {
    fileprivate mutating func set(_ reading: borrowing ProtocolReading, _ group: ProtocolGroup) {
        setRates(reading, group)
        setTotals(reading, group)
    }

    private mutating func setRates(_ reading: borrowing ProtocolReading, _ group: ProtocolGroup) {
        packetsInPerSecond = reading.rate(group, IPCounter.packetsIn)
        packetsOutPerSecond = reading.rate(group, IPCounter.packetsOut)
        forwardedPerSecond = reading.rate(group, IPCounter.forwarded)
        bytesInPerSecond = reading.rate(group, IPCounter.bytesIn)
        bytesOutPerSecond = reading.rate(group, IPCounter.bytesOut)
        headerErrorsPerSecond = reading.rate(group, IPCounter.headerErrors)
        addressErrorsPerSecond = reading.rate(group, IPCounter.addressErrors)
        inDiscardsPerSecond = reading.rate(group, IPCounter.inDiscards)
        outDiscardsPerSecond = reading.rate(group, IPCounter.outDiscards)
        noRoutesPerSecond = reading.rate(group, IPCounter.noRoutes)
        reassemblyFailsPerSecond = reading.rate(group, IPCounter.reassemblyFails)
        fragmentationFailsPerSecond = reading.rate(group, IPCounter.fragmentationFails)
    }

    private mutating func setTotals(_ reading: borrowing ProtocolReading, _ group: ProtocolGroup) {
        packetsInTotal = reading.total(group, IPCounter.packetsIn)
        packetsOutTotal = reading.total(group, IPCounter.packetsOut)
        forwardedTotal = reading.total(group, IPCounter.forwarded)
        bytesInTotal = reading.total(group, IPCounter.bytesIn)
        bytesOutTotal = reading.total(group, IPCounter.bytesOut)
        headerErrorsTotal = reading.total(group, IPCounter.headerErrors)
        addressErrorsTotal = reading.total(group, IPCounter.addressErrors)
        inDiscardsTotal = reading.total(group, IPCounter.inDiscards)
        outDiscardsTotal = reading.total(group, IPCounter.outDiscards)
        noRoutesTotal = reading.total(group, IPCounter.noRoutes)
        reassemblyFailsTotal = reading.total(group, IPCounter.reassemblyFails)
        fragmentationFailsTotal = reading.total(group, IPCounter.fragmentationFails)
    }
}

extension IcmpCountersMessage {
    fileprivate mutating func set(_ reading: borrowing ProtocolReading, _ group: ProtocolGroup) {
        setRates(reading, group)
        setTotals(reading, group)
    }

    private mutating func setRates(_ reading: borrowing ProtocolReading, _ group: ProtocolGroup) {
        messagesInPerSecond = reading.rate(group, ICMPCounter.messagesIn)
        messagesOutPerSecond = reading.rate(group, ICMPCounter.messagesOut)
        inErrorsPerSecond = reading.rate(group, ICMPCounter.inErrors)
        outErrorsPerSecond = reading.rate(group, ICMPCounter.outErrors)
        unreachableInPerSecond = reading.rate(group, ICMPCounter.unreachableIn)
    }

    private mutating func setTotals(_ reading: borrowing ProtocolReading, _ group: ProtocolGroup) {
        messagesInTotal = reading.total(group, ICMPCounter.messagesIn)
        messagesOutTotal = reading.total(group, ICMPCounter.messagesOut)
        inErrorsTotal = reading.total(group, ICMPCounter.inErrors)
        outErrorsTotal = reading.total(group, ICMPCounter.outErrors)
        unreachableInTotal = reading.total(group, ICMPCounter.unreachableIn)
    }
}
