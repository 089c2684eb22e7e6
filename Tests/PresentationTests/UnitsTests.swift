import Testing

@testable import Presentation

@Suite struct UnitsTests {
    static let written: [(String, Double, String, String)] = [
        ("usage_ratio", 0.123_4, "usage", "12.3 %"), ("usage_ratio", .nan, "usage", "-"),
        ("total_bytes", 0, "total", "0 B"), ("total_bytes", 1_023, "total", "1023 B"),
        ("total_bytes", 1_024, "total", "1.00 KiB"), ("total_bytes", 25_200_000_000, "total", "23.5 GiB"),
        ("total_bytes", 104_857_600, "total", "100 MiB"), ("total_bytes", 1_023.6 * 1_024, "total", "1.00 MiB"),
        ("rx_bytes_per_second", 999, "rx", "999 B/s"), ("rx_bytes_per_second", 999.7, "rx", "1.00 kB/s"),
        ("rx_bytes_per_second", 12_345_678, "rx", "12.3 MB/s"),
        ("speed_bits_per_second", 1e9, "speed", "1.00 Gbit/s"),
        ("reads_per_second", 0.26, "reads", "0.3 /s"), ("current_hertz", 2.4e9, "current", "2.40 GHz"),
        ("celsius", 45, "celsius", "45.0 °C"), ("critical_celsius", -3.25, "critical", "-3.3 °C"),
        ("scan_seconds", 0, "scan", "0 s"), ("scan_seconds", 0.000_012, "scan", "12 µs"),
        ("scan_seconds", 0.004_56, "scan", "4.6 ms"), ("scan_seconds", 0.999_6, "scan", "1.0 s"),
        ("uptime_seconds", 59.96, "uptime", "0 min 59 s"), ("uptime_seconds", 3_599, "uptime", "59 min 59 s"),
        ("uptime_seconds", 3_600, "uptime", "1 h 0 min"), ("uptime_seconds", 273_700, "uptime", "3 d 4 h"),
        ("seconds_to_full", 90, "seconds to full", "90"), ("load1", 0.77, "load1", "0.77"),
        ("pid_max", 4e6, "pid max", "4000000"),
        ("rpm", 1_200, "rpm", "1200 rpm"), ("min_volts", 0.95, "min", "0.95 V"),
        ("joules_total", 7, "joules total", "7 J"),
        ("boot_time_seconds", 1_709_164_800, "boot time", "2024-02-29 00:00:00"),
        ("start_time_seconds", 946_684_799, "start time", "1999-12-31 23:59:59"),
        ("start_time_seconds", 4_107_542_400, "start time", "2100-03-01 00:00:00"),
        ("boot_time_seconds", -1, "boot time", "-"),
    ]

    @Test(arguments: written)
    func valuesHaveTheUnitOfTheirName(field: String, number: Double, label: String, text: String) {
        let (unit, found) = Unit.of(field)
        #expect(found == label)
        #expect(unit.text(number) == text)
    }

    @Test(arguments: [1e300, -1e300, .infinity, -.infinity, .nan, 1e-300, 1e18, -1e18])
    func noNumberTraps(number: Double) {
        for field in ["a_ratio", "bytes", "bits_per_second", "celsius", "seconds", "boot_time_seconds", "watts", "x"] {
            #expect(!Unit.of(field).unit.text(number).isEmpty)
        }
    }

    @Test func labelsOfOneMessageDiffer() {
        #expect(
            Unit.labels(of: ["used_bytes", "used_ratio", "free_bytes"]) == ["used", "used ratio", "free"])
    }

    @Test func whatWouldMoveTheCursorIsNotShown() {
        #expect(printable("a\u{1B}[2J\u{7}b\u{202E}c\r\nd é") == "a?[2J?b?c??d é")
    }
}
