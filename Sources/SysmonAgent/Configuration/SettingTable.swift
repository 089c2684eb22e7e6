internal import FoxgloveServer
internal import WebSocketProtocol

extension Setting {
    /// All settings but those of channels. The file and its sample, options, variables, help, completion and the manual
    /// are made of this list.
    package static let all: [Setting] =
        server + tls + paths + log + boost + limits

    private static let server = [
        Setting(
            "server.host", \.host.host, .text(.line("HOST", byteLimit: 255)), "address or name to listen on",
            Traits(option: "host")),
        Setting(
            "server.port", \.host.port, in: 0...65_535, "port to listen on; 0: any free one", Traits(option: "port")),
        Setting(
            "server.name", optional: \.host.name, .line("NAME", byteLimit: 255),
            "what viewers show for this source", Traits(option: "name", defaultText: "the host's name")),
        Setting(
            "server.session_id", optional: \.host.sessionID, .line("ID", byteLimit: 128),
            "tells viewers that they are back at the same run",
            Traits(option: "session-id", defaultText: "the start time")),
        Setting(
            "server.time", \.host.tellsTime, "let viewers follow this host's clock instead of their own",
            Traits(option: "time")),
        Setting(
            "server.token_file", optional: \.host.tokenFile, .path,
            "who may log in", Traits(option: "token-file", defaultText: "nobody is asked to log in")),
        Setting(
            "server.allowed_origins", \.host.allowedOrigins, each: .origin,
            "let web pages of this origin connect, besides those of this machine and of Foxglove",
            Traits(option: "allow-origin", needsRestart: false)),
        Setting(
            "server.names", \.host.serverNames, each: .serverName, "a name by which browsers reach this server",
            Traits(option: "server-name", needsRestart: false)),
        Setting("server.read_only", \.host.isReadOnly, "let nobody change anything", Traits(option: "read-only")),
        Setting(
            "server.insecure", \.host.isInsecure, "listen beyond this machine although nobody is asked to log in",
            Traits(option: "insecure")),
    ]

    private static let tls = [
        Setting(
            "tls.cert", optional: \.host.certificate, .path, "speak TLS, with this certificate and its chain (PEM)",
            Traits(option: "tls.cert", defaultText: "no TLS")),
        Setting(
            "tls.key", optional: \.host.key, .path, "its key (PEM, mode 0600)",
            Traits(option: "tls.key", defaultText: "no TLS")),
        Setting(
            "tls.client_ca", optional: \.host.clientAuthority, .path,
            "who may sign certificates of clients",
            Traits(option: "tls.client-ca", defaultText: "clients are not asked for certificates")),
    ]

    private static let paths = [
        Setting(
            "path.procfs", \.host.procfs, .text(.path), "where the host's /proc is", Traits(option: "path.procfs")),
        Setting("path.sysfs", \.host.sysfs, .text(.path), "where the host's /sys is", Traits(option: "path.sysfs")),
        Setting("path.rootfs", \.host.rootfs, .text(.path), "where the host's / is", Traits(option: "path.rootfs")),
    ]

    private static let log = [
        Setting(
            "log.level", \.logLevel, .choice(Configuration.logLevels),
            "what is written to the log: this and what is worse",
            Traits(option: "log-level", author: .client, needsRestart: false)),
        Setting(
            "log.format", \.host.logFormat, .choice(LogLine.Format.allCases.map(\.rawValue)),
            "how a line of the log is written",
            Traits(option: "log.format")),
    ]

    private static let boost = [
        Setting(
            "boost.enabled", \.boost.isEnabled, "sample some channels faster for a while when something goes wrong",
            Traits(needsRestart: false)),
        Setting(
            "boost.seconds", \.boost.seconds, in: Configuration.boostSecondsRange, "for how long",
            Traits(needsRestart: false)),
        Setting(
            "boost.rates", rates: \.boost.rates, "samples per second meanwhile, by topic", Traits(needsRestart: false)),
    ]

    private static let limits = [
        Setting("limits.clients", \.host.limits.clients, in: 1...1_024, "clients in total"),
        Setting("limits.clients_per_address", \.host.limits.clientsPerAddress, in: 1...1_024, "clients of one address"),
        Setting(
            "limits.open_handshakes", \.host.limits.openHandshakes, in: 16...65_536,
            "connections that are still in TLS or HTTP"),
        Setting(
            "limits.handshake_seconds", \.host.limits.handshakeTime, in: 1...60,
            "time to complete TLS and the HTTP request"),
        Setting(
            "limits.message_bytes", \.host.limits.connection.message.messageByteCount, in: 65_536...16_777_216,
            "longest message of a client"),
        Setting(
            "limits.operations_per_second", \.host.limits.operationsPerSecond, in: 1...10_000,
            "JSON operations of a client"),
        Setting(
            "limits.publishes_per_second", \.host.limits.publishesPerSecond, in: 1...10_000,
            "messages that a client publishes"),
        Setting(
            "limits.samples_per_second", \.host.limits.samplesPerSecond, in: 1...10_000,
            "samples that are asked for by service, of all clients together"),
        Setting(
            "limits.subscriptions", \.host.limits.subscriptionsPerClient, in: 64...65_536, "subscriptions of a client"),
        Setting(
            "limits.client_channels", \.host.limits.clientChannelsPerClient, in: 1...1_024,
            "channels that a client publishes on"),
        Setting(
            "limits.data_queue_messages", \.host.limits.queuedMessages, in: 16...16_384,
            "messages that a client may lag behind before its oldest are dropped"),
        Setting(
            "limits.data_queue_bytes", \.host.limits.queuedByteCount, in: 65_536...25_165_824,
            "bytes that a client may lag behind before its oldest messages are dropped"),
        Setting(
            "limits.control_queue_messages", \.host.limits.queuedControlMessages, in: 64...65_536,
            "control messages that wait for a client before it is disconnected"),
        Setting(
            "limits.client_memory_bytes", \.host.limits.clientMemoryByteCount, in: 33_554_432...4_294_967_296,
            "all memory for clients"),
        Setting(
            "limits.pong_seconds", \.host.limits.pongTime, in: 1...3_600,
            "how long a client may leave a ping unanswered"),
        Setting(
            "limits.failed_logins_per_second", \.host.limits.failedLoginsPerSecond, in: 1...1_000,
            "failed logins that get an answer"),
        Setting(
            "limits.failed_logins_per_address_per_second", \.host.limits.failedLoginsPerAddressPerSecond, in: 1...1_000,
            "the same, of one address"),
    ]
}
