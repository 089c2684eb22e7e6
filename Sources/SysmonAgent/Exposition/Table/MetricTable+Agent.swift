extension MetricTable {
    static let agent: [MetricFamily] = process + clients + collectors + limits

    private static let process: [MetricFamily] = {
        let process = Entries("/agent")
        return [
            Entries("/system/info", labels: [.init("version", "agent_version")]).info(
                "sysmon_build_info", "Version of the agent."),
            process.counter("process_cpu_seconds_total", "cpu_seconds_total", "CPU time of the agent."),
            process.gauge("process_resident_memory_bytes", "resident_bytes", "Memory of the agent."),
            process.gauge("process_virtual_memory_bytes", "virtual_bytes", "Virtual memory of the agent."),
            process.gauge("process_open_fds", "open_fds", "Open files of the agent."),
            process.gauge("process_max_fds", "max_fds", "How many it may open."),
        ]
    }()

    private static let clients: [MetricFamily] = {
        let server = Entries("/agent")
        return [
            server.gauge("sysmon_clients", "clients", "Connected clients."),
            server.gauge("sysmon_subscriptions", "subscriptions", "Subscriptions of all clients."),
            server.counter("sysmon_messages_sent_total", "messages_sent_total", "Messages handed to sockets."),
            server.counter("sysmon_sent_bytes_total", "sent_bytes_total", "Bytes handed to sockets."),
            server.gauge("sysmon_send_queue_bytes", "send_queue_bytes", "Bytes that wait for slow clients."),
        ]
    }()

    /// Of samples that were published; those of scrapes are not among them.
    private static let collectors: [MetricFamily] = {
        let collectors = Entries("/agent", "collectors", labels: [.init("topic", "id")])
        return [
            collectors.counter("sysmon_samples_total", "samples_total", "Samples published."),
            collectors.counter("sysmon_sample_overruns_total", "overruns_total", "Points of the grid missed."),
            collectors.counter("sysmon_sample_errors_total", "errors_total", "Samples that failed."),
            collectors.counter("sysmon_parse_errors_total", "parse_errors_total", "Malformed tokens and lines."),
            collectors.counter(
                "sysmon_messages_dropped_total", "messages_dropped_total", "Messages that slow clients missed."),
            collectors.gauge("sysmon_sample_duration_seconds", "read_seconds", "Duration of the last sample."),
            collectors.gauge(
                "sysmon_sample_stuck_seconds", "stuck_seconds", "Age of a sample that does not come back; 0: none."),
            collectors.gauge(
                "sysmon_entries_suppressed", "entries_suppressed", "Entries left out of the last message by a cap."),
        ]
    }()

    private static let limits: [MetricFamily] = {
        let limits = Entries("/agent", "limits", labels: [.init("limit", "id")])
        return [
            limits.counter(
                "sysmon_limit_reached_total", "reached_total", "Refusals, closes and drops because of a bound.")
        ]
    }()
}
