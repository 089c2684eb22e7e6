import Foundation
import HostMetrics
import SysmonAgent
import Telemetry

/// The made-up hosts of Fixtures/hosts, as layouts see them.
enum MadeUpHosts {
    static let names = ["laptop", "server-64cpu", "container", "arm-sbc", "garbled"]

    /// `prepare` may set what the host's owner sets.
    static func outline(_ name: String, prepare: (HostMetrics.Host) -> Void = { _ in }) throws -> HostOutline {
        let folder = root.appending(path: "Tests/Fixtures/hosts/\(name)")
        let facts = try JSONDecoder().decode(
            Facts.self, from: Data(contentsOf: folder.appending(path: "host.json")))
        let tree = folder.appending(path: "t0").path
        let host = HostMetrics.Host(
            procfs: tree + "/proc", sysfs: tree + "/sys", rootfs: tree,
            facts: HostFacts(
                userTickHertz: facts.user_hz, pageSizeBytes: facts.page_size_bytes, machine: facts.machine,
                endianness: facts.endianness), clock: SystemClock().reading)
        host.system.nvidiaLibrary = "/nowhere"
        // The larger, the longer its path.
        host.system.fileSystemStatistics = { path in
            .success(
                FileSystemStatistics(
                    blockBytes: 4_096, blockCount: UInt64(path.count), freeBlockCount: 0, availableBlockCount: 0,
                    fileCount: 0, freeFileCount: 0, isDirectory: true))
        }
        prepare(host)
        return HostOutline(allCollectors, Snapshot.take(allCollectors, on: host) { _ in })
    }

    private struct Facts: Decodable {
        var endianness: String
        var machine: String
        var page_size_bytes: Double
        var user_hz: Double
    }
}
