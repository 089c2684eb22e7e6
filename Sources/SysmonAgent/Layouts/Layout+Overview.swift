extension Layout {
    static let overview = Layout(
        name: "overview", summary: "what one looks at first: CPU, memory, load, network, disks"
    ) { host in
        [overviewTab(host), host.programsTab, hostTab(host), host.controlTab(exampleTopic: "/cpu")]
    }

    private static func overviewTab(_ host: HostOutline) -> Tab? {
        let load = host.indicator(
            "Load of each CPU", "/load.load1_per_cpu", Rule(">=", "2", Palette.bad, "overloaded"),
            Rule(">=", "1", Palette.warning, "busy"), Rule("<", "1", Palette.good, "has room"))
        let units = host.indicator(
            "Services", "/systemd.units_failed", Rule(">", "0", Palette.bad, "failed"),
            Rule("=", "0", Palette.good, "none failed"))
        let clock = host.indicator(
            "Clock", "/clock.synchronized", Rule("=", "true", Palette.good, "in time"),
            Rule("=", "false", Palette.warning, "not synchronized"))
        let indicators = Tile.rows([(50, [(50, host.heatIndicator), (50, units)]), (50, [(50, load), (50, clock)])])
        return Tab(
            "Overview",
            .rows([
                (34, [(46, host.cpuPlot), (14, host.cpuGauge), (14, host.memoryGauge), (26, indicators)]),
                (33, [(34, host.coresPlot), (34, host.memoryPlot), (32, host.loadPlot)]),
                (
                    33,
                    [(28, host.networkPlot), (28, host.diskPlot), (22, host.filesystemPlot), (22, host.pressurePlot)]
                ),
            ]))
    }

    private static func hostTab(_ host: HostOutline) -> Tab? {
        let events = Tile.column([
            (40, host.log("Log of the kernel", "/kernel/log")),
            (30, host.table("Filesystems", "/filesystem.filesystems")),
            (30, host.table("Units that failed", "/systemd.unit_states")),
        ])
        return Tab("Host", .row([(30, host.message("Host", "/system/info")), (70, events)]))
    }
}
