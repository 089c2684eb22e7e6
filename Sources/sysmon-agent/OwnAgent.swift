import FoxgloveClient
import FoxgloveProtocol
import FoxgloveServer
import Glibc
import HostMetrics
import Networking
import Presentation
import SysmonAgent
import Telemetry

/// An agent of this process alone, for a command that looks at this host without one that runs: the same agent on the
/// same loop, on a thread of its own, with one end of a socketpair(2) as its only client.
enum OwnAgent {
    /// People do not read faster.
    private static let hertzMax = 1.0

    /// Starts it, and returns the socket to talk to it. It ends with the process.
    static func start(on settings: HostSettings, name: String) throws(Failure) -> Int32 {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw Failure(text: "cannot make a pair of sockets: \(unsafe String(cString: strerror(errno)))")
        }
        let body = unsafe Unmanaged.passRetained(Body(descriptor: ends[1], settings: settings, name: name))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer = unsafe pointer else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        guard status == 0 else {
            unsafe body.release()
            throw Failure(text: "cannot start a thread: \(unsafe String(cString: strerror(status)))")
        }
        pthread_detach(thread)
        return ends[0]
    }

    /// What the thread gets, and nobody else keeps.
    private final class Body {
        let descriptor: Int32
        let settings: HostSettings
        let name: String

        init(descriptor: Int32, settings: HostSettings, name: String) {
            self.descriptor = descriptor
            self.settings = settings
            self.name = name
        }

        func run() {
            var configuration = Agent.defaultConfiguration(allCollectors)
            for topic in TopModel.topics {
                let channel = configuration.channels.first { $0.topic == topic }
                guard let hertz = channel?.sampling?.rateHertz, hertz > OwnAgent.hertzMax else { continue }
                try? configuration.set("rate_hertz", of: topic, to: .number(OwnAgent.hertzMax))
            }
            // Whatever goes wrong closes the socket, which the other end sees.
            guard let loop = try? EventLoop(clock: SystemClock.monotonic, signals: []) else {
                close(descriptor)
                return
            }
            var agentOptions = Agent.Options()
            agentOptions.watcher = loop.watcher
            let agent = Agent(
                allCollectors, host: settings.makeHost(), configuration: configuration,
                identity: Server.Identity(name: name, metadata: [:], sessionID: "1"), options: agentOptions,
                suspendedNanoseconds: SystemClock.suspendedNanoseconds, report: { _ in })
            try? loop.adopt(descriptor, from: "this process", agent)
            try? loop.run(agent, onSignal: { _ in }, report: { _ in })
        }
    }
}
