import CFakeSystemd
import Foundation
import Glibc
import Telemetry
import Testing

@testable import HostMetrics

/// A host whose systemd is made up, on a bus of its own.
@safe
private final class SystemdWorld {
    let root: TemporaryDirectory
    let clock = ManualClock()
    let host: HostMetrics.Host
    let registration: Registration
    private var fake: OpaquePointer?
    private var sampler: (any Sampling)?

    init(include: String? = nil, exclude: String? = nil, entryCountMax: Int = 256) throws {
        // A blank and a comma: D-Bus addresses escape them.
        root = try TemporaryDirectory()
        try root.write("", to: "a ,b/run/systemd/system/x")
        try root.write("", to: "a ,b/run/dbus/x")
        var settings = EntrySettings()
        settings.include = try include.map { try Pattern($0) }
        settings.exclude = try exclude.map { try Pattern($0) }
        settings.entryCountMax = entryCountMax
        let clock = clock
        host = HostMetrics.Host(
            rootfs: root.path + "/a ,b",
            facts: HostFacts(userTickHertz: 100, pageSizeBytes: 4_096, machine: "x86_64", endianness: "LE"),
            entrySettings: ["/systemd": settings], clock: { clock.reading })
        registration = try #require(allCollectors.first { $0.channel.topic == "/systemd" })
    }

    deinit { stop() }

    var socket: String { root.path + "/a ,b/run/dbus/system_bus_socket" }

    func start() throws {
        unsafe fake = fake_systemd_start(socket)
        let isListening = unsafe fake != nil
        try #require(isListening)
    }

    func stop() {
        if let fake = unsafe fake { unsafe fake_systemd_stop(fake) }
        unsafe fake = nil
        unsafe unlink(socket)
    }

    func set(_ mode: fake_systemd_mode) { unsafe fake_systemd_set_mode(fake, mode) }

    /// Lines of id, active state, sub state, restarts.
    func setUnits(_ units: String) { unsafe fake_systemd_set_units(fake, units) }
    func setMore(_ count: Int32) { unsafe fake_systemd_set_more(fake, count) }

    func count(_ call: fake_systemd_call) -> Int { Int(unsafe fake_systemd_count(fake, call)) }

    func makeSampler() throws { sampler = try registration.makeSampler(on: host) }

    func sample() throws -> (message: WireValue, sample: Sample) {
        if sampler == nil { try makeSampler() }
        let sampler = try #require(sampler)
        clock.advance(nanoseconds: 10_000_000_000)
        let sample = try sampler.sample(registration.context(tick: 1))
        return (try decode(sampler, schema: registration.channel.schema), sample)
    }
}

/// Serialized: each has a thread of its own for its bus.
@Suite(.serialized) struct SystemdTests {
    private let units = """
        nginx.service active running 3
        sshd.service active running 0
        broken.service failed failed 7
        backup.service activating auto-restart 12
        old.service inactive dead 0
        slow.service deactivating stop-sigterm 0
        new.service reloading reload 0
        odd.service refreshing refresh 0
        odder.service sleeping soundly 0
        data.mount failed failed 0
        dev-disk-by\\x2duuid.device active plugged 0
        daily.timer active waiting 0
        a@b:c_d-1.socket active listening 0
        """

    @Test func countsAndFailedUnits() throws {
        let world = try SystemdWorld()
        try world.start()
        world.setUnits(units)
        let (message, sample) = try world.sample()
        #expect(message["system_state"]?.text == "SYSTEM_STATE_DEGRADED")
        #expect(message["version"]?.text == "252.39-1~deb12u2")
        let counts = [
            "units": 13, "units_active": 5, "units_reloading": 1, "units_inactive": 1, "units_failed": 2,
            "units_activating": 1, "units_deactivating": 1, "units_other": 2,
        ]
        for (name, count) in counts { #expect(message[name]?.number == Double(count), "\(name)") }
        let types = message["types"]?.entries.map { type in
            [type["id"]?.text ?? ""] + ["units", "units_active", "units_failed"].map { "\(type[$0]?.number ?? -1)" }
        }
        #expect(
            types == [
                ["service", "9.0", "2.0", "1.0"], ["socket", "1.0", "1.0", "0.0"], ["device", "1.0", "1.0", "0.0"],
                ["mount", "1.0", "0.0", "1.0"], ["timer", "1.0", "1.0", "0.0"],
            ])
        let listed = try #require(message["unit_states"]?.entries)
        #expect(listed.map { $0["id"]?.text } == ["broken.service", "data.mount"])
        #expect(listed.allSatisfy { $0["active_state"]?.text == "ACTIVE_STATE_FAILED" })
        #expect(listed[0]["sub_state"]?.text == "failed" && listed[0]["restarts"]?.number?.isNaN == true)
        #expect(sample.entryCount == 2 && sample.suppressedCount == 0 && sample.parseErrorCount == 0)
        #expect(sample.notes.isEmpty)
        _ = try world.sample()
        // One connection and one call each; no unit is asked for.
        #expect(world.count(FAKE_SYSTEMD_CONNECTIONS) == 1 && world.count(FAKE_SYSTEMD_LISTS) == 2)
        #expect(world.count(FAKE_SYSTEMD_RESTARTS) == 0)
    }

    @Test func unitsOfTheOwnersChoice() throws {
        let world = try SystemdWorld(include: "(nginx|backup|odder|gone)[.]service|.*[.]timer", exclude: "data.*")
        try world.start()
        world.setUnits(units + "\ngone.service active running\n")
        let (message, sample) = try world.sample()
        let listed = try #require(message["unit_states"]?.entries)
        #expect(
            listed.map { $0["id"]?.text } == [
                "backup.service", "broken.service", "daily.timer", "gone.service", "nginx.service", "odder.service",
            ])
        let states = ["ACTIVATING", "FAILED", "ACTIVE", "ACTIVE", "ACTIVE", "UNKNOWN"]
        #expect(listed.map { $0["active_state"]?.text } == states.map { "ACTIVE_STATE_\($0)" })
        #expect(listed[0]["sub_state"]?.text == "auto-restart" && listed[5]["sub_state"]?.text == "soundly")
        // Of included services only, where it is answered.
        let restarts = listed.map { $0["restarts"]?.number ?? -1 }
        #expect(restarts[0] == 12 && restarts[4] == 3 && restarts[5] == 0)
        #expect(restarts[1].isNaN && restarts[2].isNaN && restarts[3].isNaN)
        #expect(world.count(FAKE_SYSTEMD_RESTARTS) == 4)
        #expect(sample.entryCount == 6)
    }

    @Test(arguments: [
        (1, ["a.service"], 3), (2, ["a.service", "b.service"], 2),
        (3, ["a.service", "b.service", "i.service"], 1), (4, ["a.service", "b.service", "i.service", "j.service"], 0),
    ])
    func rowsAreBounded(entryCountMax: Int, ids: [String], suppressedCount: Int) throws {
        let world = try SystemdWorld(include: "[ij].*", entryCountMax: entryCountMax)
        try world.start()
        world.setUnits(
            """
            i.service active running 1
            j.service active running 1
            a.service failed failed 1
            b.service failed failed 1
            """
        )
        let (message, sample) = try world.sample()
        #expect(message["unit_states"]?.entries.map { $0["id"]?.text } == ids)
        #expect(sample.suppressedCount == suppressedCount && message["units"]?.number == 4)
    }

    @Test func failuresAreNotedOnce() throws {
        let world = try SystemdWorld()
        try world.start()
        world.setUnits("a.service failed failed 0\nb.service active running 0\nc.service active running 0")
        #expect(try world.sample().sample.notes.isEmpty)
        world.setUnits("a.service failed failed 0\nb.service failed failed 0\nc.service failed failed 0")
        let notes = [Note(.warning, "b.service failed"), Note(.warning, "c.service failed")]
        #expect(try world.sample().sample.notes == notes)
        #expect(try world.sample().sample.notes.isEmpty)
        world.setUnits("b.service active running 0")
        #expect(try world.sample().sample.notes.isEmpty)
        world.setUnits("b.service failed failed 0")
        #expect(try world.sample().sample.notes == [Note(.warning, "b.service failed")])
    }

    @Test func namesThatNoUnitCanHave() throws {
        let world = try SystemdWorld(include: ".*")
        try world.start()
        let long = String(repeating: "x", count: 255 - 8)
        world.setUnits(
            """
            _ active running 0
            service active running 0
            it's.service active running 0
            "a".service active running 0
            ünit.service active running 0
            a.thing active running 0
            \(long)y.service active running 0
            \(long).service active \(String(repeating: "s", count: 100)) 0
            a.service active running 0
            a.service failed failed 0
            """)
        let (message, sample) = try world.sample()
        #expect(sample.parseErrorCount == 7 && message["units"]?.number == 3)
        // An id comes once.
        #expect(message["unit_states"]?.entries.map { $0["id"]?.text } == ["a.service", "\(long).service"])
        #expect(message["unit_states[1].sub_state"]?.text == String(repeating: "s", count: 64))
    }

    @Test func aHundredThousandUnits() throws {
        let world = try SystemdWorld(include: "many-.*")
        try world.start()
        world.setMore(100_000)
        let start = SystemClock.monotonic()
        let (message, sample) = try world.sample()
        #expect(message["units"]?.number == 100_000 && message["units_inactive"]?.number == 100_000)
        #expect(sample.entryCount == 256 && sample.suppressedCount == 100_000 - 256)
        #expect(SystemClock.monotonic().seconds(since: start) < 30)
    }

    @Test func answersOfAnotherKind() throws {
        let world = try SystemdWorld()
        try world.start()
        world.setUnits(units)
        world.set(FAKE_SYSTEMD_WRONG_TYPE)
        #expect(throws: CollectError.read(errno: ENXIO)) { try world.sample() }
        world.set(FAKE_SYSTEMD_ERROR)
        #expect(throws: CollectError.read(errno: EACCES)) { try world.sample() }
        world.set(FAKE_SYSTEMD_NORMAL)
        #expect(try world.sample().message["units"]?.number == 13)
        #expect(world.count(FAKE_SYSTEMD_CONNECTIONS) == 1)
    }

    @Test func aBusThatHangsUpIsCalledAgain() throws {
        let world = try SystemdWorld()
        try world.start()
        world.setUnits(units)
        _ = try world.sample()
        world.set(FAKE_SYSTEMD_HANG_UP)
        #expect(throws: CollectError.read(errno: ECONNRESET)) { try world.sample() }
        world.set(FAKE_SYSTEMD_NORMAL)
        #expect(try world.sample().message["version"]?.text == "252.39-1~deb12u2")
        #expect(world.count(FAKE_SYSTEMD_CONNECTIONS) == 2)
        world.stop()
        #expect(throws: CollectError.self) { try world.sample() }
        #expect(throws: CollectError.open(errno: ENOENT)) { try world.sample() }
        try world.start()
        #expect(try world.sample().message["units"]?.number == 0)
    }

    @Test func silenceIsNotWaitedForForEver() throws {
        let world = try SystemdWorld()
        try world.start()
        let address = SystemdCollector.address(ofSocket: world.socket)
        do {
            let bus = try SystemdBus(address: address, timeoutSeconds: 0.2)
            world.set(FAKE_SYSTEMD_SILENT)
            #expect(throws: SystemdBus.Failure(errno: ETIMEDOUT)) { try bus.forEachUnit { _ in } }
        }
        world.set(FAKE_SYSTEMD_DEAF)
        #expect(throws: SystemdBus.Failure(errno: ETIMEDOUT)) {
            _ = try SystemdBus(address: address, timeoutSeconds: 0.2)
        }
        world.set(FAKE_SYSTEMD_NORMAL)
        #expect(try SystemdBus(address: address, timeoutSeconds: 5).property("SystemState") == "degraded")
    }

    @Test func withoutSystemdThereIsNoChannel() throws {
        let world = try SystemdWorld()
        #expect(throws: CollectError.open(errno: ENOENT)) { try world.makeSampler() }
        // A bus, but another manager.
        try world.start()
        try FileManager.default.removeItem(atPath: world.root.path + "/a ,b/run/systemd")
        #expect(throws: CollectError.open(errno: ENOENT)) { try world.makeSampler() }
        #expect(world.count(FAKE_SYSTEMD_CONNECTIONS) == 0)
    }

    @Test func addressesAreEscaped() {
        #expect(SystemdCollector.address(ofSocket: "/run/a-b_c.d") == "unix:path=/run/a-b_c.d")
        #expect(SystemdCollector.address(ofSocket: "/ü ,;=%") == "unix:path=/%c3%bc%20%2c%3b%3d%25")
    }
}
