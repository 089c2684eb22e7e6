/// What several layouts show.
extension HostOutline {
    var cpuPlot: Tile? {
        plot(
            "CPU", axis: "share of all CPUs, 0 to 1", to: 1,
            [
                Line("/cpu.usage_ratio", "busy"), Line("/cpu.user_ratio", "user"), Line("/cpu.system_ratio", "system"),
                Line("/cpu.iowait_ratio", "waits for disks"), Line("/cpu.softirq_ratio", "soft interrupts"),
                Line("/cpu.steal_ratio", "stolen"), Line("/cpu.nice_ratio", "nice"),
            ])
    }

    var cpuGauge: Tile? { gauge("CPU busy", "/cpu.usage_ratio", 0...1) }

    var coresPlot: Tile? {
        plot("CPU by CPU", axis: "share of one CPU, 0 to 1", to: 1, lines(of: "/cpu/cores.cores", ("usage_ratio", "")))
    }

    func clockRatePlot(seconds: Double) -> Tile? {
        plot(
            "Clock rate of the CPUs", axis: "Hz", seconds: seconds,
            [
                Line("/cpu/frequency.maximum_hertz", "fastest CPU"),
                Line("/cpu/frequency.average_hertz", "on average"),
            ])
    }

    /// The load changes every 5 s.
    var loadPlot: Tile? {
        plot(
            "Load", axis: "tasks that run or wait", seconds: 600,
            [
                Line("/load.load1", "over 1 minute"), Line("/load.load5", "over 5 minutes"),
                Line("/load.load15", "over 15 minutes"),
            ])
    }

    var pressurePlot: Tile? {
        plot(
            "Pressure", axis: "share of time lost waiting, 0 to 1",
            [
                Line("/pressure.cpu.some_ratio", "for CPUs"), Line("/pressure.memory.some_ratio", "for memory"),
                Line("/pressure.io.some_ratio", "for disks"), Line("/pressure.memory.full_ratio", "all for memory"),
                Line("/pressure.io.full_ratio", "all for disks"),
            ])
    }

    var memoryPlot: Tile? {
        plot(
            "Memory", axis: "bytes",
            [
                Line("/memory.used_bytes", "used"), Line("/memory.page_cache_bytes", "page cache"),
                Line("/memory.anonymous_bytes", "of programs"), Line("/memory.shmem_bytes", "shared"),
                Line("/memory.swap_used_bytes", "swap used"), Line("/memory.total_bytes", "all there is"),
            ])
    }

    var memoryGauge: Tile? { gauge("Memory used", "/memory.used_ratio", 0...1) }

    var networkPlot: Tile? {
        plot(
            "Network", axis: "bytes/s",
            lines(of: "/net.interfaces", ("rx_bytes_per_second", " received"), ("tx_bytes_per_second", " sent")))
    }

    var diskPlot: Tile? {
        plot(
            "Disks", axis: "bytes/s",
            lines(of: "/disk.devices", ("read_bytes_per_second", " read"), ("write_bytes_per_second", " written")))
    }

    /// Sizes are asked for every 10 s.
    var filesystemPlot: Tile? {
        plot(
            "Filesystems", axis: "share used, 0 to 1", to: 1, seconds: 1_200,
            lines(of: "/filesystem.filesystems", ("used_ratio", "")))
    }

    var heatIndicator: Tile? {
        indicator(
            "Hottest sensor", "/sensors.hottest_celsius", Rule(">=", "90", Palette.bad, "hot"),
            Rule(">=", "75", Palette.warning, "warm"), Rule("<", "75", Palette.good, "cool"))
    }

    var programsTab: Layout.Tab? {
        let counts = plot(
            "Processes", axis: "processes", seconds: 300,
            [
                Line("/processes.running", "running"), Line("/processes.disk_sleeping", "waiting for disks"),
                Line("/processes.zombies", "zombies"), Line("/processes.stopped", "stopped"),
            ])
        return Layout.Tab(
            "Programs",
            .rows([
                (56, [(100, table("Processes that use most", "/processes.top"))]),
                (44, [(40, counts), (60, table("Control groups", "/cgroup.groups"))]),
            ]))
    }
}
