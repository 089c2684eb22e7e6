import HostMetrics
import Testing

struct FastTests {
    private let host: CollectorUnderTest

    init() throws {
        host = try CollectorUnderTest("/fast")
        try host.write("Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n", to: "proc/net/route")
        try write(usage: 5_000_000, stall: 700_000)
    }

    private func write(usage: Int, stall: Int) throws {
        try host.write("usage_usec \(usage)\nuser_usec 1\n", to: "sys/fs/cgroup/cpu.stat")
        try host.write("some avg10=0.00 avg60=0.00 avg300=0.00 total=\(stall)\n", to: "proc/pressure/cpu")
    }

    private func write(route: String, received: Int, sent: Int) throws {
        try host.write(
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
                + "\(route)\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\n", to: "proc/net/route")
        try host.write("\(received)\n", to: "sys/class/net/\(route)/statistics/rx_bytes")
        try host.write("\(sent)\n", to: "sys/class/net/\(route)/statistics/tx_bytes")
    }

    private static let rates = ["busy_cores", "cpu_stall_ratio", "rx_bytes_per_second", "tx_bytes_per_second"]

    @Test func nothingIsKnownAtFirst() throws {
        try write(route: "eth0", received: 1_000, sent: 2_000)
        let (sample, message) = try host.sample()
        for field in Self.rates { #expect(message[field]?.isNaN == true, "\(field)") }
        #expect(sample.notes == [Note(.info, "bytes are those of eth0, the default route")])
    }

    @Test func ratesAreThoseOfTheSpan() throws {
        try write(route: "eth0", received: 1_000, sent: 2_000)
        try host.sample()
        try write(usage: 5_030_000, stall: 705_000)
        try write(route: "eth0", received: 1_500, sent: 2_100)
        let (sample, message) = try host.sample(after: 0.02)
        // 30 ms of 20 ms, and 5 ms of 20 ms.
        #expect(message["busy_cores"]?.number == 1.5 && message["cpu_stall_ratio"]?.number == 0.25)
        #expect(message["rx_bytes_per_second"]?.number == 25_000 && message["tx_bytes_per_second"]?.number == 5_000)
        #expect(sample.intervalSeconds == 0.02 && sample.notes.isEmpty)
    }

    @Test func aShareIsNeverMoreThanAll() throws {
        try host.sample()
        try write(usage: 5_000_000, stall: 721_000)
        #expect(try host.sample(after: 0.02).1["cpu_stall_ratio"]?.number == 1)
    }

    @Test func whatIsMissingIsUnknown() throws {
        for file in ["sys/fs/cgroup/cpu.stat", "proc/pressure/cpu"] { try host.remove(file) }
        try host.sample()
        let message = try host.sample(after: 0.02).1
        for field in Self.rates { #expect(message[field]?.isNaN == true, "\(field)") }
    }

    @Test func theInterfaceThatTakesOverIsNoRate() throws {
        try write(route: "eth0", received: 1_000, sent: 2_000)
        try host.sample()
        // As the files of a device that is gone, it tells nothing.
        try write(route: "eth0", received: 1_000, sent: 2_000)
        try host.write("", to: "sys/class/net/eth0/statistics/rx_bytes")
        #expect(try host.sample(after: 2).1["rx_bytes_per_second"]?.isNaN == true)
        try write(route: "wlan0", received: 9_000_000_000, sent: 5)
        let (sample, message) = try host.sample(after: 2)
        #expect(message["rx_bytes_per_second"]?.isNaN == true && message["tx_bytes_per_second"]?.isNaN == true)
        #expect(sample.notes.count == 1 && sample.resetCount == 0)
        try write(route: "wlan0", received: 9_000_000_100, sent: 5)
        #expect(try host.sample(after: 0.02).1["rx_bytes_per_second"]?.number == 5_000)
    }
}
