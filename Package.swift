// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "sysmon-agent",
    targets: [
        // C: one module map per library, and what proto/generate.sh made.
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
        .systemLibrary(name: "CSensors", providers: [.apt(["libsensors-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .target(name: "CTelemetrySchema", dependencies: ["CProtobufC"]),

        // Pure values: no sockets, no files, no clocks.
        .target(name: "Telemetry"),
        .target(name: "WebSocketProtocol", dependencies: ["Telemetry"]),
        .target(name: "FoxgloveProtocol", dependencies: ["Telemetry"]),
        .target(name: "FoxgloveServer", dependencies: ["FoxgloveProtocol", "Telemetry", "WebSocketProtocol"]),

        .target(
            name: "TelemetrySchema", dependencies: ["CProtobufC", "CTelemetrySchema", "Telemetry"],
            resources: [.embedInCode("Descriptors")]),
        .target(
            name: "HostMetrics", dependencies: ["CLinux", "CSensors", "CSystemd", "Telemetry", "TelemetrySchema"]),
        .target(
            name: "SysmonAgent",
            dependencies: [
                "FoxgloveProtocol", "FoxgloveServer", "HostMetrics", "Telemetry", "TelemetrySchema",
                "WebSocketProtocol",
            ],
            resources: [.embedInCode("Page")]),

        // Sockets and the loop.
        .target(name: "Networking", dependencies: ["CLinux", "COpenSSL", "Telemetry", "WebSocketProtocol"]),
        .executableTarget(
            name: "sysmon-agent",
            dependencies: [
                "CLinux", "FoxgloveServer", "HostMetrics", "Networking", "SysmonAgent", "Telemetry",
                "WebSocketProtocol",
            ]),
        .executableTarget(
            name: "sysmon-bench",
            dependencies: ["CLinux", "FoxgloveServer", "Networking", "Telemetry", "WebSocketProtocol"]),

        // What a sample costs, and that it allocates nothing.
        .target(name: "CAllocationCounter", path: "benchmarks/allocation-counter"),
        .executableTarget(
            name: "sampling-benchmark", dependencies: ["CAllocationCounter", "HostMetrics", "Telemetry"],
            path: "benchmarks/sampling"),

        .target(name: "TestSupport", path: "Tests/TestSupport"),
        // For protocol checkers: all that the server code can do, on synthetic data.
        .executableTarget(
            name: "conformance-server",
            dependencies: [
                "FoxgloveProtocol", "FoxgloveServer", "HostMetrics", "Networking", "Telemetry", "WebSocketProtocol",
            ],
            path: "Tests/ConformanceServer"),
        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry", "TestSupport"]),
        .testTarget(
            name: "TelemetrySchemaTests", dependencies: ["CProtobufC", "Telemetry", "TelemetrySchema", "TestSupport"]),
        .testTarget(name: "WebSocketProtocolTests", dependencies: ["Telemetry", "TestSupport", "WebSocketProtocol"]),
        .testTarget(name: "FoxgloveProtocolTests", dependencies: ["FoxgloveProtocol", "Telemetry", "TestSupport"]),
        .testTarget(
            name: "FoxgloveServerTests",
            dependencies: ["FoxgloveProtocol", "FoxgloveServer", "Telemetry", "TestSupport", "WebSocketProtocol"]),
        .testTarget(
            name: "NetworkingTests", dependencies: ["COpenSSL", "Networking", "Telemetry", "WebSocketProtocol"]),
        // RFC 6455 over real sockets.
        .testTarget(
            name: "WebSocketConformanceTests", dependencies: ["Networking", "Telemetry", "WebSocketProtocol"]),
        // Its fixtures lie outside of its folder: the build system follows symbolic links, and theirs go round in
        // circles, as those of sysfs do.
        .testTarget(
            name: "HostMetricsTests", dependencies: ["CFakeSystemd", "HostMetrics", "Telemetry", "TelemetrySchema"]),
        .target(name: "CFakeSystemd", dependencies: ["CSystemd"], path: "Tests/FakeSystemd"),
        .testTarget(
            name: "SysmonAgentTests",
            dependencies: [
                "FoxgloveProtocol", "FoxgloveServer", "HostMetrics", "SysmonAgent", "Telemetry", "TelemetrySchema",
                "TestSupport", "WebSocketProtocol",
            ]),
        // Of the repository, not of a module: layouts against the schemas, house rules against the sources.
        .testTarget(name: "LayoutTests", dependencies: ["HostMetrics", "SysmonAgent", "Telemetry"]),
        .testTarget(name: "TidyTests"),
    ]
)

/// One set of settings for every Swift target, so that no module is checked less than another.
for target in package.targets where target.type != .system && !target.name.hasPrefix("C") {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        // `@_lifetime` for our own non-escaping cursors; Span itself needs no flag.
        .enableExperimentalFeature("Lifetimes"),
    ]
}
