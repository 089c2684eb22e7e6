import HostMetrics
import Testing

/// `/md`.
struct RAIDTests {
    private func status(_ text: String) -> RAIDStatus {
        var status = RAIDStatus()
        status.parse(Array(text.utf8).span)
        return status
    }

    private func field(_ list: String, _ fields: [(String, Double)], in message: WireValue) throws {
        for (name, value) in fields {
            let found = try #require(message["\(list).\(name)"]?.number, "\(list).\(name)")
            #expect(value.isNaN ? found.isNaN : abs(found - value) <= 1e-12 * max(1, abs(value)), "\(name): \(found)")
        }
    }

    private static let text = """
        Personalities : [raid1] [raid6] [raid5] [raid4] [raid0]
        md3 : active raid6 sda1[8] sdh1[7] sdg1[6] sdf1[5] sde1[4] sdd1[3](F) sdc1[2] sdb1[1] sdi1[9](S) sdj1[10](S)
              5853468288 blocks super 1.2 level 6, 64k chunk, algorithm 2 [8/7] [UUUU_UUU]
              [==>..................]  recovery = 12.6% (123456/975578048) finish=57.1min speed=259783K/sec
              bitmap: 3/8 pages [12KB], 65536KB chunk

        md8 : active (auto-read-only) raid1 sdb1[1] sda1[0]
              195310144 blocks [2/2] [UU]
              \tresync=PENDING

        md4 : inactive raid1 sda3[0](F) sdb3[1](S)
              4883648 blocks super 1.2

        md0 : active raid0 xvdb[0] xvdc[1](W)
              4186624 blocks super 1.2 256k chunks

        md9 : active (read-only) raid10 sda[0] sdb[1]
              500 blocks super external:/md127/0 [2/2] [UU]
              [====================>]  check =100.0% (500/500) finish=0.0min speed=1K/sec

        unused devices: <none>

        """

    @Test func arraysAreReadWithAllTheirLines() throws {
        let raid = try CollectorUnderTest("/md")
        try raid.root.write(Self.text, to: "proc/mdstat")
        let (sample, message) = try raid.sample()
        #expect(sample.parseErrorCount == 0 && sample.entryCount == 5)
        #expect(message.ids("arrays") == ["md3", "md8", "md4", "md0", "md9"])
        let entries = message["arrays"]?.entries ?? []
        #expect(entries.map { $0["level"]?.text } == ["raid6", "raid1", "", "raid0", "raid10"])
        #expect(
            entries.map { $0["state"]?.text } == [
                "STATE_RECOVERY", "STATE_RESYNC", "STATE_INACTIVE", "STATE_ACTIVE", "STATE_CHECK",
            ])
        #expect(entries.map { $0["read_only"] } == [false, true, false, false, true].map { .bool($0) })
        try field(
            "arrays[0]",
            [
                ("disks_required", 8), ("disks_active", 7), ("disks_failed", 1), ("disks_spare", 2), ("disks_down", 1),
                ("size_bytes", 5_993_951_526_912), ("sync_done_bytes", 126_418_944),
                ("sync_target_bytes", 998_991_921_152), ("sync_ratio", 123_456.0 / 975_578_048),
                ("sync_bytes_per_second", 266_017_792), ("sync_remaining_seconds", 3_426),
            ], in: message)
        try field(
            "arrays[1]",
            [
                ("disks_required", 2), ("disks_active", 2), ("disks_down", 0), ("sync_done_bytes", 0),
                ("sync_target_bytes", .nan), ("sync_ratio", 0), ("sync_bytes_per_second", .nan),
            ], in: message)
        try field(
            "arrays[2]",
            [
                ("disks_required", 0), ("disks_active", 0), ("disks_failed", 1), ("disks_spare", 1),
                ("size_bytes", 5_000_855_552), ("sync_ratio", .nan), ("sync_done_bytes", .nan),
            ], in: message)
        try field(
            "arrays[3]", [("disks_required", 2), ("disks_active", 2), ("disks_down", 0), ("sync_ratio", .nan)],
            in: message)
        try field(
            "arrays[4]", [("sync_ratio", 1), ("sync_remaining_seconds", 0), ("size_bytes", 512_000)], in: message)
    }

    @Test(arguments: [
        ("md0 : active raid1 sda[0]\n x blocks [2/1] [U_]\n", 1, 1), ("md0 : active raid1 sda[0]\n blocks\n", 1, 1),
        ("md0 : active raid1 sda[0]\nmd0 : active raid1 sdb[0]\n", 1, 1), ("md0 active raid1", 0, 0), ("md0 :", 0, 0),
        ("md0 : active", 1, 0), ("  7 blocks [2/2] [UU]\nmd0 : inactive", 1, 0), ("", 0, 0), (" : active", 0, 0),
        ("Personalities : \nunused devices: <none>\n", 0, 0),
        (
            "md0 : active raid1 sda[0]\n [2/] [/2] [/] [U [] [UX] (1/ (/) ( = finish=min speed=K/sec "
                + "[18446744073709551616/1]\n", 1, 0
        ),
    ])
    func oddTextsAreSurvived(text: String, arrays: Int, errors: Int) {
        let status = status(text)
        #expect(status.arrays.count == arrays && status.parseErrorCount == errors)
        #expect(status.arrays.allSatisfy { $0.disksRequired == nil || text.contains("[2/1]") })
    }

    @Test func arraysAreBounded() {
        let count = Limits.entryCountRange.upperBound
        let lines = (0...count).map { "md\($0) : active raid0 sda[0]\n" }
        #expect(status(lines.joined()).arrays.count == count && status(lines.joined()).excessCount == 1)
        #expect(status(lines.dropLast().joined()).excessCount == 0)
    }

    @Test func namesAreBounded() {
        let name = String(repeating: "d", count: Limits.diskNameByteCountMax)
        let level = String(repeating: "l", count: 33)
        let status = status("\(name) : active \(level) sda[0]\n\(name)e : active raid0 sdb[0]\n")
        #expect(status.arrays.map(\.name) == [Array(name.utf8)] && status.parseErrorCount == 1)
        #expect(status.arrays.map(\.level) == [Array(level.utf8.dropLast())])
    }

    @Test func aHostWithoutArraysHasNoChannelButMayLoseItsArraysLater() throws {
        let raid = try CollectorUnderTest("/md")
        #expect(throws: CollectError.open(errno: 2)) { try raid.sample() }
        let none = "Personalities : [raid1]\nunused devices: <none>\n"
        try raid.root.write(none, to: "proc/mdstat")
        #expect(throws: CollectError.open(errno: 2)) { try raid.sample() }
        try raid.root.write(Self.text, to: "proc/mdstat")
        #expect(try raid.sample().message.ids("arrays").count == 5)
        try raid.root.write(none, to: "proc/mdstat")
        #expect(try raid.sample().message.ids("arrays") == [])
    }

    @Test func theOwnerChoosesAndBounds() throws {
        var settings = EntrySettings()
        settings.exclude = try Pattern("md8")
        settings.entryCountMax = 3
        let raid = try CollectorUnderTest("/md", settings: settings)
        try raid.root.write(Self.text, to: "proc/mdstat")
        let (sample, message) = try raid.sample()
        #expect(message.ids("arrays") == ["md3", "md4", "md0"] && sample.suppressedCount == 1)
    }
}
