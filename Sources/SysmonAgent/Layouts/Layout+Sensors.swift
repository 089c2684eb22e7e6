extension Layout {
    static let sensors = Layout(
        name: "sensors", summary: "sensors and power: heat, fans, watts, batteries, GPUs"
    ) { host in
        [heatTab(host), powerTab(host), gpuTab(host), host.controlTab(exampleTopic: "/sensors")]
    }

    private static func heatTab(_ host: HostOutline) -> Tab? {
        let temperatures = host.plot(
            "Temperatures", axis: "°C", from: nil, seconds: 300,
            [Line("/sensors.hottest_celsius", "hottest")] + host.lines(of: "/sensors.temperatures", ("celsius", "")))
        let gauge = host.gauge("Hottest, in °C", "/sensors.hottest_celsius", 20...100)
        let fans = host.plot(
            "Fans", axis: "revolutions per minute", seconds: 300, host.lines(of: "/sensors.fans", ("rpm", "")))
        let zones = host.plot(
            "Thermal zones", axis: "°C", from: nil, seconds: 300, host.lines(of: "/thermal.zones", ("celsius", "")))
        return Tab(
            "Heat",
            .rows([
                (42, [(64, temperatures), (20, gauge), (16, host.heatIndicator)]),
                (29, [(34, fans), (33, zones), (33, host.clockRatePlot(seconds: 300))]),
                (
                    29,
                    [
                        (50, host.table("Sensors of temperature", "/sensors.temperatures")),
                        (25, host.table("Sensors of fans", "/sensors.fans")),
                        (25, host.table("Cooling devices", "/thermal.cooling")),
                    ]
                ),
            ]))
    }

    private static func powerTab(_ host: HostOutline) -> Tab? {
        let power = host.plot(
            "Power", axis: "W", from: nil, seconds: 300,
            host.lines(of: "/rapl.zones", ("watts", "")) + host.lines(of: "/sensors.powers", ("watts", ""))
                + host.lines(of: "/power.supplies", ("watts", "")))
        let battery = host.lines(of: "/power.supplies", ("capacity_ratio", ""))
        let charge = battery.first.flatMap { host.gauge("Charge of \($0.label)", $0.path, 0...1, isHighGood: true) }
        let course = host.plot("Charge", axis: "share, 0 to 1", to: 1, seconds: 3_600, battery)
        let voltages = host.plot(
            "Voltages", axis: "V", from: nil, seconds: 300, host.lines(of: "/sensors.voltages", ("volts", "")))
        return Tab(
            "Power",
            .rows([
                (40, [(60, power), (18, charge), (22, course)]),
                (30, [(50, voltages), (50, host.table("Sensors of voltage", "/sensors.voltages"))]),
                (
                    30,
                    [
                        (60, host.table("Batteries and adapters", "/power.supplies")),
                        (40, host.table("Power zones", "/rapl.zones")),
                    ]
                ),
            ]))
    }

    private static func gpuTab(_ host: HostOutline) -> Tab? {
        let busy = host.plot(
            "GPU", axis: "share of time busy, 0 to 1", to: 1, host.lines(of: "/gpu.gpus", ("busy_ratio", "")))
        let memory = host.plot(
            "Memory of the GPU", axis: "share used, 0 to 1", to: 1,
            host.lines(of: "/gpu.gpus", ("memory_used_ratio", "")))
        let heat = host.plot(
            "Heat of the GPU", axis: "°C", from: nil, host.lines(of: "/gpu.gpus", ("celsius", "")))
        let power = host.plot("Power of the GPU", axis: "W", host.lines(of: "/gpu.gpus", ("watts", "")))
        let clock = host.plot("Clock rate of the GPU", axis: "Hz", host.lines(of: "/gpu.gpus", ("core_hertz", "")))
        return Tab(
            "GPU",
            .rows([
                (36, [(50, busy), (50, memory)]),
                (36, [(34, heat), (33, power), (33, clock)]),
                (28, [(100, host.table("GPUs", "/gpu.gpus"))]),
            ]))
    }
}
