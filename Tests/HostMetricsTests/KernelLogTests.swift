import Foundation
import Glibc
import HostMetrics
import Telemetry
import Testing

/// Records as /dev/kmsg gives them.
struct KernelLogRecordTests {
    private func record(_ written: String) -> KernelLogRecord {
        var record = KernelLogRecord()
        // Nothing of it may be left.
        record.parse(Array("0,9,9,c;old\n SUBSYSTEM=old\n DEVICE=old\n".utf8).span)
        record.parse(Array(written.utf8).span)
        return record
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func partsOfARecord() {
        // Of Documentation/ABI/testing/dev-kmsg.
        let record = record(
            "7,160,424069,-;pci_root PNP0A03:00: host bridge window\n SUBSYSTEM=acpi\n DEVICE=+acpi:PNP0A03:00\n")
        #expect(record.isValid && record.severity == 7 && record.facility == 0)
        #expect(record.sequence == 160 && record.microseconds == 424_069)
        #expect(text(record.text) == "pci_root PNP0A03:00: host bridge window")
        #expect(text(record.subsystem) == "acpi")
    }

    @Test func facilityFlagsAndFurtherFields() {
        // 30 = daemon (3) << 3 | info (6), as systemd writes; `caller=` is of kernels with PRINTK_CALLER.
        let record = record("30,339,5140900,c,caller=T1,x;NET: a;b,c\n SUBSYSTEMS=a\n\n X=SUBSYSTEM=b\nDEVICE")
        #expect(record.isValid && record.severity == 6 && record.facility == 3)
        #expect(text(record.text) == "NET: a;b,c")
        #expect(record.subsystem.isEmpty)
        let last = self.record("2047,18446744073709551615,18446744073709551615,-;")
        #expect(last.isValid && last.severity == 7 && last.facility == 255 && last.sequence == .max)
        #expect(last.text.isEmpty)
    }

    @Test(arguments: [
        ("a\\x5cb", "a\\b"), ("gr\\xc3\\xbcn", "grün"), ("one\\x0atwo\\x09x", "one two x"), ("\\x", "\\x"),
        ("\\x4", "\\x4"), ("\\x4g", "\\x4g"), ("\\x41", "A"), ("\\\\x41", "\\A"), ("\\xAf", "\u{FFFD}"), ("", ""),
    ])
    func escapes(written: String, meant: String) {
        #expect(text(record("6,1,2,-;\(written)\n").text) == meant)
    }

    @Test(arguments: [
        "", ";", "6", "6,1", "6,1,2", "6,1,2,", "6,1,2,;x", "6,1,2,-", "-6,1,2,-;x", "6,,2,-;x", "6, 1,2,-;x",
        "6,1,18446744073709551616,-;x", "x,1,2,-;y", "6,1,2.5,-;y", "\n6,1,2,-;y",
    ])
    func whatIsNoRecord(written: String) {
        #expect(!record(written).isValid)
    }
}

struct KernelLogTests {
    private let root: TemporaryDirectory
    private let clock = ManualClock()
    private let host: HostMetrics.Host
    private let registration: Registration
    /// The side that the kernel writes to.
    private let descriptor: Int32

    init() throws {
        root = try TemporaryDirectory()
        try root.write([], to: "dev/other")
        let clock = clock
        host = HostMetrics.Host(
            rootfs: root.path,
            facts: HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE"),
            clock: { clock.reading })
        registration = try #require(allCollectors.first { $0.channel.topic == "/kernel/log" })
        try #require(unsafe mkfifo(root.path + "/dev/kmsg", 0o600) == 0)
        descriptor = unsafe open(root.path + "/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC)
        try #require(descriptor >= 0)
    }

    private func log(_ record: String) throws {
        let bytes = Array(record.utf8)
        try #require(unsafe write(descriptor, bytes, bytes.count) == bytes.count)
    }

    private func message(of sampler: any Sampling) throws -> WireValue {
        try decode(sampler, schema: registration.channel.schema)
    }

    @Test func aRecordIsAMessage() throws {
        defer { close(descriptor) }
        #expect(registration.isEventDriven && !registration.isBlocking)
        let sampler = try registration.makeSampler(on: host)
        let waited = try #require(sampler.eventDescriptor)
        #expect(fcntl(waited, F_GETFL) & O_NONBLOCK != 0)
        // The manual clock starts at 1,000 s, and so 2.5 s after this was logged.
        try log("3,7,997500000,-;usb 1-1: bad \\xff\\x1b[0m\n SUBSYSTEM=usb\n DEVICE=c189:1\n")
        let sample = try sampler.sample(registration.context(tick: 1))
        let message = try message(of: sampler)
        #expect(message["level"] == .enumeration("ERROR"))
        #expect(message["message"] == .string("usb 1-1: bad \u{FFFD}[0m"))
        #expect(message["name"] == .string("kernel/usb"))
        #expect(message["timestamp.seconds"] == .signed(1_794_999_997))
        #expect(message["timestamp.nanos"] == .signed(500_000_000))
        #expect(sample.time.monotonic == Instant(nanoseconds: 997_500_000_000))
        #expect(sample.time.realtime == Timestamp(unixNanoseconds: 1_794_999_997_500_000_000))
        #expect(sample.notes.isEmpty && sample.parseErrorCount == 0)
        #expect(throws: CollectError.nothingUsable) { try sampler.sample(registration.context(tick: 2)) }
    }

    @Test(arguments: [
        (0, "FATAL", "kernel"), (1, "FATAL", "kernel"), (2, "FATAL", "kernel"), (3, "ERROR", "kernel"),
        (4, "WARNING", "kernel"), (5, "INFO", "kernel"), (6, "INFO", "kernel"), (7, "DEBUG", "kernel"),
        (12, "WARNING", "user"), (30, "INFO", "daemon"), (36, "WARNING", "auth"), (46, "INFO", "syslog"),
        (190, "INFO", "other"),
    ])
    func levelsAndNames(priority: Int, level: String, name: String) throws {
        defer { close(descriptor) }
        let sampler = try registration.makeSampler(on: host)
        try log("\(priority),1,5,-;x\n")
        _ = try sampler.sample(registration.context(tick: 1))
        let message = try message(of: sampler)
        #expect(message["level"] == .enumeration(level) && message["name"] == .string(name))
    }

    /// The kernel's clock may run ahead of CLOCK_MONOTONIC.
    @Test(arguments: ["1000000001", "18446744073709551615", "18446744073709552"])
    func theFutureIsNow(microseconds: String) throws {
        defer { close(descriptor) }
        let sampler = try registration.makeSampler(on: host)
        try log("6,1,\(microseconds),-;x\n")
        let sample = try sampler.sample(registration.context(tick: 1))
        #expect(sample.time.realtime == clock.reading.realtime)
        #expect(sample.time.monotonic == clock.reading.monotonic)
    }

    @Test func lostRecordsAreNoted() throws {
        defer { close(descriptor) }
        let sampler = try registration.makeSampler(on: host)
        var notes: [Note] = []
        for sequence in [41, 42, 45, 47, 46, 47] {
            try log("6,\(sequence),5,-;x\n")
            notes += try sampler.sample(registration.context(tick: 1)).notes
        }
        #expect(
            notes == [
                Note(.warning, "2 records of the kernel's log lost"),
                Note(.warning, "1 record of the kernel's log lost"),
            ])
    }

    @Test func garbageIsCountedWithTheNextRecord() throws {
        defer { close(descriptor) }
        let sampler = try registration.makeSampler(on: host)
        try log("garbage")
        #expect(throws: CollectError.nothingUsable) { try sampler.sample(registration.context(tick: 1)) }
        try log("6,1,5,-;fine\n")
        #expect(try sampler.sample(registration.context(tick: 2)).parseErrorCount == 1)
        try log("6,2,5,-;fine\n")
        #expect(try sampler.sample(registration.context(tick: 3)).parseErrorCount == 0)
    }

    /// By a file: unlike a pipe it has an end to go to.
    @Test func onlyWhatComesWhileSomebodyListensIsTold() throws {
        close(descriptor)
        try FileManager.default.removeItem(atPath: root.path + "/dev/kmsg")
        try root.write("6,1,5,-;before the start\n", to: "dev/kmsg")
        let sampler = try registration.makeSampler(on: host)
        let file = unsafe open(root.path + "/dev/kmsg", O_WRONLY | O_APPEND | O_CLOEXEC)
        defer { close(file) }
        func log(_ record: String) throws {
            let bytes = Array(record.utf8)
            try #require(unsafe write(file, bytes, bytes.count) == bytes.count)
        }
        func sample(isFirst: Bool) throws -> Sample {
            var context = registration.context(tick: 1)
            context.isFirst = isFirst
            return try sampler.sample(context)
        }
        let end = CollectError.read(errno: ENODEV)
        try log("6,2,5,-;before anybody listens\n")
        #expect(throws: end) { try sample(isFirst: true) }
        try log("6,3,5,-;heard\n")
        #expect(try sample(isFirst: false).notes.isEmpty)
        #expect(try message(of: sampler)["message"] == .string("heard"))
        // Another one comes while there is news for the first.
        clock.advance(nanoseconds: 999_999_999)
        try log("6,4,5,-;heard by both\n")
        #expect(try sample(isFirst: true).notes.isEmpty)
        #expect(try message(of: sampler)["message"] == .string("heard by both"))
        clock.advance(nanoseconds: 1_000_000_000)
        try log("6,5,5,-;heard by none\n")
        #expect(throws: end) { try sample(isFirst: true) }
        try log("6,6,5,-;heard again\n")
        // Nothing was lost: nobody listened.
        #expect(try sample(isFirst: false).notes.isEmpty)
    }

    @Test func aLogThatEndsIsAnError() throws {
        let sampler = try registration.makeSampler(on: host)
        close(descriptor)
        #expect(throws: CollectError.read(errno: ENODEV)) { try sampler.sample(registration.context(tick: 1)) }
    }

    @Test func withoutALogThereIsNoChannel() throws {
        close(descriptor)
        try FileManager.default.removeItem(atPath: root.path + "/dev/kmsg")
        #expect(throws: CollectError.open(errno: ENOENT)) { try registration.makeSampler(on: host) }
    }
}

/// The log of this machine, where it may be read and written.
struct OwnKernelLogTests {
    private static let isWritable = unsafe access("/dev/kmsg", R_OK | W_OK) == 0

    @Test(.enabled(if: isWritable, "/dev/kmsg must be readable and writable: run as root"))
    func whatIsWrittenIsRead() throws {
        let clock = SystemClock()
        let host = HostMetrics.Host(
            facts: HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE"),
            clock: clock.reading)
        let registration = try #require(allCollectors.first { $0.channel.topic == "/kernel/log" })
        let sampler = try registration.makeSampler(on: host)
        let mark = "sysmon-agent test \(UUID().uuidString)"
        let descriptor = unsafe open("/dev/kmsg", O_WRONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let before = clock.reading().realtime
        // Without its newline a line may go on, and is not told yet.
        for line in ["<12>\(mark) première\n", "<15>\(mark) second\n"] {
            let bytes = Array(line.utf8)
            try #require(unsafe write(descriptor, bytes, bytes.count) == bytes.count)
        }
        var found: [WireValue] = []
        // Others may write to it, too: this ends when there is no more.
        while let sample = try? sampler.sample(registration.context(tick: 1)) {
            let message = try decode(sampler, schema: registration.channel.schema)
            guard message["message"]?.text?.hasPrefix(mark) == true else { continue }
            found.append(message)
            let distance = Int64(bitPattern: sample.time.realtime.unixNanoseconds &- before.unixNanoseconds)
            // The two clocks part by seconds in weeks.
            #expect(abs(distance) < 60_000_000_000, "\(distance) ns")
        }
        #expect(found.map { $0["message"]?.text } == ["\(mark) première", "\(mark) second"])
        #expect(found.map { $0["level"]?.text } == ["WARNING", "DEBUG"])
        #expect(found.map { $0["name"]?.text } == ["user", "user"])
    }
}
