/// Every metric that `/metrics` has, in the order of the text.
///
/// Names and labels are those of node_exporter wherever the meaning is the same, so that its dashboards and alerts
/// work; what only this agent has begins with `sysmon_`. Rates and shares are left out: Prometheus makes its own.
package enum MetricTable {
    package static let families: [MetricFamily] =
        cpu + kernel + memory + pressure + disks + storage + network + protocols + hardware + gpus + programs + host
        + agent + scrape

    /// What the scrape tells of itself; it is written beside the samples.
    static let scrape: [MetricFamily] = [
        scrape("sysmon_scrape_collector_success", .gauge, "Whether the channel's sample came in time: 1, else 0."),
        scrape("sysmon_scrape_collector_duration_seconds", .gauge, "How long the channel's sample took."),
        scrape("sysmon_scrape_duration_seconds", .gauge, "How long all samples took."),
        scrape("sysmon_scrape_series_left_out", .gauge, "Series that the text had no more room for."),
    ]

    private static func scrape(_ name: String, _ kind: MetricFamily.Kind, _ help: String) -> MetricFamily {
        MetricFamily(name: name, kind: kind, help: help, topic: "")
    }
}
