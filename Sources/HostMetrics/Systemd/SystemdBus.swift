internal import CSystemd
internal import Glibc
internal import Telemetry

/// A connection to systemd's manager over D-Bus (sd-bus(3)).
///
/// Waits for answers, but not for longer than ``timeoutSeconds`` each. Belongs to the thread that made it.
@safe
struct SystemdBus: ~Copyable {
    /// What a call failed with: an error of the connection, or one that was answered.
    struct Failure: Error, Equatable {
        var errno: Int32

        /// Whether the connection is of no use any more, or an answer may yet come that nobody waits for.
        var isFinal: Bool { [ECONNRESET, ENOTCONN, EPIPE, ESHUTDOWN, ESTALE, ETIMEDOUT].contains(errno) }
    }

    private static let manager = "org.freedesktop.systemd1.Manager"
    private static let managerPath = "/org/freedesktop/systemd1"
    private static let destination = "org.freedesktop.systemd1"

    private let bus: OpaquePointer

    /// Connects to the bus at a D-Bus address, such as `unix:path=/run/dbus/system_bus_socket`.
    init(address: String, timeoutSeconds: Double) throws(Failure) {
        var bus: OpaquePointer?
        try Self.check(unsafe sd_bus_new(&bus))
        guard let bus = unsafe bus else { throw Failure(errno: ENOMEM) }
        do throws(Failure) {
            try Self.check(unsafe sd_bus_set_address(bus, address))
            try Self.check(unsafe sd_bus_set_bus_client(bus, 1))
            try Self.check(unsafe sd_bus_set_method_call_timeout(bus, UInt64(timeoutSeconds * 1e6)))
            try Self.check(unsafe sd_bus_start(bus))
            try unsafe Self.waitUntilReady(bus, seconds: timeoutSeconds)
        } catch {
            _ = unsafe sd_bus_close_unref(bus)
            throw error
        }
        unsafe self.bus = bus
    }

    deinit { _ = unsafe sd_bus_close_unref(bus) }

    /// A call would wait for this too, but longer than its own time-out.
    private static func waitUntilReady(_ bus: OpaquePointer, seconds: Double) throws(Failure) {
        let start = SystemClock.monotonic()
        while try check(unsafe sd_bus_is_ready(bus)) == 0 {
            if try check(unsafe sd_bus_process(bus, nil)) > 0 { continue }
            let rest = seconds - SystemClock.monotonic().seconds(since: start)
            guard rest > 0 else { throw Failure(errno: ETIMEDOUT) }
            try check(unsafe sd_bus_wait(bus, UInt64(rest * 1e6) + 1))
        }
    }

    @discardableResult
    private static func check(_ result: Int32) throws(Failure) -> Int32 {
        guard result >= 0 else { throw Failure(errno: -result) }
        return result
    }

    /// A text that the manager tells of itself.
    func property(_ name: String) throws(Failure) -> String {
        var value: UnsafeMutablePointer<CChar>?
        try Self.check(
            unsafe sd_bus_get_property_string(
                bus, Self.destination, Self.managerPath, Self.manager, name, nil, &value))
        guard let value = unsafe value else { throw Failure(errno: EBADMSG) }
        defer { unsafe free(value) }
        return unsafe String(cString: value)
    }

    /// How often the service at an object path was restarted.
    func restartCount(ofServiceAt path: String) throws(Failure) -> UInt32 {
        var count: UInt32 = 0
        // 'u': an unsigned number of 32 bits.
        try Self.check(
            unsafe sd_bus_get_property_trivial(
                bus, Self.destination, path, "org.freedesktop.systemd1.Service", "NRestarts", nil,
                CChar(UInt8(ascii: "u")), &count))
        return count
    }

    /// Calls `body` with each unit that is loaded, in no order.
    ///
    /// One answer holds them all: D-Bus allows 128 MiB, and what is in it was checked for form when it came.
    func forEachUnit(_ body: (borrowing SystemdUnit) -> Void) throws(Failure) {
        var reply: OpaquePointer?
        try Self.check(unsafe sysmon_list_units(bus, &reply))
        defer { _ = unsafe sd_bus_message_unref(reply) }
        try Self.check(unsafe sd_bus_message_enter_container(reply, CChar(UInt8(ascii: "a")), "(ssssssouso)"))
        var unit = unsafe sysmon_unit()
        while try Self.check(unsafe sysmon_unit_read(reply, &unit)) > 0 {
            let (id, path) = unsafe (Self.bytes(unit.id), Self.bytes(unit.path))
            let (activeState, subState) = unsafe (Self.bytes(unit.active_state), Self.bytes(unit.sub_state))
            let spans = unsafe (id.span, activeState.span, subState.span, path.span)
            body(SystemdUnit(id: spans.0, activeState: spans.1, subState: spans.2, path: spans.3))
        }
    }

    private static func bytes(_ text: UnsafePointer<CChar>?) -> UnsafeBufferPointer<UInt8> {
        let start = unsafe UnsafeRawPointer(text)?.assumingMemoryBound(to: UInt8.self)
        return unsafe UnsafeBufferPointer(start: start, count: text.map { unsafe strlen($0) } ?? 0)
    }
}
