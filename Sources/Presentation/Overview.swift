/// What is shown of a host to somebody who asked for nothing in particular: topics, and the fields of each.
package enum Overview {
    package static let fields: [(topic: String, names: [String])] = [
        (
            "/system/info",
            ["hostname", "os_name", "kernel_release", "machine", "cpu_model", "logical_cpus_online", "container"]
        ),
        ("/system/uptime", ["uptime_seconds", "boot_time_seconds"]),
        ("/cpu", ["usage_ratio", "user_ratio", "system_ratio", "iowait_ratio", "steal_ratio", "busy_cores"]),
        ("/load", ["load1", "load5", "load15", "tasks_runnable", "tasks_total"]),
        (
            "/memory",
            [
                "total_bytes", "used_bytes", "used_ratio", "available_bytes", "page_cache_bytes", "swap_total_bytes",
                "swap_used_bytes", "swap_used_ratio",
            ]
        ),
        ("/pressure", ["cpu", "memory", "io", "irq", "some_ratio", "full_ratio", "some_avg10_ratio"]),
        (
            "/disk",
            [
                "devices", "id", "read_bytes_per_second", "write_bytes_per_second", "reads_per_second",
                "writes_per_second", "utilization_ratio",
            ]
        ),
        (
            "/filesystem",
            ["filesystems", "id", "fs_type", "size_bytes", "used_bytes", "available_bytes", "used_ratio"]
        ),
        (
            "/net",
            [
                "interfaces", "id", "oper_state", "rx_bytes_per_second", "tx_bytes_per_second", "rx_packets_per_second",
                "tx_packets_per_second",
            ]
        ),
        (
            "/sensors",
            [
                "temperatures", "fans", "powers", "id", "label", "celsius", "critical_celsius", "rpm", "watts", "alarm",
            ]
        ),
    ]
}
