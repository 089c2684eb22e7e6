import HostMetrics
import Telemetry
import Testing

struct NetSocketsTests {
    private static let text = """
        sockets: used 285
        TCP: inuse 4 orphan 1 tw 3 alloc 7 mem 200
        UDP: inuse 3 mem 2
        UDPLITE: inuse 0
        RAW: inuse 1
        FRAG: inuse 2 memory 960

        """
    private static let text6 =
        "TCP6: inuse 5\nUDP6: inuse 6\nUDPLITE6: inuse 0\nRAW6: inuse 1\nFRAG6: inuse 2 memory 8\n"

    @Test func pagesBecomeBytes() throws {
        let source = try CollectorUnderTest(
            "/net/sockets", files: ["proc/net/sockstat": Self.text, "proc/net/sockstat6": Self.text6],
            pageSizeBytes: 65_536)
        let (sample, message) = try source.sample()
        #expect(sample.parseErrorCount == 0)
        let expected = [
            "used": 285, "tcp_in_use": 4, "tcp_orphan": 1, "tcp_time_wait": 3, "tcp_allocated": 7,
            "tcp_memory_bytes": 13_107_200, "udp_in_use": 3, "udp_memory_bytes": 131_072, "udp_lite_in_use": 0,
            "raw_in_use": 1, "fragments_in_use": 2, "fragments_memory_bytes": 960, "tcp6_in_use": 5,
            "udp6_in_use": 6, "udp_lite6_in_use": 0, "raw6_in_use": 1, "fragments6_in_use": 2,
            "fragments6_memory_bytes": 8,
        ]
        for (field, value) in expected { #expect(message[field]?.number == Double(value), "\(field)") }
    }

    @Test func whatTheKernelDoesNotTellIsUnknown() throws {
        let source = try CollectorUnderTest(
            "/net/sockets", files: ["proc/net/sockstat": "sockets: used x\nTCP: inuse 4 new 5 mem\nNEW: inuse 3\nUDP\n"]
        )
        let (sample, message) = try source.sample()
        #expect(sample.parseErrorCount == 2 && message["tcp_in_use"]?.number == 4)
        for field in ["used", "tcp_memory_bytes", "udp_in_use", "tcp6_in_use"] { #expect(message.isNaN(field)) }
        try source.root.write(Self.text, to: "proc/net/sockstat")
        try source.root.write(Self.text6, to: "proc/net/sockstat6")
        #expect(try source.sample(after: 10).message["tcp6_in_use"]?.number == 5)
        try source.root.write("", to: "proc/net/sockstat")
        #expect(throws: CollectError.nothingUsable) { try source.sample(after: 1) }
    }

    @Test func theFirstOfANameCounts() {
        var statistics = SocketStatistics()
        statistics.parse(Array("TCP: inuse 1 inuse 2\nTCP: inuse 3\n".utf8).span)
        #expect(statistics[.tcpInUse] == 1 && statistics[.rawInUse].isNaN)
        statistics.removeAll()
        #expect(statistics[.tcpInUse].isNaN)
    }
}
