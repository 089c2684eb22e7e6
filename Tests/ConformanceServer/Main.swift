import FoxgloveServer
import Glibc
import HostMetrics
import Networking
import Telemetry

/// conformance-server none|all|playback [PORT]
///
/// Serves on 127.0.0.1 until SIGTERM, with nothing beyond channels, with everything but playback, or with playback too.
@main
enum Main {
    static func main() throws {
        var arguments = CommandLine.arguments.dropFirst()
        let features: [String: ConformanceServer.Features] = ["none": [], "all": .all, "playback": [.all, .playback]]
        guard let chosen = arguments.popFirst().flatMap({ features[$0] }), let port = UInt16(arguments.first ?? "0")
        else {
            print("usage: conformance-server none|all|playback [PORT]")
            exit(2)
        }
        let loop = try EventLoop(clock: SystemClock.monotonic, signals: [SIGINT, SIGTERM])
        let bound = try loop.listen(host: "127.0.0.1", port: port)
        let server = ConformanceServer(chosen, limits: ServerLimits(), realtime: { SystemClock().reading().realtime })
        print("conformance-server serves ws://127.0.0.1:\(bound)")
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
