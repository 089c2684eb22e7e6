import CLinux
import FoxgloveServer
import Glibc
import Networking
import Telemetry
import WebSocketProtocol

/// Serves synthetic channels through the agent's own server code. `sysmon-bench --help` says how.
@main
struct Main {
    private static let usage = """
        Usage: sysmon-bench serve [OPTION]...
        Publish synthetic messages over the Foxglove WebSocket protocol, to measure the server.

          --host HOST      address or name to listen on (default 127.0.0.1)
          --port PORT      port to listen on, 0 for any free one (default 8765)
          --size BYTES     payload of each message, 8 to \(sizeLimit) (default 100)
          --rate HZ        messages per second and channel, 0 as fast as sockets take them, -1 none (default 0)
          --channels N     channels /bench/0 and so on, 1 to \(channelLimit) (default 1)
          --help           show this text
        """

    private static let sizeLimit = 16 * 1_024 * 1_024
    private static let channelLimit = 10_000

    private struct Options {
        var host = "127.0.0.1"
        var port: UInt16 = 8_765
        var size = 100
        var rate = 0.0
        var channels = 1
    }

    static func main() {
        let options = parseOptions()
        do {
            let loop = try EventLoop(clock: monotonic, signals: [SIGINT, SIGTERM])
            let port = try loop.listen(host: options.host, port: options.port)
            print("listening on ws://\(options.host):\(port)")
            fflush(nil)
            let pace: SyntheticServer.Pace =
                options.rate < 0 ? .silent : options.rate == 0 ? .flood : .hertz(options.rate)
            let server = SyntheticServer(
                channelCount: options.channels, payloadByteCount: options.size, pace: pace, limits: limits(options),
                realtime: realtime)
            try loop.run(
                server,
                onSignal: { _ in
                    server.close()
                    loop.stop(by: monotonic() + .milliseconds(500))
                }, report: { _ in fail("out of file descriptors; raise the limit with ulimit -n", status: 1) })
        } catch {
            fail("cannot \(error.action): \(error.reason)", status: 1)
        }
    }

    /// Room for every client and message that a load generator asks for.
    private static func limits(_ options: Options) -> ServerLimits {
        var limits = ServerLimits()
        limits.clients = 10_000
        limits.clientsPerAddress = 10_000
        limits.subscriptionsPerClient = channelLimit
        limits.clientMemoryByteCount = 1 << 30
        limits.queuedMessages = 65_536
        limits.queuedByteCount = max(limits.queuedByteCount, 4 * options.size)
        limits.ring.byteCount = max(limits.ring.byteCount, 8 * options.size)
        limits.ring.frameCount = 1 << 17
        limits.queuedControlByteCount = 1 << 24
        limits.operationsPerSecond = 10_000
        limits.operationBurst = 20_000
        return limits
    }

    private static func parseOptions() -> Options {
        var options = Options()
        var arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "--help" { show(usage) }
        guard arguments.first == "serve" else { fail("the command is missing or unknown; try --help", status: 2) }
        arguments.removeFirst()
        while !arguments.isEmpty {
            let name = arguments.removeFirst()
            if name == "--help" { show(usage) }
            guard !arguments.isEmpty else { fail("\(name) is unknown or lacks its value; try --help", status: 2) }
            let value = arguments.removeFirst()
            switch name {
            case "--host": options.host = value
            case "--port": options.port = number(name, value, 0...UInt16.max)
            case "--size": options.size = number(name, value, 8...sizeLimit)
            case "--channels": options.channels = number(name, value, 1...channelLimit)
            case "--rate":
                guard let rate = Double(value), rate.isFinite, rate >= 0 || rate == -1, rate <= 1e7 else {
                    fail("--rate \(value): must be -1 or 0 to 10000000", status: 2)
                }
                options.rate = rate
            default: fail("\(name) is unknown; try --help", status: 2)
            }
        }
        return options
    }

    private static func number<Value: FixedWidthInteger>(_ name: String, _ text: String, _ range: ClosedRange<Value>)
        -> Value
    {
        guard let value = Value(text), range.contains(value) else {
            fail("\(name) \(text): must be \(range.lowerBound) to \(range.upperBound)", status: 2)
        }
        return value
    }

    private static func show(_ text: String) -> Never {
        print(text)
        exit(0)
    }

    private static func fail(_ text: String, status: Int32) -> Never {
        let line = Array("sysmon-bench: \(text)\n".utf8)
        _ = unsafe write(STDERR_FILENO, line, line.count)
        exit(status)
    }

    private static func monotonic() -> Instant { Instant(nanoseconds: read(CLOCK_MONOTONIC)) }

    private static func realtime() -> Timestamp { Timestamp(unixNanoseconds: read(CLOCK_REALTIME)) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
