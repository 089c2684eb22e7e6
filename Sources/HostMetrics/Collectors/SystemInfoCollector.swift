internal import TelemetrySchema

/// `/system/info`: what the host is. Files are opened each time, since a minute lies between two samples.
struct SystemInfoCollector: Collector, ~Copyable {
    static let topic = "/system/info"
    static let defaultHertz = 1.0 / 60
    static let isLatched = true

    private let host: Host
    private let stat: StatSource?
    private var reader = FileReader(byteCapacity: 16_384)
    private var arena = TextArena(byteCapacity: 32_768)
    private var cpuInfo = CPUInfo()
    private var release = OSRelease()
    private var memory = MemoryInfo()
    private var list = CPUList()
    private var kernelPath: FilePath
    private let kernelByteCount: Int
    private let cpuInfoPath: FilePath
    private let memoryPath: FilePath
    private let onlinePath: FilePath
    private let presentPath: FilePath
    private let releasePath: FilePath
    private let vendorReleasePath: FilePath
    private var container: ContainerDetector

    init(host: Host) throws(CollectError) {
        self.host = host
        stat = try? host.statSource()
        kernelPath = FilePath("\(host.procfs)/sys/kernel/")
        kernelByteCount = kernelPath.byteCount
        cpuInfoPath = FilePath("\(host.procfs)/cpuinfo")
        memoryPath = FilePath("\(host.procfs)/meminfo")
        onlinePath = FilePath("\(host.sysfs)/devices/system/cpu/online")
        presentPath = FilePath("\(host.sysfs)/devices/system/cpu/present")
        let root = host.rootfs == "/" ? "" : host.rootfs
        releasePath = FilePath("\(root)/etc/os-release")
        vendorReleasePath = FilePath("\(root)/usr/lib/os-release")
        container = ContainerDetector(procfs: host.procfs, root: root)
    }

    mutating func sample(_ context: SampleContext, into message: inout SystemInfoMessage) throws(CollectError) -> Sample
    {
        let before = host.clock()
        arena.removeAll()
        message.setHostname(kernelText("hostname"))
        message.setKernelName(kernelText("ostype"))
        message.setKernelRelease(kernelText("osrelease"))
        message.setKernelVersion(kernelText("version"))
        message.setBootId(kernelText("random/boot_id"))
        message.setMachine(arena.append(host.facts.machine))
        message.setEndianness(arena.append(host.facts.endianness))
        message.setAgentVersion(arena.append(host.agent.version))
        setRelease(&message)
        setProcessors(&message, tick: context.tick)
        message.memoryTotalBytes = memoryTotal()
        message.pageSizeBytes = host.facts.pageSizeBytes
        message.userTickHertz = host.facts.userTickHertz
        message.setContainer(label(container.detect(&reader)))
        var sample = Sample(time: before.midpoint(to: host.clock()))
        sample.entryCount = 1
        return sample
    }

    private mutating func kernelText(_ leaf: StaticString) -> Text {
        kernelPath.replace(after: kernelByteCount, with: leaf)
        _ = reader.read(kernelPath)
        return reader.appendLine(to: &arena, byteCountMax: Limits.labelByteCountMax)
    }

    private mutating func label(_ text: [UInt8]) -> Text {
        arena.append(text.span.extracting(first: Limits.labelByteCountMax))
    }

    private mutating func setRelease(_ message: inout SystemInfoMessage) {
        if !reader.read(releasePath) { _ = reader.read(vendorReleasePath) }
        reader.parse(into: &release)
        message.setOsId(label(release.id))
        message.setOsName(label(release.name))
        message.setOsVersion(label(release.version))
    }

    private mutating func setProcessors(_ message: inout SystemInfoMessage, tick: UInt64) {
        _ = reader.read(cpuInfoPath)
        reader.parse(into: &cpuInfo)
        message.setCpuModel(arena.append(cpuInfo.model.span.extracting(first: Limits.modelByteCountMax)))
        message.physicalCores = UInt32(cpuInfo.coreCount)
        message.packages = UInt32(cpuInfo.packageCount)
        var online = 0
        if reader.read(onlinePath) {
            reader.parse(into: &list)
            online = list.count
        }
        if online == 0 {
            online = (try? stat?.withStatistics(tick: tick) { statistics, _ in statistics.cores.count }) ?? 0
        }
        var present = 0
        if reader.read(presentPath) {
            reader.parse(into: &list)
            present = list.count
        }
        message.logicalCpusOnline = UInt32(online)
        message.logicalCpusPresent = UInt32(present > 0 ? present : online)
    }

    private mutating func memoryTotal() -> Double {
        guard reader.read(memoryPath) else { return .nan }
        reader.parse(into: &memory)
        let total = memory.number(.total)
        return total > 0 ? total : .nan
    }
}

/// Tells what kind of container the agent runs in, by the marks that they leave.
private struct ContainerDetector: ~Copyable {
    private let systemdPath: FilePath
    private let dockerPath: FilePath
    private let podmanPath: FilePath
    private let environmentPath: FilePath
    private var name: [UInt8] = []

    init(procfs: String, root: String) {
        systemdPath = FilePath("\(root)/run/systemd/container")
        dockerPath = FilePath("\(root)/.dockerenv")
        podmanPath = FilePath("\(root)/run/.containerenv")
        environmentPath = FilePath("\(procfs)/1/environ")
        name.reserveCapacity(64)
    }

    /// Empty: none that is known.
    mutating func detect(_ reader: inout FileReader) -> [UInt8] {
        name.removeAll(keepingCapacity: true)
        if reader.read(systemdPath) {
            let line = reader.line
            for index in line.indices { name.append(line[index]) }
        } else if dockerPath.exists {
            name.append("docker")
        } else if podmanPath.exists {
            name.append("podman")
        } else if reader.read(environmentPath) {
            appendEnvironment(reader.text)
        }
        return name
    }

    /// `container=NAME` among the variables, which end with a NUL each.
    private mutating func appendEnvironment(_ text: Span<UInt8>) {
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, text[end] != 0 { end += 1 }
            var cursor = ByteCursor(text.extracting(start..<end))
            if cursor.skip("container=") {
                for index in start + cursor.offset..<end { name.append(text[index]) }
                return
            }
            start = end + 1
        }
    }
}
