extension MetricTable {
    static let cpu: [MetricFamily] =
        cores + frequencies + [
            Entries("/cpu/softirq", "vectors", labels: [.init("vector", "id")]).counter(
                "sysmon_softirqs_total", "total", "How often each soft interrupt ran, on all CPUs together."),
            Entries(
                "/cpu/throttle", "cores",
                labels: [.init("package", "id", .init(before: ":")), .init("core", "id", .init(after: ":"))]
            ).counter(
                "node_cpu_core_throttles_total", "throttles_total", "How often the core was slowed down for heat."),
            Entries("/cpu/throttle", "packages", labels: [.init("package", "id")]).counter(
                "node_cpu_package_throttles_total", "throttles_total", "How often the package was slowed down for heat."
            ),
        ] + scheduler

    private static let cores: [MetricFamily] = {
        let entries = Entries("/cpu/cores", "cores", labels: [.init("cpu", "id")])
        return [
            entries.family(
                "node_cpu_seconds_total", .counter,
                MetricFamily.split(
                    "mode",
                    [
                        "idle": "idle_seconds_total", "iowait": "iowait_seconds_total", "irq": "irq_seconds_total",
                        "nice": "nice_seconds_total", "softirq": "softirq_seconds_total",
                        "steal": "steal_seconds_total", "system": "system_seconds_total", "user": "user_seconds_total",
                    ]),
                "Seconds that the CPU spent in each mode."),
            entries.family(
                "node_cpu_guest_seconds_total", .counter,
                MetricFamily.split("mode", ["nice": "guest_nice_seconds_total", "user": "guest_seconds_total"]),
                "Seconds that the CPU spent in guests; they are in user and nice, too."),
        ]
    }()

    private static let frequencies: [MetricFamily] = {
        let label = MetricFamily.Label("cpu", "id")
        let scaling = Entries(
            "/cpu/frequency", "cpus", labels: [label], only: .init(field: "governor", test: .differs("")))
        return [
            scaling.gauge("node_cpu_scaling_frequency_hertz", "current_hertz", "The clock rate."),
            scaling.gauge("node_cpu_scaling_frequency_min_hertz", "min_limit_hertz", "The lowest that may be chosen."),
            scaling.gauge("node_cpu_scaling_frequency_max_hertz", "max_limit_hertz", "The highest that may be chosen."),
            Entries(
                "/cpu/frequency", "cpus", labels: [label, .init("governor", "governor")],
                only: .init(field: "governor", test: .differs(""))
            ).gauge("node_cpu_scaling_governor", .one, "The governor that chooses the clock rate."),
            Entries("/cpu/frequency", "cpus", labels: [label], only: .init(field: "governor", test: .equals(""))).gauge(
                "sysmon_cpu_frequency_hertz", "current_hertz", "The clock rate of a CPU that nothing governs."),
        ]
    }()

    private static let scheduler: [MetricFamily] = {
        let entries = Entries("/cpu/sched", "cores", labels: [.init("cpu", "id")])
        return [
            entries.counter(
                "node_schedstat_running_seconds_total", "run_seconds_total", "Seconds that tasks ran on the CPU."),
            entries.counter(
                "node_schedstat_waiting_seconds_total", "wait_seconds_total", "Seconds that tasks waited for the CPU."),
            entries.counter(
                "node_schedstat_timeslices_total", "timeslices_total", "Times that a task was given the CPU."),
        ]
    }()

    static let kernel: [MetricFamily] = {
        let kernel = Entries("/kernel")
        let load = Entries("/load")
        return [
            kernel.counter("node_context_switches_total", "context_switches_total", "Switches from task to task."),
            kernel.counter("node_intr_total", "interrupts_total", "Interrupts."),
            kernel.counter("node_forks_total", "forks_total", "Forks and clones."),
            kernel.gauge("node_procs_running", "tasks_running", "Tasks that run or want to."),
            kernel.gauge("node_procs_blocked", "tasks_blocked", "Tasks that wait for a disk."),
            Entries("/hung_tasks").counter(
                "sysmon_hung_tasks_total", "detected_total", "Tasks that were found to wait without end."),
            load.gauge("node_load1", "load1", "Load average over 1 minute."),
            load.gauge("node_load5", "load5", "Load average over 5 minutes."),
            load.gauge("node_load15", "load15", "Load average over 15 minutes."),
        ]
    }()
}
