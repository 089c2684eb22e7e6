import CLinux
import FoxgloveServer
import Glibc
import HostMetrics
import Networking
import SysmonAgent
import Telemetry
import WebSocketProtocol

/// The agent as a process: everything from its settings to its last goodbye.
struct Service {
    let sources: ConfigurationSources
    /// As it was at the start.
    let configuration: Configuration
    let log: Log

    private var settings: HostSettings { configuration.host }

    /// How long clients get to close their side when the agent stops.
    private static let goodbyeTime = Period.milliseconds(500)

    /// Between looks at what is to be told now and then.
    private static let housekeepingPeriod = Period.seconds(10)

    /// Serves until SIGINT or SIGTERM, and says in the log what keeps it from that; returns the exit status.
    func runToEnd() -> Int32 {
        defer { log.finish() }
        do throws(Failure) {
            try run()
            return 0
        } catch {
            log(.error, error.text)
            return error.status
        }
    }

    private func run() throws(Failure) {
        try settings.checkPaths()
        var limits = settings.limits
        // Room for the clients, and for the agent's own files.
        limits.openHandshakes = min(
            limits.openHandshakes, max(1, Self.raiseDescriptorLimit() - limits.clients - Self.ownDescriptorCount))
        let passed = try passedSockets()
        let admission = try Admission(
            settings, listeningOn: passed.isEmpty ? [settings.host] : passed.map(\.host), hostname: Self.hostname(),
            log: log)
        let tls = try tlsContext()
        let host = settings.makeHost()
        do {
            let loop = try EventLoop(clock: SystemClock.monotonic, signals: [SIGINT, SIGTERM, SIGHUP])
            for socket in passed { try loop.listen(on: socket, tls: tls) }
            var place = (host: settings.host, port: UInt16(0))
            if let first = passed.first {
                place = (first.host, first.port)
            } else {
                place.port = try loop.listen(host: settings.host, port: UInt16(settings.port), tls: tls)
            }
            var agentOptions = Agent.Options()
            agentOptions.tellsTime = settings.tellsTime
            if let changes = sources.changes { agentOptions.keepChanges = changes.keep }
            agentOptions.watcher = loop.watcher
            let agent = Agent(
                allCollectors, host: host, configuration: named(configuration), identity: identity(),
                options: agentOptions,
                limits: limits, suspendedNanoseconds: SystemClock.suspendedNanoseconds, report: { log.report($0) })
            admission.govern(agent.server)
            announce(place.host, place.port)
            loop.every(ServiceManager.watchdogPeriod(atMost: Self.housekeepingPeriod)) { now in
                log.writeLeftOut(now: now)
                ServiceManager.alive(status: status(of: agent, host))
            }
            ServiceManager.ready()
            ServiceManager.alive(status: status(of: agent, host))
            let complaint = DescriptorComplaint()
            try loop.run(
                agent,
                onSignal: { number in
                    guard number != SIGHUP else {
                        ServiceManager.reloading(now: SystemClock.monotonic())
                        tls?.reload()
                        reload(agent, admission)
                        admission.reload(agent.server)
                        return ServiceManager.ready()
                    }
                    log(.info, "stopping on \(number == SIGINT ? "SIGINT" : "SIGTERM")")
                    ServiceManager.stopping()
                    agent.close()
                    loop.stop(by: SystemClock.monotonic() + Self.goodbyeTime)
                },
                report: { report in
                    switch report {
                    case .outOfDescriptors: complaint.report(log)
                    }
                })
        } catch {
            throw failure(error)
        }
    }

    private func failure(_ error: SystemError) -> Failure {
        Failure(text: "cannot \(error.action): \(error.reason)\(advice(error))")
    }

    private func passedSockets() throws(Failure) -> [PassedSocket] {
        do throws(SystemError) { return try ServiceManager.passedSockets() } catch { throw failure(error) }
    }

    /// What `systemctl status` shows, and `/agent` in full.
    private func status(of agent: Agent, _ host: Host) -> String {
        let sampleCount = host.agent.collectors.reduce(0) { $0 + $1.sampleCount }
        let clientCount = agent.server.clientCount
        return "\(clientCount) client\(clientCount == 1 ? "" : "s"), \(sampleCount) samples taken"
    }

    /// How many files the agent itself may have open: those of its collectors, and as many for scrapes.
    private static let ownDescriptorCount = 128

    /// Raises the soft limit of open files to the hard one, and returns it.
    private static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// Puts into effect what the files say now; a mistake anywhere changes nothing.
    private func reload(_ agent: Agent, _ admission: Admission) {
        do throws(Failure) {
            let defaults = Agent.defaultConfiguration(allCollectors)
            var fresh = named(try sources.read(defaults) { log(.warning, $0) })
            let later = fresh.keepSettings(thatNeedRestartOf: agent.configuration)
            if !later.isEmpty {
                let keys = later.joined(separator: ", ")
                log(.warning, "\(keys): changed, but the old value stays in effect until the agent is restarted")
            }
            admission.adopt(fresh.host)
            agent.reload(fresh, now: SystemClock.monotonic())
            log(.info, "the configuration was read again")
        } catch {
            for line in error.text.split(separator: "\n") {
                log(.error, "\(line); the configuration read before stays in effect")
            }
        }
    }

    /// Viewers are shown the name also where none is set.
    private func named(_ configuration: Configuration) -> Configuration {
        var named = configuration
        named.host.name = named.host.name ?? Self.hostname()
        return named
    }

    /// The certificate is read again when it changes; what it cannot be renewed with leaves it as it is.
    private func tlsContext() throws(Failure) -> TLSContext? {
        guard let certificate = settings.certificate, let key = settings.key else { return nil }
        do throws(TLSError) {
            return try TLSContext(certificate: certificate, key: key, clientAuthority: settings.clientAuthority) {
                report in
                switch report {
                case .certificateReloaded: log(.info, "\(certificate) was read again")
                case .certificateRejected(let reason):
                    log(.error, "\(reason); the certificate read before stays in effect")
                }
            }
        } catch { throw Failure(text: error.reason) }
    }

    private func advice(_ error: SystemError) -> String {
        if error.isAddressInUse { return "; choose another port with --port, or 0 for any free one" }
        if error.isAddressUnknown { return "; give an address of this host with --host" }
        if error.isPermissionDenied { return "; ports below 1024 need privileges, choose another with --port" }
        return error.action.hasPrefix("resolve") ? "; give an address or a name of this host with --host" : ""
    }

    private func identity() -> Server.Identity {
        let hostname = Self.hostname()
        return Server.Identity(
            name: settings.name ?? hostname, metadata: ["agent": "sysmon-agent \(agentVersion)", "hostname": hostname],
            sessionID: settings.sessionID ?? String(SystemClock().reading().realtime.unixNanoseconds / 1_000_000))
    }

    /// One line, with links that open the live view.
    private func announce(_ host: String, _ port: UInt16) {
        let url = "\(settings.certificate == nil ? "ws" : "wss")://\(linkHost(host)):\(port)"
        let encoded = url.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            return character.isLetter || character.isNumber || ".-_~".contains(character)
                ? String(character) : "%" + String(byte, radix: 16, uppercase: true)
        }.joined()
        let query = "ds=foxglove-websocket&ds.url=\(encoded)"
        print(
            "sysmon-agent \(agentVersion) serves \(url) | Foxglove: https://app.foxglove.dev/~/view?\(query)"
                + " | Lichtblick: lichtblick://open?\(query)")
        fflush(nil)
    }

    /// What a viewer can connect to: a wildcard address is none.
    private func linkHost(_ host: String) -> String {
        switch host {
        case "0.0.0.0", "::": Self.hostname()
        case let host where host.contains(":"): "[\(host)]"
        default: host
        }
    }

    static func hostname() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// Says that connections are refused for want of file descriptors, at most once in ten seconds.
private final class DescriptorComplaint {
    private var nextAt: Instant?

    func report(_ log: Log) {
        let now = SystemClock.monotonic()
        if let nextAt, now < nextAt { return }
        nextAt = now + .seconds(10)
        log(.error, "connections are refused: no file descriptor is left; raise the limit (ulimit -n)")
    }
}

extension Log {
    /// One line for what the agent tells.
    func report(_ report: Agent.Report) {
        if case .logLevel(let name) = report { setLevel(name) }
        guard let entry = report.entry else { return }
        switch entry.level {
        case .error: self(.error, entry.text, name: entry.name)
        case .warning: self(.warning, entry.text, name: entry.name)
        case .info: self(.info, entry.text, name: entry.name)
        }
    }
}
