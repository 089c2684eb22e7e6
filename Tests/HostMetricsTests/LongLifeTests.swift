import Foundation
import Glibc
import HostMetrics
import Telemetry
import Testing

/// What becomes of collectors while their sources come and go for weeks.
struct LongLifeTests {
    private static func descriptorCount() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    }

    private static let node = [
        "sys/devices/system/node/node0/meminfo": "Node 0 MemTotal: 8 kB\n",
        "sys/devices/system/node/node0/numastat": "numa_hit 1\n",
    ]
    private static let controller = [
        "sys/devices/system/edac/mc/mc0/ce_count": "1\n", "sys/devices/system/edac/mc/mc0/ue_count": "0\n",
        "sys/devices/system/edac/mc/mc0/dimm0/dimm_ce_count": "1\n",
        "sys/devices/system/edac/mc/mc0/dimm0/dimm_ue_count": "0\n",
    ]
    private static let groups = [
        "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cgroup.controllers": "cpu\n",
        "sys/fs/cgroup/a/b/cpu.stat": "usage_usec 1\n",
    ]
    private static let processes = [
        "proc/7/stat": "7 (a) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 3\n", "proc/7/status": "Uid:\t0\t0\n",
        "proc/7/io": "read_bytes: 0\nwrite_bytes: 0\n",
    ]
    private static let arrays = ["proc/gone/mdstat": "", "proc/mdstat": "md0 : active raid0 sda[0]\n 8 blocks\n"]

    @Test(arguments: [
        ("/memory/numa", node, "sys/devices/system/node"), ("/edac", controller, "sys/devices/system/edac/mc"),
        ("/cgroup", groups, "sys/fs/cgroup/a"), ("/processes", processes, "proc/7"), ("/md", arrays, "proc/mdstat"),
    ])
    func noDescriptorIsLeftOpenWhenASourceComesAndGoes(
        topic: String, files: [String: String], place: String
    ) throws {
        let cycleCount = 10_000
        var settings = EntrySettings()
        if topic == "/cgroup" { settings.include = try Pattern("/a/.*") }
        let collector = try CollectorUnderTest(topic, files: files, settings: settings)
        let path = "\(collector.root.path)/\(place)"
        try collector.sampleOnly()
        let before = try Self.descriptorCount()
        for _ in 0..<cycleCount {
            try #require(unsafe rename(path, path + "-gone") == 0)
            _ = try? collector.sampleOnly(after: 11)
            try #require(unsafe rename(path + "-gone", path) == 0)
            try collector.sampleOnly(after: 11)
        }
        // Other tests open files meanwhile, but not as many.
        #expect(try Self.descriptorCount() < before + cycleCount / 4)
    }

    @Test func aFileThatFailsIsOpenedAnew() throws {
        let collector = try CollectorUnderTest("/load", files: ["proc/loadavg/what": "cannot be read"])
        #expect(throws: CollectError.read(errno: EISDIR)) { try collector.sample() }
        try collector.root.remove(folder: "proc/loadavg")
        #expect(throws: CollectError.open(errno: ENOENT)) { try collector.sample() }
        try collector.write("0.5 0.4 0.3 1/2 3\n", to: "proc/loadavg")
        #expect(try collector.sample().message["load1"]?.number == 0.5)
    }

    /// A fixture may hold anything, and so may what is mounted into a container.
    @Test func pipesInThePlaceOfFilesAreNotWaitedFor() throws {
        let root = try TemporaryDirectory()
        let source = FixtureHost.folder.appendingPathComponent("laptop/t0")
        let manager = FileManager.default
        var pipeCount = 0
        for case let path as String in try #require(manager.enumerator(atPath: source.path)) {
            let type = try manager.attributesOfItem(atPath: source.path + "/" + path)[.type] as? FileAttributeType
            let target = root.path + "/" + path
            if type == .typeDirectory {
                try manager.createDirectory(atPath: target, withIntermediateDirectories: true)
            } else if type == .typeRegular {
                try #require(unsafe mkfifo(target, 0o600) == 0)
                pipeCount += 1
            }
        }
        #expect(pipeCount > 100)
        let clock = ManualClock()
        let host = HostMetrics.Host(
            procfs: root.path + "/proc", sysfs: root.path + "/sys", rootfs: root.path,
            facts: HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE")
        ) { clock.reading }
        for registration in allCollectors where !registration.isBlocking {
            guard let sampler = try? registration.makeSampler(on: host) else { continue }
            _ = try? sampler.sample(registration.context(tick: 1))
        }
    }
}
