extension Layout {
    static let cpu = Layout(name: "cpu", summary: "CPU and memory, and what waits for them") { host in
        [
            cpuTab(host), memoryTab(host), host.programsTab, detailsTab(host),
            host.controlTab(exampleTopic: "/cpu/cores"),
        ]
    }

    private static func cpuTab(_ host: HostOutline) -> Tab? {
        let waits = host.plot(
            "Tasks that wait for a CPU", axis: "tasks, on average",
            host.lines(of: "/cpu/sched.cores", as: "/cpu/cores.cores", ("wait_ratio", "")))
        let kernel = host.plot(
            "Kernel", axis: "1/s",
            [
                Line("/kernel.context_switches_per_second", "context switches"),
                Line("/kernel.interrupts_per_second", "interrupts"),
                Line("/kernel.softirqs_per_second", "soft interrupts"),
            ])
        let tasks = host.plot(
            "Tasks", axis: "tasks",
            [Line("/kernel.tasks_running", "running"), Line("/kernel.tasks_blocked", "waiting for disks")])
        return Tab(
            "CPU",
            .rows([
                (34, [(54, host.cpuPlot), (14, host.cpuGauge), (32, host.loadPlot)]),
                (33, [(36, host.coresPlot), (36, waits), (28, host.clockRatePlot(seconds: 60))]),
                (33, [(36, host.pressurePlot), (36, kernel), (28, tasks)]),
            ]))
    }

    private static func memoryTab(_ host: HostOutline) -> Tab? {
        let swapGauge = host.gauge("Swap used", "/memory.swap_used_ratio", 0...1)
        let reclaim = host.plot(
            "Swap and reclaim", axis: "bytes/s",
            [
                Line("/memory/paging.swap_in_bytes_per_second", "swapped in"),
                Line("/memory/paging.swap_out_bytes_per_second", "swapped out"),
                Line("/memory/paging.reclaim_scanned_bytes_per_second", "looked at to free"),
                Line("/memory/paging.reclaim_stolen_bytes_per_second", "freed"),
            ])
        let faults = host.plot(
            "Page faults", axis: "1/s",
            [
                Line("/memory/paging.faults_per_second", "all"),
                Line("/memory/paging.major_faults_per_second", "waited for a disk"),
            ])
        let unwritten = host.plot(
            "Not yet on disk", axis: "bytes",
            [Line("/memory.dirty_bytes", "waits to be written"), Line("/memory.writeback_bytes", "being written")])
        let kernel = host.plot(
            "Memory of the kernel", axis: "bytes",
            [
                Line("/memory.slab_reclaimable_bytes", "slab, reclaimable"),
                Line("/memory.slab_unreclaimable_bytes", "slab, not reclaimable"),
                Line("/memory.page_tables_bytes", "page tables"), Line("/memory.kernel_stack_bytes", "stacks"),
                Line("/memory.percpu_bytes", "per CPU"),
            ])
        let nodes = host.plot(
            "NUMA nodes", axis: "share used, 0 to 1", to: 1, host.lines(of: "/memory/numa.nodes", ("used_ratio", "")))
        return Tab(
            "Memory",
            .rows([
                (38, [(70, host.memoryPlot), (15, host.memoryGauge), (15, swapGauge)]),
                (31, [(50, reclaim), (50, faults)]),
                (31, [(34, unwritten), (33, kernel), (33, nodes)]),
            ]))
    }

    private static func detailsTab(_ host: HostOutline) -> Tab? {
        let cpus = Tile.column([
            (50, host.table("CPUs", "/cpu/cores.cores")), (50, host.table("Clock rates", "/cpu/frequency.cpus")),
        ])
        let interrupts = Tile.column([
            (40, host.table("Interrupts", "/cpu/interrupts.lines")),
            (30, host.table("Soft interrupts", "/cpu/softirq.vectors")),
            (30, host.table("Throttled cores", "/cpu/throttle.cores")),
        ])
        return Tab("Details", .row([(50, cpus), (50, interrupts)]))
    }
}
