import SysmonAgent
import Testing

/// Whole texts, as both formats want them.
struct ExpositionTests {
    private static let families = [
        MetricFamily(name: "a_total", kind: .counter, help: "A.", topic: "/x"),
        MetricFamily(name: "b_bytes", kind: .gauge, help: "B.", topic: "/x"),
        MetricFamily(name: "c_info", kind: .info, help: "C.", topic: "/x"),
        MetricFamily(name: "d_Raw", kind: .unknown, help: "D.", topic: "/x"),
        MetricFamily(name: "left_out", kind: .gauge, help: "Own.", topic: ""),
    ]

    private func lines(_ text: String) -> FamilyLines {
        var lines = FamilyLines()
        lines.bytes = Array(text.utf8)
        lines.seriesCount = lines.bytes.count { $0 == UInt8(ascii: "\n") }
        return lines
    }

    private func text(_ format: ExpositionFormat, _ samples: [Int: FamilyLines], byteCountMax: Int = 1 << 20) -> String
    {
        let writer = ExpositionWriter(Self.families, byteCountMax: byteCountMax)
        let exposition = writer.text(format, samples) { [4: lines("left_out \($0)\n")] }
        #expect(exposition.contentType == format.contentType)
        return String(decoding: exposition.body, as: UTF8.self)
    }

    private var samples: [Int: FamilyLines] {
        [0: lines("a_total{x=\"1\"} 5\n"), 1: FamilyLines(), 2: lines("c_info{v=\"2\"} 1\n"), 3: lines("d_Raw 7\n")]
    }

    @Test func prometheusText() {
        #expect(
            text(.text, samples) == """
                # HELP a_total A.
                # TYPE a_total counter
                a_total{x="1"} 5
                # HELP c_info C.
                # TYPE c_info gauge
                c_info{v="2"} 1
                # HELP d_Raw D.
                # TYPE d_Raw untyped
                d_Raw 7
                # HELP left_out Own.
                # TYPE left_out gauge
                left_out 0

                """)
    }

    @Test func openMetrics() {
        #expect(
            text(.openMetrics, samples) == """
                # HELP a A.
                # TYPE a counter
                a_total{x="1"} 5
                # HELP c C.
                # TYPE c info
                c_info{v="2"} 1
                # HELP d_Raw D.
                # TYPE d_Raw unknown
                d_Raw 7
                # HELP left_out Own.
                # TYPE left_out gauge
                left_out 0
                # EOF

                """)
    }

    @Test func whatDoesNotFitIsLeftOutAndCounted() {
        let both = [1: lines("b_bytes{x=\"1\"} 1\nb_bytes{x=\"2\"} 2\n"), 3: lines("d_Raw 7\n")]
        let head = "# HELP b_bytes B.\n# TYPE b_bytes gauge\n"
        let byteCount = head.utf8.count + (both[1]?.bytes.count ?? 0)
        let atTheBound = text(.text, both, byteCountMax: ExpositionWriter.ownByteCount + byteCount)
        #expect(atTheBound.hasPrefix(head + "b_bytes{x=\"1\"} 1\n"))
        #expect(!atTheBound.contains("d_Raw"))
        #expect(atTheBound.contains("left_out 1\n"))
        // What is smaller still fits.
        let pastIt = text(.text, both, byteCountMax: ExpositionWriter.ownByteCount + byteCount - 1)
        #expect(!pastIt.contains("b_bytes"))
        #expect(pastIt.contains("d_Raw 7\n"))
        #expect(pastIt.contains("left_out 2\n"))
    }

    @Test(arguments: [
        ("", ExpositionFormat.text), ("*/*", .text), ("text/html,application/xhtml+xml,*/*;q=0.8", .text),
        ("text/plain", .text), ("text/plain;version=0.0.4", .text), ("application/*", .text),
        ("application/openmetrics-text", .openMetrics),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", .openMetrics),
        ("Application/OpenMetrics-Text ;Version=1.0.0", .openMetrics),
        // Not a version that there is here.
        ("application/openmetrics-text;version=0.0.1", .text),
        // What Prometheus 2 and 3 send.
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", .openMetrics
        ),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            .openMetrics
        ),
        ("application/openmetrics-text;q=0.5, text/plain;q=0.5", .openMetrics),
        ("application/openmetrics-text;q=0.5, text/plain", .text),
        ("application/openmetrics-text;q=0.5, */*;q=0.6", .text),
        ("application/openmetrics-text;q=0, */*;q=0", .text), ("application/openmetrics-text;q=0", .text),
        ("application/openmetrics-text;q=2", .text), ("application/openmetrics-text;q=nan", .text),
        (";q=1,,;;=,application/openmetrics-text;q", .openMetrics), (String(repeating: ",;=", count: 3_000), .text),
    ])
    func theFormatIsWhatIsLikedBest(accept: String, format: ExpositionFormat) {
        #expect(ExpositionFormat(accept: accept) == format)
    }
}
