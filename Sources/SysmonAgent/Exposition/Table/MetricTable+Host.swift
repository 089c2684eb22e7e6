extension MetricTable {
    static let host: [MetricFamily] = {
        let uptime = Entries("/system/uptime")
        let files = Entries("/fds")
        return [
            Entries(
                "/system/info",
                labels: [
                    .init("machine", "machine"), .init("nodename", "hostname"), .init("release", "kernel_release"),
                    .init("sysname", "kernel_name"), .init("version", "kernel_version"),
                ]
            ).info("node_uname_info", "What uname(2) tells of the kernel."),
            Entries(
                "/system/info",
                labels: [.init("id", "os_id"), .init("pretty_name", "os_name"), .init("version_id", "os_version")]
            ).info("node_os_info", "What os-release tells of the distribution."),
            uptime.gauge("node_boot_time_seconds", "boot_time_seconds", "When the host booted: Unix time."),
            uptime.gauge("node_time_seconds", .stamp, "The wall clock: Unix time."),
            files.gauge("node_filefd_allocated", "allocated", "Open files."),
            files.gauge("node_filefd_maximum", "maximum", "How many there may be."),
        ] + clock
    }()

    private static let clock: [MetricFamily] = {
        let clock = Entries("/clock")
        return [
            clock.gauge("node_timex_offset_seconds", "offset_seconds", "What is left to correct."),
            clock.gauge(
                "node_timex_frequency_adjustment_ratio", .plus("frequency_ratio", 1),
                "How fast the clock is made to run, of its oscillator."),
            clock.gauge("node_timex_maxerror_seconds", "max_error_seconds", "Bound of the error."),
            clock.gauge(
                "node_timex_estimated_error_seconds", "estimated_error_seconds", "Estimate of the error."),
            clock.gauge("node_timex_status", "status_flags", "Flags of adjtimex(2)."),
            clock.gauge("node_timex_loop_time_constant", "loop_time_constant", "Time constant of the loop."),
            clock.gauge("node_timex_tick_seconds", "tick_seconds", "How far the clock moves on at each tick."),
            clock.gauge("node_timex_tai_offset_seconds", "tai_offset_seconds", "TAI less UTC."),
            clock.gauge("node_timex_sync_status", "synchronized", "Whether the clock is synchronized."),
        ]
    }()
}
