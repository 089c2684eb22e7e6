extension MetricTable {
    static let programs: [MetricFamily] = processes + groups + units

    private static let processes: [MetricFamily] = {
        let processes = Entries("/processes")
        return [
            processes.gauge("node_processes_pids", "processes", "Processes, kernel threads included."),
            processes.gauge("node_processes_threads", "threads", "Their threads together."),
            processes.gauge("node_processes_max_processes", "pid_max", "How many processes and threads there may be."),
            processes.family(
                "node_processes_state", .gauge,
                MetricFamily.split(
                    "state",
                    [
                        "R": "running", "S": "sleeping", "D": "disk_sleeping", "T": "stopped", "Z": "zombies",
                        "I": "idle",
                    ]), "Processes by state."),
        ]
    }()

    private static let groups: [MetricFamily] = {
        let groups = Entries("/cgroup", "groups", labels: [.init("cgroup", "id")])
        return [
            groups.counter("sysmon_cgroup_cpu_seconds_total", "cpu_seconds_total", "CPU time of the group."),
            groups.gauge("sysmon_cgroup_cpu_limit_cores", "cpu_limit_cores", "CPUs that it may use."),
            groups.gauge("sysmon_cgroup_memory_bytes", "memory_bytes", "Memory charged to it, page cache included."),
            groups.gauge(
                "sysmon_cgroup_memory_working_set_bytes", "memory_working_set_bytes",
                "Memory without what the kernel can drop first."),
            groups.gauge("sysmon_cgroup_memory_limit_bytes", "memory_limit_bytes", "Memory that it may use."),
            groups.gauge("sysmon_cgroup_swap_bytes", "swap_bytes", "Swap that it uses."),
            groups.gauge("sysmon_cgroup_tasks", "tasks", "Its processes and threads."),
            groups.counter("sysmon_cgroup_oom_kills_total", "oom_kills_total", "Processes killed for lack of memory."),
            groups.counter("sysmon_cgroup_read_bytes_total", "io_read_bytes_total", "Bytes read from disks."),
            groups.counter("sysmon_cgroup_written_bytes_total", "io_write_bytes_total", "Bytes written to disks."),
        ]
    }()

    private static let units: [MetricFamily] = {
        let manager = Entries("/systemd")
        let units = Entries("/systemd", "unit_states", labels: [.init("name", "id")])
        return [
            manager.family(
                "node_systemd_units", .gauge,
                MetricFamily.split(
                    "state",
                    [
                        "active": "units_active", "activating": "units_activating",
                        "deactivating": "units_deactivating", "inactive": "units_inactive", "failed": "units_failed",
                    ]), "Units by state."),
            manager.gauge(
                "node_systemd_system_running", .isText("system_state", "SYSTEM_STATE_RUNNING"),
                "Whether the system is up and no unit failed."),
            units.family(
                "node_systemd_unit_state", .gauge,
                MetricFamily.states(
                    "state", "active_state",
                    [
                        "active": "ACTIVE_STATE_ACTIVE", "activating": "ACTIVE_STATE_ACTIVATING",
                        "deactivating": "ACTIVE_STATE_DEACTIVATING", "inactive": "ACTIVE_STATE_INACTIVE",
                        "failed": "ACTIVE_STATE_FAILED",
                    ]), "State of the unit, if it failed or the owner of the host wants to see it: 1 of that."),
            units.counter(
                "node_systemd_service_restart_total", "restarts", "How often the service was started anew by itself."),
        ]
    }()
}
