extension MetricTable {
    static let protocols: [MetricFamily] = netstat + sockets

    private static let netstat: [MetricFamily] =
        netstat(
            "tcp", "Tcp",
            [
                "ActiveOpens": "active_opens", "PassiveOpens": "passive_opens", "AttemptFails": "attempt_fails",
                "EstabResets": "established_resets", "InSegs": "segments_in", "OutSegs": "segments_out",
                "RetransSegs": "retransmitted", "InErrs": "in_errors", "OutRsts": "out_resets",
                "InCsumErrors": "checksum_errors",
            ])
        + [
            Entries("/net/protocols", "tcp").unknown(
                "node_netstat_Tcp_CurrEstab", "established", "CurrEstab of Tcp in /proc/net: connections now open.")
        ]
        + netstat(
            "tcp", "TcpExt",
            [
                "TCPSynRetrans": "syn_retransmitted", "TCPFastRetrans": "fast_retransmitted",
                "TCPTimeouts": "timeouts", "ListenOverflows": "listen_overflows", "ListenDrops": "listen_drops",
                "SyncookiesSent": "syncookies_sent", "SyncookiesRecv": "syncookies_received",
                "SyncookiesFailed": "syncookies_failed", "TCPOFOQueue": "out_of_order",
                "TCPRcvQDrop": "receive_queue_drops", "TCPBacklogDrop": "backlog_drops",
                "TCPMemoryPressures": "memory_pressures",
            ])
        + netstat("udp", "Udp", datagrams) + netstat("udp6", "Udp6", datagrams)
        + netstat("ip", "Ip", packets) + netstat("ip", "IpExt", octets)
        + netstat("ip6", "Ip6", packets) + netstat("ip6", "Ip6", octets)
        + netstat("icmp", "Icmp", messages) + netstat("icmp6", "Icmp6", messages)

    private static let datagrams: KeyValuePairs = [
        "InDatagrams": "datagrams_in", "OutDatagrams": "datagrams_out", "NoPorts": "no_ports", "InErrors": "in_errors",
        "RcvbufErrors": "receive_buffer_errors", "SndbufErrors": "send_buffer_errors",
        "InCsumErrors": "checksum_errors",
    ]

    private static let packets: KeyValuePairs = [
        "InReceives": "packets_in", "OutRequests": "packets_out", "InHdrErrors": "header_errors",
        "InAddrErrors": "address_errors", "InDiscards": "in_discards", "OutDiscards": "out_discards",
        "OutNoRoutes": "no_routes", "ReasmFails": "reassembly_fails", "FragFails": "fragmentation_fails",
    ]

    private static let octets: KeyValuePairs = ["InOctets": "bytes_in", "OutOctets": "bytes_out"]

    private static let messages: KeyValuePairs = [
        "InMsgs": "messages_in", "OutMsgs": "messages_out", "InErrors": "in_errors", "OutErrors": "out_errors",
        "InDestUnreachs": "unreachable_in",
    ]

    /// Counters of one line, by the kernel's names: fields without their `_total`.
    private static func netstat(
        _ message: String, _ line: String, _ fields: KeyValuePairs<String, String>
    ) -> [MetricFamily] {
        let entries = Entries("/net/protocols", message)
        return fields.map {
            entries.unknown("node_netstat_\(line)_\($0.key)", "\($0.value)_total", "\($0.key) of \(line) in /proc/net.")
        }
    }

    private static let sockets: [MetricFamily] = {
        let sockets = Entries("/net/sockets")
        let numbers: KeyValuePairs<String, MetricFamily.Number> = [
            "sockets_used": .field("used"), "TCP_inuse": .field("tcp_in_use"), "TCP_orphan": .field("tcp_orphan"),
            "TCP_tw": .field("tcp_time_wait"), "TCP_alloc": .field("tcp_allocated"),
            "TCP_mem": .pages("tcp_memory_bytes"), "TCP_mem_bytes": .field("tcp_memory_bytes"),
            "UDP_inuse": .field("udp_in_use"), "UDP_mem": .pages("udp_memory_bytes"),
            "UDP_mem_bytes": .field("udp_memory_bytes"), "UDPLITE_inuse": .field("udp_lite_in_use"),
            "RAW_inuse": .field("raw_in_use"), "FRAG_inuse": .field("fragments_in_use"),
            "FRAG_memory": .field("fragments_memory_bytes"), "TCP6_inuse": .field("tcp6_in_use"),
            "UDP6_inuse": .field("udp6_in_use"), "UDPLITE6_inuse": .field("udp_lite6_in_use"),
            "RAW6_inuse": .field("raw6_in_use"), "FRAG6_inuse": .field("fragments6_in_use"),
            "FRAG6_memory": .field("fragments6_memory_bytes"),
        ]
        return numbers.map {
            let words = $0.key.split(separator: "_").joined(separator: " ")
            return sockets.gauge("node_sockstat_\($0.key)", $0.value, "Sockets of /proc/net/sockstat: \(words).")
        }
    }()
}
