import HostMetrics
import Telemetry
import Testing

/// One line that cannot be read costs what it tells, and nothing else.
struct GoodLineTests {
    private static let stat = """
        cpu  70 0 30 900 5 0 1 0 0 0
        cpu0 40 0 10 450 2 0 1 0 0 0
        cpu1 20 0 10 250 2 0 0 0 0 0
        cpu2 10 0 10 200 1 0 0 0 0 0
        intr 900 1 2 3
        ctxt 1000
        btime 1700000000

        """
    private static let disks = """
        8 0 sda 100 10 2000 400 50 5 800 600 2 3000 9000 7 1 64 30 4 20
        8 16 sdb 200 10 2000 400 50 5 800 600 0 3000 9000 7 1 64 30 4 20
        253 0 dm-0 300 2 3 4 5 6 7 8 0 10 11

        """
    private static let devices = """
        Inter-|   Receive                                                |  Transmit
         face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier
            lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0
          eth0: 200 2 0 0 0 0 0 3 300 3 0 0 0 0 0 0
         wlan0: 400 4 0 0 0 0 0 0 500 5 0 0 0 0 0 0

        """
    private static let mounts = """
        21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
        22 21 8:2 / /home rw,relatime - ext4 /dev/sda2 rw
        23 21 8:3 / /var rw,relatime - xfs /dev/sda3 rw

        """

    /// Topic, path, list of the message.
    @Test(arguments: [
        ("/cpu/cores", "proc/stat", "cores"), ("/disk", "proc/diskstats", "devices"),
        ("/net", "proc/net/dev", "interfaces"), ("/filesystem", "proc/self/mountinfo", "filesystems"),
        ("/cpu/interrupts", "proc/interrupts", "lines"), ("/cpu/softirq", "proc/softirqs", "vectors"),
        ("/cpu/sched", "proc/schedstat", "cores"), ("/net/wireless", "proc/net/wireless", "interfaces"),
        ("/net/neighbours", "proc/net/arp", "interfaces"), ("/nfs", "proc/net/rpc/nfs", "operations"),
        ("/md", "proc/mdstat", "arrays"),
    ])
    func oneBadLineLosesNoOther(topic: String, path: String, list: String) throws {
        var files = ExtraSources.files
        files["proc/stat"] = Self.stat
        files["proc/diskstats"] = Self.disks
        files["proc/net/dev"] = Self.devices
        files["proc/self/mountinfo"] = Self.mounts
        let good = try entries(topic, list, files)
        #expect(good.count >= 2)
        let lines = try #require(files[path]).split(separator: "\n", omittingEmptySubsequences: false)
        var keptCount = 0
        // The first line may be the heading that tells what the others mean.
        for index in lines.indices.dropFirst().dropLast() {
            var changed = lines
            changed[index] = "99999999999999999999999 \u{0} nan"
            files[path] = changed.joined(separator: "\n")
            guard let left = try? entries(topic, list, files) else { continue }
            // How full this machine's own filesystems are changes meanwhile.
            let isLive = topic == "/filesystem"
            let lost = good.filter { isLive ? left[$0.key] == nil : left[$0.key] != $0.value }
            #expect(
                lost.count <= (path.hasSuffix("nfs") ? good.count - 1 : 1),
                "without \(lines[index]): \(lost.keys.sorted())")
            keptCount += 1
        }
        #expect(keptCount >= 2)
    }

    /// What entries tell, by id.
    private func entries(_ topic: String, _ list: String, _ files: [String: String]) throws -> [String: String] {
        let message = try CollectorUnderTest(topic, files: files).sample().message
        // How full the disk is and how long it took to tell are this machine's own.
        let isStill = topic != "/filesystem"
        let texts = (message[list]?.entries ?? []).map { Self.text($0, withNumbers: isStill) }
        return Dictionary(uniqueKeysWithValues: zip(message.ids(list), texts))
    }

    /// In a fixed order, and with an equality for NaN.
    private static func text(_ entry: WireValue, withNumbers: Bool) -> String {
        guard case .message(let fields) = entry else { return "\(entry)" }
        return fields.filter { withNumbers || $0.value.text != nil }.sorted { $0.key < $1.key }.map {
            "\($0.key)=\($0.value)"
        }.joined(separator: " ")
    }

    /// Lines of a name and a number each: one field, and what follows from it.
    @Test(arguments: [
        ("/memory", "proc/meminfo", 4), ("/zfs", "proc/spl/kstat/zfs/arcstats", 3),
        ("/net/sockets", "proc/net/sockstat", 6),
    ])
    func oneBadLineLosesItsOwnFields(topic: String, path: String, lostCountMax: Int) throws {
        var files = ExtraSources.files
        files["proc/meminfo"] = """
            MemTotal: 8000000 kB
            MemFree: 3000000 kB
            MemAvailable: 5000000 kB
            Buffers: 100000 kB
            Cached: 1000000 kB
            SwapTotal: 2000000 kB
            SwapFree: 1500000 kB
            Dirty: 40 kB
            Slab: 70000 kB

            """
        let good = try fields(topic, files)
        let lines = try #require(files[path]).split(separator: "\n", omittingEmptySubsequences: false)
        var keptCount = 0
        for index in lines.indices.dropFirst(path.hasSuffix("arcstats") ? 2 : 1).dropLast() {
            var changed = lines
            changed[index] = "99999999999999999999999 \u{0} nan"
            files[path] = changed.joined(separator: "\n")
            guard let left = try? fields(topic, files) else { continue }
            let lost = good.filter { left[$0.key] != $0.value }
            #expect(lost.count <= lostCountMax, "without \(lines[index]): \(lost.keys.sorted())")
            keptCount += 1
        }
        #expect(keptCount >= lines.count - 4)
    }

    private func fields(_ topic: String, _ files: [String: String]) throws -> [String: String] {
        guard case .message(let fields) = try CollectorUnderTest(topic, files: files).sample().message else {
            return [:]
        }
        return fields.filter { $0.key != "header" }.mapValues { "\($0)" }
    }
}
