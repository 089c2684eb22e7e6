extension MetricTable {
    static let hardware: [MetricFamily] = sensors + thermal + power + energy + memoryErrors

    // MARK: Chips

    private static func chips(_ list: String) -> Entries {
        Entries("/sensors", list, labels: [.init("chip", "chip"), .init("sensor", "id", .init(after: "/"))])
    }

    private static let sensors: [MetricFamily] = {
        let temperatures = chips("temperatures")
        let (fans, voltages, currents) = (chips("fans"), chips("voltages"), chips("currents"))
        let powers = chips("powers")
        return [
            temperatures.gauge("node_hwmon_temp_celsius", "celsius", "Temperature."),
            temperatures.gauge("node_hwmon_temp_max_celsius", "max_celsius", "Its highest good value."),
            temperatures.gauge("node_hwmon_temp_crit_celsius", "critical_celsius", "Its critical value."),
            fans.gauge("node_hwmon_fan_rpm", "rpm", "Revolutions per minute."),
            voltages.gauge("node_hwmon_in_volts", "volts", "Voltage."),
            currents.gauge("node_hwmon_curr_amps", "amperes", "Electric current."),
            powers.gauge("node_hwmon_power_watt", "watts", "Electric power."),
            chips("energies").counter("node_hwmon_energy_joule_total", "joules_total", "Energy used up."),
            chips("humidities").gauge("sysmon_humidity_ratio", "relative_ratio", "Relative humidity of air, 0 to 1."),
            MetricFamily(
                name: "node_hwmon_sensor_label", kind: .gauge, help: "What the driver calls the sensor.",
                topic: "/sensors",
                sources: ["temperatures", "fans", "voltages", "currents", "powers", "energies", "humidities"].map {
                    var entries = chips($0)
                    entries.labels.append(.init("label", "label"))
                    return entries.source([.init(number: .one)])
                }),
            MetricFamily(
                name: "sysmon_sensor_alarm", kind: .gauge, help: "Whether the chip raises an alarm.",
                topic: "/sensors",
                sources: [temperatures, fans, voltages, currents, powers, chips("intrusions")].map {
                    $0.source([.init(number: .field("alarm"))])
                }),
        ]
    }()

    private static let thermal: [MetricFamily] = {
        let cooling = Entries(
            "/thermal", "cooling",
            labels: [.init("name", "id", .init(after: "cooling_device")), .init("type", "type")])
        return [
            Entries(
                "/thermal", "zones", labels: [.init("zone", "id", .init(after: "thermal_zone")), .init("type", "type")]
            ).gauge("node_thermal_zone_temp", "celsius", "Temperature of the zone in degrees Celsius."),
            cooling.gauge("node_cooling_device_cur_state", "state", "How hard it cools."),
            cooling.gauge("node_cooling_device_max_state", "max_state", "The highest state."),
        ]
    }()

    // MARK: Energy

    private static let power: [MetricFamily] = {
        let supply = MetricFamily.Label("power_supply", "id")
        let supplies = Entries("/power", "supplies", labels: [supply])
        let secondsPerHour = 3_600.0
        return [
            Entries(
                "/power", "supplies", labels: [supply, .init("type", "type"), .init("status", "status")]
            ).gauge("node_power_supply_info", .one, "What the supply is, and what it does."),
            supplies.gauge("node_power_supply_online", "online", "Whether it has power."),
            supplies.gauge("node_power_supply_capacity", .times("capacity_ratio", 100), "How full, in percent."),
            supplies.gauge("node_power_supply_voltage_volt", "volts", "Voltage."),
            supplies.gauge("node_power_supply_current_ampere", "amperes", "Electric current."),
            supplies.gauge("node_power_supply_power_watt", "watts", "Electric power."),
            supplies.gauge(
                "node_power_supply_energy_watthour", .times("energy_joules", 1 / secondsPerHour), "Energy left."),
            supplies.gauge(
                "node_power_supply_energy_full", .times("energy_full_joules", 1 / secondsPerHour),
                "Energy left when full, in watt hours."),
            supplies.gauge(
                "node_power_supply_charge_ampere", .times("charge_coulombs", 1 / secondsPerHour),
                "Charge left, in ampere hours."),
            supplies.gauge(
                "node_power_supply_charge_full", .times("charge_full_coulombs", 1 / secondsPerHour),
                "Charge left when full, in ampere hours."),
            supplies.gauge("node_power_supply_cyclecount", "cycles", "Full charges and discharges so far."),
        ]
    }()

    private static let energy: [MetricFamily] = ["package", "core", "uncore", "dram"].map { zone in
        Entries(
            "/rapl", "zones",
            labels: [
                .init("index", "id", .init(after: ":", before: ":")),
                .init("path", "id", .init(prefix: "/sys/class/powercap/")),
            ], only: .init(field: "name", test: .begins(zone))
        ).counter("node_rapl_\(zone)_joules_total", "joules_total", "Energy that the \(zone) zone used.")
    }

    // MARK: Memory errors

    private static let memoryErrors: [MetricFamily] = ["correctable", "uncorrectable"].flatMap { kind in
        let controllers = Entries(
            "/edac", "controllers", labels: [.init("controller", "id", .init(after: "mc"))])
        let rows = Entries(
            "/edac", "memory_rows",
            labels: [
                .init("controller", "id", .init(after: "mc", before: "/")),
                .init("csrow", "id", .init(after: "/csrow")),
            ], only: .init(field: "id", test: .contains("/csrow")))
        return [
            controllers.counter(
                "node_edac_\(kind)_errors_total", "\(kind)_errors_total", "Memory errors, \(kind)."),
            MetricFamily(
                name: "node_edac_csrow_\(kind)_errors_total", kind: .counter, help: "Memory errors by row, \(kind).",
                topic: "/edac",
                sources: [
                    controllers.source([
                        .init(labels: [("csrow", "unknown")], number: .field("\(kind)_errors_without_place_total"))
                    ]), rows.source([.init(number: .field("\(kind)_errors_total"))]),
                ]),
        ]
    }

    static let gpus: [MetricFamily] = {
        let gpus = Entries("/gpu", "gpus", labels: [.init("gpu", "id")])
        return [
            Entries(
                "/gpu", "gpus",
                labels: [
                    .init("gpu", "id"), .init("name", "name"), .init("driver", "driver"),
                    .init("driver_version", "driver_version"),
                ]
            ).info("sysmon_gpu_info", "What the GPU is."),
            gpus.gauge("sysmon_gpu_busy_ratio", "busy_ratio", "Share of time in which it did anything, 0 to 1."),
            gpus.gauge("sysmon_gpu_memory_used_bytes", "memory_used_bytes", "Memory in use."),
            gpus.gauge("sysmon_gpu_memory_bytes", "memory_total_bytes", "Its own memory."),
            gpus.gauge("sysmon_gpu_temperature_celsius", "celsius", "Temperature of the chip."),
            gpus.gauge("sysmon_gpu_power_watts", "watts", "Draw of the board."),
            gpus.gauge("sysmon_gpu_power_limit_watts", "power_limit_watts", "What the board keeps its draw below."),
            gpus.counter("sysmon_gpu_energy_joules_total", "joules_total", "Energy since the driver was loaded."),
            gpus.gauge("sysmon_gpu_core_hertz", "core_hertz", "Clock of the cores."),
            gpus.gauge("sysmon_gpu_memory_hertz", "memory_hertz", "Clock of the memory."),
            gpus.gauge("sysmon_gpu_fan_ratio", "fan_ratio", "Speed that the fan is told to have, 0 to 1."),
            gpus.family(
                "sysmon_gpu_throttled", .gauge,
                MetricFamily.split(
                    "reason",
                    ["power": "power_throttled", "thermal": "thermal_throttled", "hardware": "hardware_throttled"]),
                "Whether its clock is held back."),
        ]
    }()
}
