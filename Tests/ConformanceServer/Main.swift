import FoxgloveServer
import Glibc
import HostMetrics
import Networking
import Telemetry

/// conformance-server none|all|playback [--tls.cert PATH --tls.key PATH]
///
/// Serves on any free port of 127.0.0.1 until SIGTERM, with nothing beyond channels, with everything but playback, or
/// with playback too.
@main
enum Main {
    static func main() throws {
        let features: [String: ConformanceServer.Features] = ["none": [], "all": .all, "playback": [.all, .playback]]
        let arguments = CommandLine.arguments
        guard arguments.count == 2 || arguments.count == 6, let chosen = features[arguments[1]] else {
            print("usage: conformance-server none|all|playback [--tls.cert PATH --tls.key PATH]")
            exit(2)
        }
        let tls = arguments.count == 2 ? nil : try TLSContext(certificate: arguments[3], key: arguments[5])
        let loop = try EventLoop(clock: SystemClock.monotonic, signals: [SIGINT, SIGTERM])
        let port = try loop.listen(host: "127.0.0.1", port: 0, tls: tls)
        let server = ConformanceServer(chosen, limits: ServerLimits(), realtime: { SystemClock().reading().realtime })
        print("conformance-server serves \(tls == nil ? "ws" : "wss")://127.0.0.1:\(port)")
        fflush(nil)
        try loop.run(
            server,
            onSignal: { _ in
                server.close()
                loop.stop(by: SystemClock.monotonic() + .milliseconds(500))
            },
            report: { _ in })
    }
}
