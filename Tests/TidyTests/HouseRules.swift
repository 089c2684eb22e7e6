/// The rules that the tests of this target hold the sources to, as data.
enum HouseRules {
    /// Longest line, in characters.
    static let lineLength = 120

    /// What a target's files may import, by target: arrows point down only. C targets have no line.
    static let layers: [String: Set<String>] = [
        "Telemetry": [],
        "WebSocketProtocol": ["Telemetry"],
        "FoxgloveProtocol": ["Telemetry", "FoundationEssentials"],
        "FoxgloveServer": ["Telemetry", "WebSocketProtocol", "FoxgloveProtocol", "FoundationEssentials"],
        "FoxgloveClient": ["Telemetry", "WebSocketProtocol", "FoxgloveProtocol"],
        "TelemetrySchema": ["Telemetry", "CTelemetrySchema", "CProtobufC", "Glibc"],
        "HostMetrics": ["Telemetry", "TelemetrySchema", "CLinux", "CSensors", "CSystemd", "Glibc", "Synchronization"],
        "Presentation": ["Telemetry", "TelemetrySchema"],
        "SysmonAgent": [
            "Telemetry", "TelemetrySchema", "HostMetrics", "FoxgloveProtocol", "FoxgloveServer", "WebSocketProtocol",
            "FoundationEssentials",
        ],
        "Networking": ["Telemetry", "WebSocketProtocol", "CLinux", "COpenSSL", "Glibc"],
        "sysmon-agent": [
            "Telemetry", "TelemetrySchema", "HostMetrics", "WebSocketProtocol", "FoxgloveProtocol", "FoxgloveServer",
            "FoxgloveClient", "Presentation", "SysmonAgent", "Networking", "FoundationEssentials", "CLinux", "CSystemd",
            "Glibc",
        ],
        "sysmon-bench": ["FoxgloveServer", "Networking", "Telemetry", "WebSocketProtocol", "CLinux", "Glibc"],
    ]

    /// Targets that are programs: they may print.
    static let programs: Set = ["sysmon-agent", "sysmon-bench"]

    /// Where the word `unsafe` may stand: files, or folders with a slash at the end, below Sources/.
    static let unsafePlaces = [
        // The two rooms of unsafe code.
        "TelemetrySchema/",
        "Networking/",
        // System calls on clocks, files, folders and netlink sockets, and the cursor's comparison with a key.
        "HostMetrics/SystemClock.swift",
        "HostMetrics/KernelClock.swift",
        "HostMetrics/Filesystem/FileSystemStatistics.swift",
        "HostMetrics/Network/NetlinkSocket.swift",
        "HostMetrics/Procfs/ByteCursor.swift",
        "HostMetrics/Procfs/DirectoryListing.swift",
        "HostMetrics/Procfs/FileReader.swift",
        "HostMetrics/Procfs/KernelLogFile.swift",
        "HostMetrics/Procfs/OwnProcess.swift",
        "HostMetrics/Procfs/ProcFile.swift",
        // Threads and what they wait for; the C library's regular expressions.
        "HostMetrics/Threads.swift",
        "HostMetrics/Pattern.swift",
        "HostMetrics/PressureTriggers.swift",
        // libsensors, and symbolic links.
        "HostMetrics/Sensors/SensorsLibrary.swift",
        "HostMetrics/Sensors/DeviceLinks.swift",
        // A library that is loaded at run time, and its C functions.
        "HostMetrics/GPU/NvidiaLibrary.swift",
        // The C library of D-Bus.
        "HostMetrics/Systemd/SystemdBus.swift",
        // One line each: the bytes of a StaticString.
        "HostMetrics/CollectErrorText.swift",
        "HostMetrics/Collectors/SystemInfoCollector.swift",
        // Accesses that are not checked for overlap.
        "HostMetrics/LoopCell.swift",
        // Clocks, signals and options.
        "sysmon-agent/",
        "sysmon-bench/",
    ]
}
