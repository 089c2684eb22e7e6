extension HostOutline {
    /// A host with the commonest names, for the layouts in deploy/layouts, which are to show something anywhere.
    package static let generic: HostOutline = {
        var outline = HostOutline(topics: [
            "/cpu", "/cpu/cores", "/cpu/frequency", "/cpu/interrupts", "/cpu/sched", "/cpu/softirq", "/kernel",
            "/kernel/log", "/load", "/memory", "/memory/paging", "/pressure", "/disk", "/filesystem", "/net",
            "/net/addresses", "/net/neighbours", "/net/protocols", "/net/sockets", "/sensors", "/thermal", "/power",
            "/rapl", "/processes", "/cgroup", "/systemd", "/clock", "/system/info", "/agent", "/log", "/config",
        ])
        outline.entries = [
            "/cpu/cores.cores": (0..<4).map { Entry(filter: "id==\($0)", name: "CPU \($0)") },
            "/disk.devices": ["sda", "nvme0n1", "vda"].map(entry),
            "/filesystem.filesystems": ["/", "/home", "/var"].map(entry),
            "/net.interfaces": ["eth0", "wlan0", "lo"].map(entry),
            "/thermal.zones": ["thermal_zone0"].map(entry),
            "/power.supplies": ["BAT0"].map(entry),
            "/rapl.zones": ["intel-rapl:0"].map(entry),
        ]
        return outline
    }()

    private static func entry(_ id: String) -> Entry { Entry(filter: "id==\"\(id)\"", name: id) }
}
