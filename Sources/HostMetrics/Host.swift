package import Telemetry

/// One reading of the clocks.
package struct ClockReading: Sendable {
    package var monotonic: Instant
    package var realtime: Timestamp
    package init(monotonic: Instant, realtime: Timestamp) {
        self.monotonic = monotonic
        self.realtime = realtime
    }

    /// The point halfway to `later`: when a read that began here and ended there took place.
    package func midpoint(to later: ClockReading) -> ClockReading {
        let half = (later.monotonic.nanoseconds - monotonic.nanoseconds) / 2
        return ClockReading(
            monotonic: Instant(nanoseconds: monotonic.nanoseconds + half),
            realtime: Timestamp(unixNanoseconds: later.realtime.unixNanoseconds - half))
    }
}

/// What a host tells about itself by system calls rather than by files.
package struct HostFacts: Sendable {
    /// USER_HZ, `sysconf(_SC_CLK_TCK)`: the unit of CPU times.
    package var userTickHertz: Double
    package var pageSizeBytes: Double
    /// `uname(2)` machine.
    package var machine: String
    /// "LE" or "BE".
    package var endianness: String

    package init(userTickHertz: Double, pageSizeBytes: Double, machine: String, endianness: String) {
        self.userTickHertz = userTickHertz
        self.pageSizeBytes = pageSizeBytes
        self.machine = machine
        self.endianness = endianness
    }

    /// Whether the kernel counts in 32-bit words, so that its counters wrap at 2³².
    package var is32Bit: Bool {
        if machine.hasPrefix("i"), machine.hasSuffix("86"), machine.utf8.count == 4 { return true }
        return machine.hasPrefix("arm") || machine == "mips" || machine == "mipsel" || machine == "ppc"
            || machine == "riscv32"
    }
}

/// What collectors ask of the system beside files; tests answer in its place.
package struct SystemAccess: Sendable {
    /// How adjtimex(2) is asked; tests answer for the kernel.
    package var readKernelClock: @Sendable () throws(CollectError) -> KernelClock = KernelClock.read
    /// statfs(2), which may never return; called on threads of its own. The path is without a NUL.
    package var fileSystemStatistics: @Sendable (_ path: [UInt8]) -> Result<FileSystemStatistics, ErrnoValue> =
        FileSystemStatistics.ofFileSystem
    /// How long a filesystem may take to answer.
    package var fileSystemTimeoutSeconds = 2.0
    /// NVIDIA's management library: a name that the dynamic linker searches for, or a path.
    package var nvidiaLibrary = "libnvidia-ml.so.1"
    /// What the calling thread has used of a CPU.
    package var threadNanoseconds: @Sendable () -> UInt64 = SystemClock.threadNanoseconds
    /// Whether `/sensors` is read by libsensors where that is possible: only one collector of a process can have it.
    package var usesSensorsLibrary = true

    package init() {}
}

/// Where collectors read from, and the clock they read by: this machine in service, a tree of fixtures and a clock
/// moved by hand in tests.
///
/// Also holds what collectors share: the sources that feed several channels, and what the agent tells of itself.
package final class Host {
    package let procfs: String
    package let sysfs: String
    package let rootfs: String
    package let facts: HostFacts
    package let clock: () -> ClockReading
    /// What the host's owner sets for the entries of channels, by topic.
    package var entrySettings: [String: EntrySettings]
    /// What is asked of the system beside files.
    package var system = SystemAccess()
    /// Filled by the agent; `/agent` publishes it.
    package var agent = AgentReport()
    /// Filled by the agent, too.
    package let lateness = WakeupLateness()

    package init(
        procfs: String = "/proc", sysfs: String = "/sys", rootfs: String = "/", facts: HostFacts,
        entrySettings: [String: EntrySettings] = [:], clock: @escaping () -> ClockReading
    ) {
        self.procfs = procfs
        self.sysfs = sysfs
        self.rootfs = rootfs
        self.facts = facts
        self.entrySettings = entrySettings
        self.clock = clock
    }

    package func settings(of topic: String) -> EntrySettings { entrySettings[topic] ?? EntrySettings() }

    private var openStatSource: StatSource?

    /// /proc/stat, opened once for all channels that it feeds.
    package func statSource() throws(CollectError) -> StatSource {
        if let openStatSource { return openStatSource }
        let source = try StatSource(path: "\(procfs)/stat", clock: clock)
        openStatSource = source
        return source
    }
}

/// How a worker makes a host of its own, since a ``Host`` belongs to one thread.
package struct WorkerHost: Sendable {
    package var procfs: String
    package var sysfs: String
    package var rootfs: String
    package var facts: HostFacts
    package var entrySettings: [String: EntrySettings]
    package var system: SystemAccess
    package var clock: @Sendable () -> ClockReading

    /// A host that reads what `host` reads, by another clock.
    package init(_ host: Host, clock: @escaping @Sendable () -> ClockReading) {
        procfs = host.procfs
        sysfs = host.sysfs
        rootfs = host.rootfs
        facts = host.facts
        entrySettings = host.entrySettings
        system = host.system
        self.clock = clock
    }

    package func makeHost() -> Host {
        let host = Host(
            procfs: procfs, sysfs: sysfs, rootfs: rootfs, facts: facts, entrySettings: entrySettings, clock: clock)
        host.system = system
        return host
    }
}

/// What the agent knows about itself, its clients and its collectors; counters run since start.
package struct AgentReport: Sendable {
    /// One collector's record, kept by the agent.
    package struct CollectorRecord: Sendable {
        package var topic: String
        package var requestedHertz: Double
        package var actualHertz = Double.nan
        package var resolutionSeconds: Double
        package var lastSeconds = 0.0
        package var longestSeconds = 0.0
        package var sampleCount: UInt64 = 0
        package var overrunCount: UInt64 = 0
        package var errorCount: UInt64 = 0
        package var parseErrorCount: UInt64 = 0
        package var resetCount: UInt64 = 0
        package var droppedCount: UInt64 = 0
        package var entryCount = 0
        package var suppressedCount = 0
        package var lastError: CollectError?
        /// How long the sample that does not come back is under way; 0: none.
        package var stuckSeconds = 0.0

        package init(topic: String, requestedHertz: Double, resolutionSeconds: Double) {
            self.topic = topic
            self.requestedHertz = requestedHertz
            self.resolutionSeconds = resolutionSeconds
        }
    }

    /// One bound of the server.
    package struct LimitRecord: Sendable {
        package var name: String
        package var limit: Double
        package var reachedCount: UInt64
        package init(name: String, limit: Double, reachedCount: UInt64) {
            self.name = name
            self.limit = limit
            self.reachedCount = reachedCount
        }
    }

    package var clientCount = 0
    package var subscriptionCount = 0
    package var sentMessageCount: UInt64 = 0
    package var sentByteCount: UInt64 = 0
    package var droppedMessageCount: UInt64 = 0
    package var queuedByteCount = 0
    package var version = ""
    package var collectors: [CollectorRecord] = []
    package var limits: [LimitRecord] = []

    package init() {}
}
