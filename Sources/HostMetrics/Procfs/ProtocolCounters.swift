/// The numbers that are used of line Tcp of /proc/net/snmp and line TcpExt of /proc/net/netstat.
package enum TCPCounter: Int, CaseIterable, Sendable {
    case established, establishedLimit
    case activeOpens, passiveOpens, attemptFails, establishedResets, segmentsIn, segmentsOut, retransmitted, inErrors
    case outResets, checksumErrors, synRetransmitted, fastRetransmitted, timeouts, listenOverflows, listenDrops
    case syncookiesSent, syncookiesReceived, syncookiesFailed, outOfOrder, receiveQueueDrops, backlogDrops
    case memoryPressures

    package static let keys: [StaticString] = [
        "TcpCurrEstab", "TcpMaxConn", "TcpActiveOpens", "TcpPassiveOpens", "TcpAttemptFails", "TcpEstabResets",
        "TcpInSegs", "TcpOutSegs", "TcpRetransSegs", "TcpInErrs", "TcpOutRsts", "TcpInCsumErrors",
        "TcpExtTCPSynRetrans", "TcpExtTCPFastRetrans", "TcpExtTCPTimeouts", "TcpExtListenOverflows",
        "TcpExtListenDrops", "TcpExtSyncookiesSent", "TcpExtSyncookiesRecv", "TcpExtSyncookiesFailed",
        "TcpExtTCPOFOQueue", "TcpExtTCPRcvQDrop", "TcpExtTCPBacklogDrop", "TcpExtTCPMemoryPressures",
    ]
}

/// Of line Udp, and of the lines of /proc/net/snmp6 that begin with Udp6.
package enum UDPCounter: Int, CaseIterable, Sendable {
    case datagramsIn, datagramsOut, noPorts, inErrors, receiveBufferErrors, sendBufferErrors, checksumErrors

    package static let keys: [StaticString] = [
        "UdpInDatagrams", "UdpOutDatagrams", "UdpNoPorts", "UdpInErrors", "UdpRcvbufErrors", "UdpSndbufErrors",
        "UdpInCsumErrors",
    ]
    package static let keys6: [StaticString] = [
        "Udp6InDatagrams", "Udp6OutDatagrams", "Udp6NoPorts", "Udp6InErrors", "Udp6RcvbufErrors", "Udp6SndbufErrors",
        "Udp6InCsumErrors",
    ]
}

/// Of lines Ip and IpExt, and of the lines of /proc/net/snmp6 that begin with Ip6.
package enum IPCounter: Int, CaseIterable, Sendable {
    case packetsIn, packetsOut, forwarded, bytesIn, bytesOut, headerErrors, addressErrors, inDiscards, outDiscards
    case noRoutes, reassemblyFails, fragmentationFails

    package static let keys: [StaticString] = [
        "IpInReceives", "IpOutRequests", "IpForwDatagrams", "IpExtInOctets", "IpExtOutOctets", "IpInHdrErrors",
        "IpInAddrErrors", "IpInDiscards", "IpOutDiscards", "IpOutNoRoutes", "IpReasmFails", "IpFragFails",
    ]
    package static let keys6: [StaticString] = [
        "Ip6InReceives", "Ip6OutRequests", "Ip6OutForwDatagrams", "Ip6InOctets", "Ip6OutOctets", "Ip6InHdrErrors",
        "Ip6InAddrErrors", "Ip6InDiscards", "Ip6OutDiscards", "Ip6OutNoRoutes", "Ip6ReasmFails", "Ip6FragFails",
    ]
}

/// Of line Icmp, and of the lines of /proc/net/snmp6 that begin with Icmp6.
package enum ICMPCounter: Int, CaseIterable, Sendable {
    case messagesIn, messagesOut, inErrors, outErrors, unreachableIn

    package static let keys: [StaticString] = [
        "IcmpInMsgs", "IcmpOutMsgs", "IcmpInErrors", "IcmpOutErrors", "IcmpInDestUnreachs",
    ]
    package static let keys6: [StaticString] = [
        "Icmp6InMsgs", "Icmp6OutMsgs", "Icmp6InErrors", "Icmp6OutErrors", "Icmp6InDestUnreachs",
    ]
}

/// A sub-message of `/net/protocols`, and the counters that fill it.
package enum ProtocolGroup: Int, CaseIterable, Sendable {
    case tcp, udp, udp6, ip, ip6, icmp, icmp6

    /// A key is the name of the line, without its colon, and that of the column; in snmp6 both are one already.
    package var keys: [StaticString] {
        switch self {
        case .tcp: TCPCounter.keys
        case .udp: UDPCounter.keys
        case .udp6: UDPCounter.keys6
        case .ip: IPCounter.keys
        case .ip6: IPCounter.keys6
        case .icmp: ICMPCounter.keys
        case .icmp6: ICMPCounter.keys6
        }
    }

    /// The kernel counts IP in 64 bits everywhere, all else in words of the machine.
    var isWide: Bool { self == .ip || self == .ip6 }
}

/// The numbers of all groups, as far as the kernel told them.
package struct ProtocolCounters: Sendable {
    /// Slots of one group; none has more counters.
    package static let groupSlotCount = 32
    private static let slotCount = ProtocolGroup.allCases.count * groupSlotCount

    private var values: [UInt64]
    private var isKnown: [Bool]
    package private(set) var parseErrorCount = 0

    package init() {
        values = Array(repeating: 0, count: Self.slotCount)
        isKnown = Array(repeating: false, count: Self.slotCount)
    }

    package static func slot<Counter: RawRepresentable<Int>>(_ group: ProtocolGroup, _ counter: Counter) -> Int {
        group.rawValue * groupSlotCount + counter.rawValue
    }

    /// The slot that a key is for; nil: it is not used.
    static func slot(key: Span<UInt8>) -> Int? {
        for group in ProtocolGroup.allCases {
            for (place, candidate) in group.keys.enumerated() where key.equals(candidate) {
                return group.rawValue * groupSlotCount + place
            }
        }
        return nil
    }

    /// nil: not told.
    package subscript(slot: Int) -> UInt64? { isKnown[slot] ? values[slot] : nil }

    package mutating func removeAll() {
        for slot in isKnown.indices { isKnown[slot] = false }
        parseErrorCount = 0
    }

    mutating func countParseError() { parseErrorCount += 1 }

    /// Takes the next number of a line; the first of a name counts. Returns false where the line ends.
    mutating func take(_ slot: Int, from cursor: inout ByteCursor) -> Bool {
        cursor.skipBlanks()
        if cursor.next == UInt8(ascii: "-"), slot == Self.slot(.tcp, TCPCounter.establishedLimit) {
            // -1: no limit.
            cursor.skipToken()
            return true
        }
        switch cursor.unsigned() {
        case .value(let value):
            if !isKnown[slot] {
                values[slot] = value
                isKnown[slot] = true
            }
            return true
        case .invalid:
            parseErrorCount += 1
            return true
        case .missing:
            parseErrorCount += 1
            return false
        }
    }
}
